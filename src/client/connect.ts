/** Opens a session over real sockets. */
import type { Reporter } from "../runtime/environment.ts";
import { atTurnEnd, systemEnvironment, Timers } from "./clock.ts";
import { parseConnectString, shuffled } from "./connect-string.ts";
import { ConnectionCore } from "./connection-core.ts";
import type { BackoffOptions, SessionCredentials } from "./connection-options.ts";
import type { ClientEnvironment, ClientIoEffect } from "./io.ts";
import type { ClientObserver } from "./observer.ts";
import { Sockets } from "./socket.ts";
import { ZooKeeper } from "./zookeeper.ts";

export interface ClientOptions {
  /** Session timeout to ask for, ms; the server clamps it to its own bounds. Default 30000. */
  readonly timeoutMs?: number;
  /** Be content with a server that has no quorum, for reads. Default false. */
  readonly readOnly?: boolean;
  /** Try the servers in a random order. Default true. */
  readonly shuffle?: boolean;
  /** Largest reply taken from a server. Default 64 MiB: a long list of children may well exceed jute.maxbuffer. */
  readonly maxFrameBytes?: number;
  readonly backoff?: BackoffOptions;
  /** Take up an existing session. */
  readonly session?: SessionCredentials;
  readonly environment?: ClientEnvironment;
  readonly observer?: ClientObserver;
  readonly report?: Reporter;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024;
const DEFAULT_BACKOFF: BackoffOptions = { firstMs: 25, longestMs: 1000 };

/**
 * Connects in the background; operations may be called at once.
 * @param connectString `host:port,host:port/chroot`
 * @throws BadArguments if it is not one
 */
export function connect(connectString: string, options: ClientOptions = {}): ZooKeeper {
  const { servers, chroot } = parseConnectString(connectString);
  const { environment = systemEnvironment, shuffle = true } = options;
  return new ZooKeeper((hooks) => {
    const perform = (effect: ClientIoEffect): void => {
      switch (effect.type) {
        case "socket.connect":
          sockets.connect(effect.socket, effect.address);
          break;
        case "socket.write":
          sockets.write(effect.socket, effect.bytes);
          break;
        case "socket.destroy":
          sockets.destroy(effect.socket);
          break;
        case "timer.set":
          timers.set(effect.id, effect.delayMs);
          break;
        case "timer.clear":
          timers.clear(effect.id);
          break;
        case "turn.end":
          atTurnEnd(endTurn);
      }
    };
    const core = new ConnectionCore({
      servers: shuffle ? shuffled(servers, environment.random) : servers,
      chroot,
      timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      readOnly: options.readOnly ?? false,
      maxFrameBytes: options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
      backoff: options.backoff ?? DEFAULT_BACKOFF,
      session: options.session,
      environment,
      perform,
      observer: options.observer,
      report: options.report ?? (() => {}),
      ...hooks,
    });
    const endTurn = (): void => core.turnEnded();
    const sockets = new Sockets(core);
    const timers = new Timers((id) => core.timerFired(id));
    return core;
  });
}
