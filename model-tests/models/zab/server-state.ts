/** What a server of the model is between two steps, and what can happen to it. */

import type { LearnerHandlerEffect, learnerHandlerMachine } from "../../../spec/ensemble/learner-handler.machine.ts";
import type { History } from "../../../spec/invariants/zab-view.ts";
import type { peerMachine } from "../../../spec/peer/peer.machine.ts";
import type { PeerEffect } from "../../../spec/peer/setup.ts";
import type { QuorumConfig } from "../../../spec/quorum.ts";
import type { ServerId, Zxid } from "../../../spec/vocabulary.ts";
import type { ChartMachine, ChartState } from "../../checker/chart-machine.ts";
import type { LeaderState } from "./leader-part.ts";
import type { LearnerState } from "./learner-part.ts";
import type { DiskState, RecoveryChart } from "./model-disk.ts";
import type { Slot } from "./outputs.ts";
import type { ZabParts } from "./parts.ts";
import type { DownPacket, UpPacket } from "./values.ts";

export interface ServerState {
  readonly self: ServerId;
  readonly peer: ChartState;
  readonly disk: DiskState;
  /** What is applied; empty while a leader's snapshot replaces it. */
  readonly tree: History;
  readonly window: History;
  /** Where an empty tree stands: at the beginning, or nowhere (NO_ZXID) on a disk that has lost everything. */
  readonly emptyAt: Zxid;
  readonly lastLogged: Zxid;
  readonly durableUpTo: Zxid;
  readonly settling: boolean;
  readonly uncommitted: History;
  readonly receivedSnapshot: Zxid | null;
  readonly leader: LeaderState | null;
  readonly learner: LearnerState | null;
  /** It has stopped, because of something that must not happen. */
  readonly stopped: boolean;
}

/** What happens to one server. */
export type ServerEvent =
  | { readonly type: "START" }
  | { readonly type: "ELECTED"; readonly leader: ServerId }
  | { readonly type: "CONNECTED" | "CONNECT_FAILED" | "LEADER_GONE" }
  | { readonly type: "ACCEPT" | "LEARNER_GONE"; readonly from: ServerId; readonly slot: Slot }
  /** The learner's connection has the other slot now. */
  | { readonly type: "RENUMBERED"; readonly from: ServerId }
  | { readonly type: "FROM_LEADER"; readonly packet: DownPacket }
  | { readonly type: "FROM_LEARNER"; readonly from: ServerId; readonly slot: Slot; readonly packet: UpPacket }
  | { readonly type: "LOG_SYNCED" | "APPEND_LOST" | "EPOCH_WRITTEN" | "TRUNCATED" | "SNAPSHOT_STEP" }
  | { readonly type: "PROPOSE"; readonly value: number }
  | { readonly type: "QUORUM_CHECK" | "INIT_LIMIT" }
  | { readonly type: "CRASH"; readonly kept: number }
  /** It comes back with an empty directory. */
  | { readonly type: "WIPE" };

/** Shared by all servers of a model. */
export interface Charts {
  readonly peer: ChartMachine<typeof peerMachine, PeerEffect>;
  readonly handler: ChartMachine<typeof learnerHandlerMachine, LearnerHandlerEffect>;
  readonly recovery: RecoveryChart;
}

export interface MemberSetting {
  readonly parts: ZabParts;
  readonly charts: Charts;
  readonly quorum: QuorumConfig;
  readonly committedLogLimit: number;
}
