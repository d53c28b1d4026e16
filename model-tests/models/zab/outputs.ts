/** What a server's step does to the world: its links, and the ghost that remembers the whole run. */

import type { History, Txn } from "../../../spec/invariants/zab-view.ts";
import type { Epoch, ServerId, Zxid } from "../../../spec/vocabulary.ts";
import type { DownPacket, UpPacket } from "./values.ts";

/** Which of the two connections that a pair of servers may have at a time: an old one may still have something to say. */
export type Slot = 0 | 1;

export type LinkOutput =
  | { readonly type: "connect"; readonly leader: ServerId }
  | { readonly type: "up"; readonly leader: ServerId; readonly packet: UpPacket }
  | { readonly type: "down"; readonly learner: ServerId; readonly slot: Slot; readonly packet: DownPacket }
  /** This server's end is closed. */
  | { readonly type: "learnerCloses"; readonly leader: ServerId }
  | { readonly type: "leaderCloses"; readonly learner: ServerId; readonly slot: Slot };

export type GhostOutput =
  | { readonly type: "broadcast"; readonly txn: Txn }
  | { readonly type: "established"; readonly epoch: Epoch; readonly leader: ServerId }
  /** Everything up to here is committed, says a leader. */
  | { readonly type: "committed"; readonly history: History }
  | { readonly type: "alarm"; readonly text: string };

/** What a server tells its own election. */
export type ElectionOutput =
  | { readonly type: "looks"; readonly zxid: Zxid; readonly currentEpoch: Epoch }
  | { readonly type: "serves"; readonly epoch: Epoch }
  | { readonly type: "dies" };

export type ServerOutput = LinkOutput | GhostOutput | ElectionOutput;
