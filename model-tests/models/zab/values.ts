/** Plain values of the Zab models: packets, and txns as the entries that the cores carry about. */

import type { History, Txn } from "../../../spec/invariants/zab-view.ts";
import type { Epoch, Zxid } from "../../../spec/vocabulary.ts";

/** From a leader to a learner. SNAPSHOT is the stream that follows SNAP. */
export type DownPacket =
  | { readonly type: "LEADERINFO" | "NEWLEADER"; readonly epoch: Epoch }
  | { readonly type: "DIFF" | "TRUNC" | "SNAP" | "COMMIT"; readonly zxid: Zxid }
  | { readonly type: "SNAPSHOT"; readonly tree: History }
  | { readonly type: "PROPOSAL"; readonly txn: Txn }
  | { readonly type: "UPTODATE" };

/** From a learner to its leader. */
export type UpPacket =
  | { readonly type: "FOLLOWERINFO"; readonly acceptedEpoch: Epoch }
  | { readonly type: "ACKEPOCH"; readonly currentEpoch: number; readonly lastZxid: Zxid }
  | { readonly type: "ACK"; readonly zxid: Zxid };

export type Packet = DownPacket | UpPacket;

/** A txn's value is the number of the write that it is: all that a model needs of it. */
const ENTRIES = Array.from({ length: 256 }, (_, value) => Buffer.from([value]));

export const entryOf = ([, value]: Txn): Buffer => ENTRIES[value] as Buffer;
export const txnOf = (zxid: Zxid, entry: Buffer): Txn => [zxid, entry[0] as number];
export const txnsOf = (entries: Iterable<{ readonly zxid: Zxid; readonly entry: Buffer }>): History =>
  Array.from(entries, ({ zxid, entry }) => txnOf(zxid, entry));
export const entriesOf = (history: History): { zxid: Zxid; entry: Buffer }[] =>
  history.map((txn) => ({ zxid: txn[0], entry: entryOf(txn) }));
