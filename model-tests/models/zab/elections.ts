/** Who makes servers leaders and followers: what a model's steps ask of it, and what it asks of them. */

import type { Epoch, Zxid } from "../../../spec/vocabulary.ts";
import type { Words } from "../../checker/model.ts";
import type { ServerInfo } from "./world.ts";

/** What a server tells those who elect, within its step. */
export interface ElectionPort {
  /** It has nobody to follow, and this to show. */
  looks(words: Words, server: number, zxid: Zxid, currentEpoch: Epoch): void;
  /** It serves in this epoch. */
  serves(words: Words, server: number, epoch: Epoch): void;
  /** Its process has died; it looks when it is back. */
  dies(words: Words, server: number): void;
}

export interface Elections extends ElectionPort {
  /** Everything that may happen next to those who elect. */
  successors(words: Words, steps: ElectionSteps): void;
  /** What Zab waits for takes longer than any message of an election: is none under way? */
  isQuiet(words: Words): boolean;
  /** After every step: what happens at once among those who elect. */
  tidy(words: Words): void;
  /** Does the state belong to the search? */
  isWithin(words: Words): boolean;
}

export interface ElectionSteps {
  info(server: number): ServerInfo;
  /** The next state, to be changed and emitted. */
  fresh(): Words;
  /** The server learns whom it follows. */
  elected(next: Words, server: number, leader: number): void;
  emit(next: Words, action: number): void;
  mayConnect(server: number, leader: number): boolean;
}
