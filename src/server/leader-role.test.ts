import { expect, test } from "vitest";
import type { Epoch, ServerId, Zxid } from "../../spec/vocabulary.ts";
import { CommittedLog } from "../ensemble/committed-log.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { PacketType, writeQuorumPacket } from "../protocol/quorum-packet.ts";
import { LearnerInfo } from "../protocol/records.ts";
import { ServerCounters } from "../runtime/counters.ts";
import { Database } from "../tree/database.ts";
import type { Effects } from "./io.ts";
import { LeaderRole, type LeaderRoleOptions } from "./leader-role.ts";

const INIT_LIMIT_MS = 20_000;
const SOCKET = 1;

function packet(type: number, zxid: number, data: Buffer): Buffer {
  const writer = new JuteWriter();
  writeQuorumPacket(writer, type, zxid, data);
  return writer.take();
}

/** A leader at zxid 5 that has begun to send its tree to an empty learner. */
function sendingSnapshot() {
  const database = new Database({ digest: false, extendedTypes: true });
  database.lastProcessedZxid = 5 as Zxid;
  const closed: number[] = [];
  let nowMs = 0;
  const role = new LeaderRole({
    self: 1 as ServerId,
    quorum: { voters: [1, 2, 3] as ServerId[] },
    tickTimeMs: 2000,
    initLimitMs: INIT_LIMIT_MS,
    syncLimitMs: 10_000,
    snapshotSizeFactorBytes: () => 0,
    configText: "",
    replica: { database, committedLog: new CommittedLog() },
    environment: { monotonicMs: () => nowMs },
    counters: new ServerCounters(0),
    report: () => {},
    peer: () => {},
    admits: () => false,
    destroy: (socket: number) => closed.push(socket),
    timer: () => {},
    unexpected: () => {},
    stepped: () => {},
    tracer: null,
  } as unknown as LeaderRoleOptions);
  const info = new JuteWriter();
  LearnerInfo.write(info, { serverid: 2 as ServerId, protocolVersion: 0x10000, configVersion: 0 });
  role.accepted(SOCKET);
  role.data(SOCKET, packet(PacketType.FOLLOWERINFO, 0, info.take()));
  role.announceEpoch(1 as Epoch);
  role.data(SOCKET, packet(PacketType.ACKEPOCH, 0, Buffer.alloc(4)));
  role.synchronize();
  const effects: Effects = [];
  role.flush(effects);
  return {
    role,
    effects,
    closed,
    passes: (ms: number) => {
      nowMs += ms;
    },
  };
}

test("a learner that takes a long snapshot is not taken for dead, although it says nothing", () => {
  const { role, effects, closed, passes } = sendingSnapshot();
  expect(effects.length).toBeGreaterThan(0);
  for (let i = 0; i < 3; i++) {
    passes(INIT_LIMIT_MS * 0.8);
    role.drained(SOCKET, effects);
    role.tick(false);
  }
  expect(closed).toEqual([]);
});

test("a learner that neither speaks nor takes anything is given up after initLimit", () => {
  const { role, closed, passes } = sendingSnapshot();
  passes(INIT_LIMIT_MS + 1);
  role.tick(false);
  expect(closed).toEqual([SOCKET]);
});
