/**
 * ZooKeeper's protocol specification (Zab.tla in apache/zookeeper) as a function from a state to its successors. The
 * actions have the specification's names, in zab-election.ts, zab-recovery.ts and zab-broadcast.ts.
 *
 * Where the specification writes a disjunction whose branches can hold together, TLC generates the successor once for
 * each. The actions here emit it as often, so that the numbers of generated states are equal too.
 */

import type { EmitSuccessor, Words } from "../model.ts";
import {
  followerProcessCOMMIT,
  followerProcessPROPOSE,
  leaderBroadcastPROPOSE,
  leaderProcessACK,
  leaderProcessRequest,
} from "./zab-broadcast.ts";
import { followLeader, restart, timeout, updateLeader } from "./zab-election.ts";
import { FOLLOWING, LEADING, LOOKING, Violated } from "./zab-layout.ts";
import {
  connectAndFollowerSendCEPOCH,
  followerProcessCOMMITLD,
  followerProcessNEWEPOCH,
  followerProcessNEWLEADER,
  leaderProcessACKEPOCH,
  leaderProcessACKLD,
  leaderProcessCEPOCH,
} from "./zab-recovery.ts";
import { INIT_PC, type ZabStep } from "./zab-step.ts";
import { MessageType } from "./zab-values.ts";

export function initialState({ at, values, bounds }: ZabStep): Words {
  const { servers } = bounds;
  const words = new Int32Array(at.width);
  words.fill(values.emptyHistory, at.history, at.history + servers);
  words.fill(values.noAckEpochs(servers), at.ackeRecv, at.ackeRecv + servers);
  words.fill(values.emptyChannel, at.msgs, at.msgs + servers * servers);
  words[at.proposalMsgsLog] = values.noProposals;
  words[at.pc] = INIT_PC;
  return words;
}

export function successors(z: ZabStep, now: Words, emit: EmitSuccessor): void {
  z.now = now;
  z.emit = emit;
  const { servers } = z.bounds;
  for (let i = 0; i < servers; i++) {
    const state = now[z.at.state + i] as number;
    if (state === LOOKING) {
      updateLeader(z, i);
      followLeader(z, i);
    } else if (state === LEADING) {
      leaderProcessRequest(z, i);
      leaderBroadcastPROPOSE(z, i);
    }
    restart(z, i);
    for (let j = 0; j < servers; j++) {
      if (j === i) continue;
      if (state === LEADING) {
        timeout(z, i, j);
        connectAndFollowerSendCEPOCH(z, i, j);
      }
      receive(z, i, j, state);
    }
  }
}

/** Server i takes the oldest message from j: its type decides the one action that can. */
function receive(z: ZabStep, i: number, j: number, state: number): void {
  const head = z.values.head(z.channel(j, i));
  if (head === -1) return;
  const { type, mark, data, history } = z.values.messageAt(head);
  if (state === LEADING && ((z.now[z.at.learners + i] as number) & (1 << j)) !== 0) {
    if (type === MessageType.CEPOCH) return leaderProcessCEPOCH(z, i, j, mark);
    if (type === MessageType.ACKEPOCH) return leaderProcessACKEPOCH(z, i, j, mark, history);
    if (type === MessageType.ACKLD) return leaderProcessACKLD(z, i, j, mark);
    if (type === MessageType.ACK) return leaderProcessACK(z, i, j, mark);
  }
  if (state === FOLLOWING && z.now[z.at.connectInfo + i] === j + 1) {
    if (type === MessageType.NEWEPOCH) return followerProcessNEWEPOCH(z, i, j, mark);
    if (type === MessageType.NEWLEADER) return followerProcessNEWLEADER(z, i, j, mark, history);
    if (type === MessageType.COMMITLD) return followerProcessCOMMITLD(z, i, j, mark);
    if (type === MessageType.PROPOSE) return followerProcessPROPOSE(z, i, j, mark, data);
    if (type === MessageType.COMMIT) return followerProcessCOMMIT(z, i, j, mark);
  }
  filterNonexistentMessage(z, i, j);
}

/** A message that no action takes: it must not exist. */
function filterNonexistentMessage(z: ZabStep, i: number, j: number): void {
  z.begin();
  z.discard(j, i);
  z.flag(Violated.messageIllegal);
  z.stepUnrecorded("FilterNonexistentMessage", i, j);
}
