/** What the client side of a server needs from its role in the ensemble. Implemented by the cores of each role. */
import type { Id, ServerId, SessionId } from "../../spec/vocabulary.ts";

/** A request that becomes a txn (or a sync), as its session's server passes it on. */
export interface WriteRequest {
  readonly sessionId: SessionId;
  /** The client's xid; 0 for createSession and for what the ensemble asks itself (expiry, container removal). */
  readonly cxid: number;
  /** An OpCode. */
  readonly op: number;
  /** Record bytes after the RequestHeader, undecoded: lent until the call returns. */
  readonly body: Buffer;
  /** Identities of the connection, for the ACL checks at the leader. */
  readonly authInfo: readonly Id[];
  /** The server whose connection this is; another owner than the session's answers SESSIONMOVED. */
  readonly owner: ServerId;
}

export interface Upstream {
  readonly serverId: ServerId;
  readonly mode: "standalone" | "leader" | "follower" | "observer";
  /** Answered by `ClientService.committed`, in the order of the calls. */
  submit(request: WriteRequest): void;
  /** Answered by `ClientService.synced`, in the order of the calls. */
  sync(request: WriteRequest): void;
  /** Answered by `ClientService.revalidated`, possibly at once (a leader knows its sessions). */
  revalidate(sessionId: SessionId, timeoutMs: number): void;
  /** The client was heard of; called at most once per chunk of bytes. */
  touch(sessionId: SessionId, timeoutMs: number): void;
}
