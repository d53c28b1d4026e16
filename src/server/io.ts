/**
 * The boundary between a server and the world. A server is a deterministic object: inputs go in through `step`, effects
 * come out as data and are performed strictly in order. Production (src/host), simulator and tests implement this file.
 */

import type { Slab } from "../protocol/slab.ts";
import type { Report } from "../runtime/environment.ts";
import type { DiskEffect, DiskInput } from "../storage/disk-io.ts";

/** Chosen by the host for accepted sockets (odd) and by the server for sockets it opens (even). Never reused. */
export type SocketId = number;
export type ListenPort = "client" | "election" | "quorum";

export interface RemoteAddress {
  readonly host: string;
  readonly port: number;
}

export type SocketInput =
  | {
      readonly type: "SOCKET_ACCEPTED";
      readonly socket: SocketId;
      readonly port: ListenPort;
      readonly remote: RemoteAddress;
    }
  | { readonly type: "SOCKET_CONNECTED"; readonly socket: SocketId }
  /** The chunk is lent for this step: what is of use later must be copied. */
  | { readonly type: "SOCKET_DATA"; readonly socket: SocketId; readonly chunk: Buffer }
  /** Answer to `socket.drain`. */
  | { readonly type: "SOCKET_DRAINED"; readonly socket: SocketId }
  /** Ended, reset or never connected. The last input of a socket. */
  | { readonly type: "SOCKET_CLOSED"; readonly socket: SocketId; readonly error?: string };

export type Input =
  | { readonly type: "STARTED" }
  | SocketInput
  | DiskInput
  | { readonly type: "TIMER"; readonly id: string }
  | { readonly type: "LISTENING"; readonly port: ListenPort }
  | { readonly type: "LISTEN_FAILED"; readonly port: ListenPort; readonly error: string }
  /** All inputs of this turn of the event loop are in: hand over what was gathered (replies, proposals, log records). */
  | { readonly type: "TURN_ENDED" }
  | { readonly type: "STOP" };

export type SocketEffect =
  | {
      readonly type: "socket.connect";
      readonly socket: SocketId;
      readonly host: string;
      readonly port: number;
      readonly timeoutMs: number;
    }
  | {
      readonly type: "socket.write";
      readonly socket: SocketId;
      readonly bytes: Buffer;
      /** The memory of `bytes`: released by whoever performs the effect once they have left; a world may as well keep it. */
      readonly slab?: Slab | null;
    }
  /**
   * Answer with one SOCKET_DRAINED as soon as everything written before this effect has left the process: at once if it
   * already has. Whoever bounds its unsent bytes asks now and then; nobody else hears of drains.
   */
  | { readonly type: "socket.drain"; readonly socket: SocketId }
  /** Flush what was written, then end. */
  | { readonly type: "socket.close"; readonly socket: SocketId }
  /** Reset at once; unsent bytes are dropped. */
  | { readonly type: "socket.destroy"; readonly socket: SocketId }
  | { readonly type: "socket.pause"; readonly socket: SocketId }
  | { readonly type: "socket.resume"; readonly socket: SocketId };

export type Effect =
  | SocketEffect
  | DiskEffect
  | { readonly type: "listen"; readonly port: ListenPort; readonly host: string | null; readonly number: number }
  | { readonly type: "unlisten"; readonly port: ListenPort }
  | { readonly type: "timer.set"; readonly id: string; readonly delayMs: number }
  | { readonly type: "timer.clear"; readonly id: string }
  | { readonly type: "report"; readonly report: Report }
  | { readonly type: "process.exit"; readonly code: number; readonly reason: string };

/** Effects are performed in the order of this array: "never acknowledge before durable" is visible in it. */
export type Effects = Effect[];
