/** Hooks that see every operation with its place in the ensemble's order: for history recorders, traces and metrics. */
import type { SessionId } from "../../spec/vocabulary.ts";
import type { WatchedEvent } from "./watches.ts";

/** Which connection of which session something happened on. */
export interface ConnectionInfo {
  readonly sessionId: SessionId;
  /** Counts the connections that served this client, from 1; 0 before the first. */
  readonly generation: number;
  /** "host:port"; "" while there is no connection. */
  readonly server: string;
}

export interface RequestInfo extends ConnectionInfo {
  /**
   * Unique within the session; also the cxid in the transaction log. Only the client's own setWatches, by which a new
   * connection begins, share a reserved one (Xid.setWatches); their replies come in the order of the requests.
   */
  readonly xid: number;
  /** OpCode. */
  readonly op: number;
  /** The client's path. */
  readonly path: string | null;
}

export interface ReplyInfo extends RequestInfo {
  /**
   * ReplyHeader.err. Without a reply: CONNECTIONLOSS (or SESSIONEXPIRED, AUTHFAILED, CLOSING for what was never sent and
   * never will be).
   */
  readonly err: number;
  /** ReplyHeader.zxid: a write's own transaction, for a read the last one applied by the server; -1 without a reply. */
  readonly zxid: number;
}

/**
 * Called synchronously, in the order of the wire, before the promise or the watcher learns of it. Connection info is that
 * of the moment: a request made while disconnected carries the generation before the one that will serve it.
 */
export interface ClientObserver {
  requested?(request: RequestInfo): void;
  replied?(reply: ReplyInfo): void;
  /** `zxid` is the header's: that of the cause from ZooKeeper 3.9 on, -1 from older servers. */
  notified?(event: WatchedEvent, zxid: number, connection: ConnectionInfo): void;
  /** The chart's state: "connecting", "connected", "readOnly", "disconnected", "closing", "closed", "expired", "authFailed". */
  stateChanged?(state: string, connection: ConnectionInfo): void;
}
