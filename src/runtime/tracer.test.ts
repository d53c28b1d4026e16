import { expect, test } from "vitest";
import type { Epoch, ServerId, Zxid } from "../../spec/vocabulary.ts";
import { Tracer } from "./tracer.ts";

function traced(act: (tracer: Tracer) => void): unknown[] {
  const lines: string[] = [];
  act(new Tracer((line) => lines.push(line)));
  expect(lines.every((line) => line.endsWith("\n"))).toBe(true);
  return lines.map((line) => JSON.parse(line) as unknown);
}

test("lines are numbered JSON arrays", () => {
  expect(
    traced((tracer) => {
      tracer.logged(7 as Zxid);
      tracer.applied(7 as Zxid);
      tracer.persisted("EPOCH_WRITTEN", "currentEpoch", 2);
      tracer.ended();
    }),
  ).toEqual([
    [1, "log", 7],
    [2, "apply", 7],
    [3, "disk", "EPOCH_WRITTEN", "currentEpoch", 2],
    [4, "end"],
  ]);
});

test("a step carries its whole event", () => {
  const event = { type: "LEADER_LOST", reason: 'said "no"\n' };
  expect(traced((tracer) => tracer.step("peer", "following.broadcast", event, "settling", 12.34))).toEqual([
    [1, "step", "peer", "following.broadcast", event, "settling", 12.3],
  ]);
});

test("packets name their link, votes their receiver", () => {
  const vote = { leader: 3 as ServerId, zxid: -1 as Zxid, electionEpoch: 4, peerEpoch: 1 as Epoch };
  expect(
    traced((tracer) => {
      const link = tracer.link("learner.5");
      link.received("ACK", 4294967297);
      link.sent("COMMIT", 4294967297);
      tracer.voted(2, "LOOKING", vote);
    }),
  ).toEqual([
    [1, "in", "learner.5", "ACK", 4294967297],
    [2, "out", "learner.5", "COMMIT", 4294967297],
    [3, "vote", 2, "LOOKING", 3, -1, 4, 1],
  ]);
});
