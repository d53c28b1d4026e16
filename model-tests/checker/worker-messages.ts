/** What the coordinator of a partitioned search and its shard workers say to each other. */

import type { MessagePort } from "node:worker_threads";
import type { Coverage } from "./model.ts";
import type { Finding } from "./shard.ts";

export interface WorkerData {
  /** Name of the check: each worker loads its own model. */
  readonly check: string;
  readonly index: number;
  readonly shards: number;
  readonly symmetry: boolean;
  readonly keepGoing: boolean;
  readonly maxStates: number;
  /** By shard: the channel to that peer; null for itself. */
  readonly ports: readonly (MessagePort | null)[];
  /** Shared: becomes 1 when the search is to end. */
  readonly stop: Int32Array;
}

export type WorkerCommand =
  | { readonly type: "expand" }
  | { readonly type: "ancestor"; readonly number: number }
  | { readonly type: "close" };

export type WorkerReply = LevelDone | Ancestor;

/** A level was expanded everywhere; `size` states of the next one are this shard's. The other numbers are totals. */
export interface LevelDone {
  readonly type: "levelDone";
  readonly size: number;
  readonly distinct: number;
  readonly generated: number;
  readonly depth: number;
  readonly queue: number;
  readonly terminal: number;
  readonly bytes: number;
  readonly taken: readonly number[];
  readonly reached: readonly boolean[];
  readonly findings: readonly Finding[];
  readonly halted: boolean;
  readonly coverage: Coverage | null;
}

export interface Ancestor {
  readonly type: "ancestor";
  readonly parent: number;
  readonly ordinal: number;
}
