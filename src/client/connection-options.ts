/** What a client's connection is told once, when it is made. */
import type { SessionId } from "../../spec/vocabulary.ts";
import type { Reporter } from "../runtime/environment.ts";
import type { ClientEnvironment, ClientIoEffect, ServerAddress } from "./io.ts";
import type { ClientObserver } from "./observer.ts";
import type { SessionState, WatchedEvent, Watcher } from "./watches.ts";

export interface BackoffOptions {
  /** Bound of the first delay before another connection attempt, ms; doubles with each attempt. */
  readonly firstMs: number;
  readonly longestMs: number;
}

export interface SessionCredentials {
  readonly id: SessionId;
  readonly password: Buffer;
}

export interface ConnectionCoreOptions {
  /** In the order in which they are tried, at least one. */
  readonly servers: readonly ServerAddress[];
  readonly chroot: string;
  readonly timeoutMs: number;
  /** Accept a server without a quorum. */
  readonly readOnly: boolean;
  readonly maxFrameBytes: number;
  readonly backoff: BackoffOptions;
  /** Take up this session instead of opening a new one. */
  readonly session: SessionCredentials | undefined;
  readonly environment: ClientEnvironment;
  readonly perform: (effect: ClientIoEffect) => void;
  readonly deliver: (watchers: ReadonlySet<Watcher>, event: WatchedEvent) => void;
  readonly stateChanged: (state: SessionState) => void;
  readonly observer: ClientObserver | undefined;
  readonly report: Reporter;
}
