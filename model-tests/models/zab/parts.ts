/**
 * What a Zab model is built from. Production's charts and cores, and the model's own disk and wiring; a mutant replaces one
 * of them.
 */

import { learnerHandlerMachine } from "../../../spec/ensemble/learner-handler.machine.ts";
import { peerMachine } from "../../../spec/peer/peer.machine.ts";
import { recoveryMachine } from "../../../spec/storage/recovery.machine.ts";
import { CommittedLog } from "../../../src/ensemble/committed-log.ts";
import { HistorySender } from "../../../src/ensemble/history-sender.ts";
import { LeaderBroadcast } from "../../../src/ensemble/leader-broadcast.ts";
import { LearnerBroadcast } from "../../../src/ensemble/learner-broadcast.ts";
import { LearnerHistory } from "../../../src/ensemble/learner-history.ts";
import { LeaderPart, LearnerLink } from "./leader-part.ts";
import { LearnerPart } from "./learner-part.ts";
import { Member } from "./member.ts";
import { ModelDisk } from "./model-disk.ts";

export const PRODUCTION = {
  peer: peerMachine,
  handler: learnerHandlerMachine,
  recovery: recoveryMachine,
  LeaderBroadcast,
  LearnerHistory,
  LearnerBroadcast,
  HistorySender,
  CommittedLog,
  Disk: ModelDisk,
  Member,
  LeaderPart,
  LearnerLink,
  LearnerPart,
};

export type ZabParts = typeof PRODUCTION;
