/** A history in memory, as the checkers and the report use it. */
import type { Connection, Digest, Fault, Phase, ServerLine, WatchEvent } from "./format.ts";
import type { Operations } from "./operations.ts";

/** Something that happened on a client's connection, with the number of its line. */
export type Noted<T> = T & { readonly line: number };

export interface History {
  readonly operations: Operations;
  readonly events: readonly Noted<WatchEvent>[];
  readonly connections: readonly Noted<Connection>[];
  readonly faults: readonly Noted<Fault>[];
  readonly servers: readonly Noted<ServerLine>[];
  readonly phases: readonly Noted<Phase>[];
  readonly digests: readonly Noted<Digest>[];
  /** Wall clock at t = 0, ms since 1970; 0 if unknown. */
  readonly startedAt: number;
  /** µs of the last line. */
  readonly endedAt: number;
  readonly lines: number;
  /** The `end` line was there, and counted right. */
  readonly whole: boolean;
}
