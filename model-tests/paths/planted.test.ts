/**
 * What the generated tests are worth: chart, guard or core is changed on one side, and the other must be found to differ. (A
 * chart that is changed for both sides alike is the model checker's business: see `npm run check:mutants`.)
 */
import { afterEach, describe, expect, test, vi } from "vitest";
import type { AnyStateMachine } from "xstate";
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import { makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import { LeaderConnection } from "../../src/ensemble/leader-connection.ts";
import { EpochFiles } from "../../src/storage/epoch-files.ts";
import { CHARTS_UNDER_TEST, settingOf } from "./charts-under-test.ts";
import { cover } from "./cover.ts";

function firstMismatch(id: string, setting: string, machine?: AnyStateMachine): string | undefined {
  const chart = CHARTS_UNDER_TEST.find((it) => it.machine.id === id);
  if (chart === undefined) throw new Error(`There is no chart ${id}.`);
  const options = { first: true, ...(machine === undefined ? {} : { machine }) };
  return cover(chart, [settingOf(chart, setting)], options).mismatches[0];
}

vi.setConfig({ testTimeout: 120_000 });

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a changed guard", () => {
  test("a learner that would take an epoch older than its promise", () => {
    const machine = peerMachine.provide({ guards: { newerEpoch: () => true } });
    expect(firstMismatch("peer", "a voter of three", machine)).toContain("LEADERINFO");
  });

  test("a leader that would count the promise of a server with an empty disk", () => {
    const machine = peerMachine.provide({
      guards: { epochAckedByQuorum: ({ event }) => event.type === "EPOCH_ACKED" && event.currentEpoch !== -1 },
    });
    expect(firstMismatch("peer", "a voter of three", machine)).toContain("EPOCH_ACKED");
  });
});

describe("a changed core", () => {
  test("ACKEPOCH that shows another history than the disk's", () => {
    const send = LeaderConnection.prototype.ackEpoch;
    vi.spyOn(LeaderConnection.prototype, "ackEpoch").mockImplementation(function (this: LeaderConnection, epoch, zxid) {
      send.call(this, epoch, (zxid - 1) as Zxid);
    });
    expect(firstMismatch("peer", "a voter of three")).toContain("ACKEPOCH");
  });

  test("an ack of another zxid than was logged", () => {
    const ack = LeaderConnection.prototype.ack;
    vi.spyOn(LeaderConnection.prototype, "ack").mockImplementation(function (this: LeaderConnection, zxid) {
      ack.call(this, zxid === makeZxid(3, 0) ? zxid : ((zxid + 1) as Zxid));
    });
    expect(firstMismatch("peer", "a voter of three")).toContain("ACK");
  });

  test("an epoch that is told before it is on disk", () => {
    vi.spyOn(EpochFiles.prototype, "write").mockImplementation((_kind, _epoch, done) => done());
    expect(firstMismatch("peer", "a voter of three")).toBeDefined();
  });
});
