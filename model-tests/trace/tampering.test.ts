import { beforeAll, describe, expect, test } from "vitest";
import { World } from "../simulator/world.ts";
import { checkTraces, type TraceSource } from "./check.ts";
import { TraceRecorder } from "./recorder.ts";
import { disk, packet, step, Tampered, txn } from "./tampering.ts";
import { RULES, type Rule, type Violation } from "./violation.ts";

/** Three servers, one of which leads; twenty writes, one after the other. */
let recorded: readonly TraceSource[];

beforeAll(async () => {
  const recorder = new TraceRecorder();
  const world = new World({ seed: 4, servers: 3, tickTimeMs: 200, traced: recorder.traced });
  world.start();
  const zk = world.client();
  await world.until(() => world.serving().length === 3, 10_000);
  for (let i = 0; i < 20; i++) await world.get(zk.create(`/n${i}`));
  await world.get(zk.close());
  await world.run(1000);
  recorded = recorder.sources();
}, 60_000);

interface Scene {
  readonly leader: Tampered;
  readonly follower: Tampered;
  readonly other: Tampered;
  /** A write in the middle. */
  readonly zxid: number;
}

function scene(): Scene {
  const traces = recorded.map((source) => new Tampered(source));
  const leads = (trace: Tampered) => trace.lines.some((line) => line[1] === "step" && line[5] === "leading.broadcast");
  const leader = traces.find(leads) as Tampered;
  const [follower, other] = traces.filter((trace) => trace !== leader) as [Tampered, Tampered];
  return { leader, follower, other, zxid: 2 ** 32 + 11 };
}

function verdict({ leader, follower, other }: Scene, ...more: readonly TraceSource[]): Violation | null {
  return checkTraces([leader.source(), follower.source(), other.source(), ...more]).violation;
}

test("what was recorded is accepted, and the tampering tools change nothing by themselves", () => {
  expect(checkTraces(recorded)).toMatchObject({ servers: 3, lives: 3, violation: null });
  expect(verdict(scene())).toBeNull();
});

/** What was done to the traces, the rule that gives it away, and how. */
type Tampering = readonly [story: string, rule: Rule, tamper: (scene: Scene) => readonly TraceSource[] | undefined];

const TAMPERINGS: readonly Tampering[] = [
  [
    "an ack leaves before the fsync that covers it",
    "durable-before-ack",
    ({ follower, zxid }) => {
      follower.move(follower.find(packet("out", "ACK", zxid)), follower.find(disk("LOG_APPENDED", zxid)));
    },
  ],
  [
    "the fsync never happens",
    "durable-before-ack",
    ({ follower, zxid }) => {
      follower.remove(follower.find(disk("LOG_APPENDED", zxid)));
    },
  ],
  [
    "a commit without any follower's ack",
    "quorum",
    ({ leader, zxid }) => {
      leader.removeAll((line) => packet("in", "ACK")(line) && (line[4] as number) >= zxid);
    },
  ],
  [
    "a commit on one follower's ack alone, before the leader's own fsync",
    "quorum",
    ({ leader, zxid }) => {
      leader.remove(leader.find(disk("LOG_APPENDED", zxid)));
      leader.remove(leader.last(packet("in", "ACK", zxid)));
    },
  ],
  [
    "an ack that its follower never sent",
    "sent",
    ({ follower, zxid }) => {
      follower.remove(follower.find(packet("out", "ACK", zxid)));
    },
  ],
  [
    "a commit that its leader never sent",
    "sent",
    ({ leader, zxid }) => {
      leader.removeAll(packet("out", "COMMIT", zxid));
    },
  ],
  [
    "commits in the wrong order",
    "zxid-order",
    ({ leader, zxid }) => {
      const link = leader.lines[leader.find(packet("out", "COMMIT", zxid))]?.[2];
      const on = (at: number) => (line: readonly unknown[]) => line[1] === "out" && line[2] === link && line[4] === at;
      const next = leader.lines.findIndex((line) => line[3] === "COMMIT" && on(zxid + 1)(line));
      leader.move(
        leader.lines.findIndex((line) => line[3] === "COMMIT" && on(zxid)(line)),
        next + 1,
      );
    },
  ],
  [
    "a txn that is never applied",
    "zxid-order",
    ({ follower, zxid }) => {
      follower.remove(follower.find(txn("apply", zxid)));
    },
  ],
  [
    "a txn that is never logged",
    "zxid-order",
    ({ follower, zxid }) => {
      follower.remove(follower.find(txn("log", zxid)));
    },
  ],
  [
    "a follower applies before its leader commits",
    "commit-known",
    ({ follower, zxid }) => {
      follower.move(follower.find(txn("apply", zxid)), follower.find(packet("in", "COMMIT", zxid)));
    },
  ],
  [
    "ACKEPOCH leaves before acceptedEpoch is written",
    "epoch-before-ack",
    ({ follower }) => {
      follower.move(follower.find(packet("out", "ACKEPOCH")), follower.find(disk("EPOCH_WRITTEN", "acceptedEpoch")));
    },
  ],
  [
    "NEWLEADER is acknowledged before currentEpoch is written",
    "epoch-before-ack",
    ({ follower }) => {
      follower.move(follower.find(packet("out", "ACK", 2 ** 32)), follower.find(disk("EPOCH_WRITTEN", "currentEpoch")));
    },
  ],
  [
    "an epoch file is never written",
    "caused",
    ({ follower }) => {
      follower.remove(follower.find(disk("EPOCH_WRITTEN", "currentEpoch")));
    },
  ],
  [
    "a learner that never introduced itself has joined",
    "caused",
    ({ leader }) => {
      const event = { type: "LEARNER_JOINED", from: 9, voter: true, acceptedEpoch: 0 };
      leader.change(leader.find(step("peer", "LEARNER_JOINED")), 4, event);
    },
  ],
  [
    "a step of recovery is missing",
    "chart-from",
    ({ follower }) => {
      follower.remove(follower.find(step("recovery", "LISTED")));
    },
  ],
  [
    "the step out of a phase is missing",
    "caused",
    ({ follower }) => {
      follower.remove(follower.find(step("peer", "HISTORY_LOGGED")));
    },
  ],
  [
    "a phase is skipped",
    "chart-step",
    ({ follower }) => {
      const at = follower.find(step("peer", "NEWLEADER"));
      follower.change(at, 5, "following.broadcast");
      follower.lines.splice(at + 1, follower.find(step("peer", "UPTODATE")) - at);
    },
  ],
  [
    "an election decided for somebody else",
    "chart-step",
    ({ follower }) => {
      const at = follower.find(step("peer", "ELECTED"));
      const [, chart, from, event] = (follower.lines[at] as readonly unknown[]).slice(1);
      follower.change(at, 5, "leading.discovery.awaitingFollowers");
      follower.change(at, 4, event);
      expect([chart, from]).toEqual(["peer", "looking"]);
    },
  ],
  [
    "an epoch is accepted that the leader has not named",
    "acted-on",
    ({ follower }) => {
      follower.change(follower.find(step("peer", "LEADERINFO")), 4, { type: "LEADERINFO", epoch: 2 });
    },
  ],
  [
    "a packet is passed over",
    "acted-on",
    ({ follower }) => {
      follower.remove(follower.find(step("peer", "NEWLEADER")));
    },
  ],
  [
    "proposals arrive before the plan",
    "acted-on",
    ({ follower, zxid }) => {
      follower.move(follower.find(packet("in", "PROPOSAL", zxid)), follower.find(packet("in", "DIFF")));
    },
  ],
  [
    "a looking server logs",
    "admitted",
    ({ follower, zxid }) => {
      follower.move(follower.find(txn("log", zxid)), follower.find(step("peer", "ELECTED")));
    },
  ],
  [
    "a request is forwarded before the broadcast phase",
    "admitted",
    ({ follower }) => {
      follower.insert(follower.find(packet("in", "NEWLEADER")), "out", "leader", "REQUEST", -1);
    },
  ],
  [
    "NEWLEADER is not sent",
    "asked-for",
    ({ leader }) => {
      leader.remove(leader.find(packet("out", "NEWLEADER")));
    },
  ],
  [
    "UPTODATE is sent twice",
    "asked-for",
    ({ leader }) => {
      const at = leader.find(packet("out", "UPTODATE"));
      leader.insert(at, ...(leader.lines[at] as readonly unknown[]).slice(1));
    },
  ],
  [
    "a vote that the chart did not cast",
    "asked-for",
    ({ follower }) => {
      follower.change(
        follower.find((line) => line[1] === "vote"),
        4,
        7,
      );
    },
  ],
  [
    "a second leader of the epoch",
    "one-leader",
    ({ leader }) => {
      const { lines } = leader.source();
      return [{ file: "again.trace", lines }];
    },
  ],
  [
    "an event that no state lists",
    "expected",
    ({ follower }) => {
      follower.insert(follower.find(packet("in", "NEWLEADER")), "unexpected", "peer", "looking", "NEWLEADER");
    },
  ],
  [
    "LOG_APPENDED before the disk has answered",
    "disk-answered",
    ({ follower, zxid }) => {
      const told = follower.find(disk("LOG_APPENDED", zxid));
      const answer = follower.lines.findLastIndex((line, index) => index < told && line[1] === "done");
      follower.move(answer, told + 1);
    },
  ],
  [
    "a group of the log that is written and not fsynced",
    "disk-answered",
    ({ follower, zxid }) => {
      const write = follower.find((line) => line[1] === "ask", follower.find(txn("log", zxid)));
      follower.change(write, 5, false);
    },
  ],
  [
    "an epoch is told of before its file has its name",
    "disk-answered",
    ({ follower }) => {
      const written = follower.find(disk("EPOCH_WRITTEN", "acceptedEpoch"));
      const rename = follower.lines.findLastIndex((line, index) => index < written && line[1] === "ask");
      follower.change(rename, 4, "snap/elsewhere");
      follower.change(rename, 3, "disk.write");
    },
  ],
  [
    "a line of another kind",
    "readable",
    ({ follower }) => {
      follower.insert(9, "guess", 7);
    },
  ],
];

describe("tampered traces are refused", () => {
  test.each(TAMPERINGS.map(([story, rule, tamper]) => ({ story, rule, tamper })))(
    "$story: $rule",
    ({ rule, tamper }) => {
      const tampered = scene();
      const more = tamper(tampered) ?? [];
      const violation = verdict(tampered, ...more);
      expect(violation).toMatchObject({ rule });
      expect(violation?.line).toBeGreaterThan(1);
      expect(violation?.found).not.toBe(violation?.expected);
    },
  );

  test("a line removed, and the others left as they are: numbered", () => {
    const [first, ...others] = recorded as [TraceSource, ...TraceSource[]];
    const lines = [...first.lines];
    lines.splice(40, 1);
    expect(checkTraces([{ file: first.file, lines }, ...others]).violation).toEqual({
      rule: "numbered",
      file: first.file,
      line: 41,
      found: "line 42",
      expected: "line 41",
    });
  });

  test("and every rule has caught one", () => {
    const caught = new Set<string>(["numbered", ...TAMPERINGS.map(([, rule]) => rule)]);
    expect(Object.keys(RULES).filter((rule) => !caught.has(rule))).toEqual([]);
  });
});
