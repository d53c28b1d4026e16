import { expect, test } from "vitest";
import type { Zxid } from "../../spec/vocabulary.ts";
import { CommittedLog } from "./committed-log.ts";
import { HistorySender } from "./history-sender.ts";

/** What the leader tells of a transfer to a learner that its window does not reach. */
function toldAbout(readLog: "missing" | "foreign" | "whole" | "lost"): string[] {
  const told: string[] = [];
  const link = { congested: false, hold: () => {}, sendBulk: () => {}, sendRaw: () => {} };
  const sender = new HistorySender(link, {
    committedLog: new CommittedLog(),
    lastProcessed: () => 9 as Zxid,
    readLog: (_from, _to, visitor) => {
      const zxids = { missing: [], foreign: [8, 9], whole: [7, 8, 9], lost: [7, 8] }[readLog];
      for (const zxid of zxids) if (!visitor.entry(zxid as Zxid, Buffer.alloc(0))) break;
      if (readLog !== "foreign") visitor.end(readLog === "whole");
      return { resume: () => {}, cancel: () => {} };
    },
    openSnapshot: () => ({ next: () => null, close: () => {} }),
    forward: () => {},
    sent: () => {},
    broken: () => told.push("broken"),
    later: () => {},
    told: (plan, upTo) => told.push(`${plan} ${upTo}`),
  });
  sender.start(7 as Zxid);
  return told;
}

test("a learner that is brought up from the log is told of as a DIFF", () => {
  expect(toldAbout("whole")).toEqual(["DIFF 9"]);
});

test("a learner for which the log is of no use is told of as a SNAP", () => {
  expect(toldAbout("missing")).toEqual(["SNAP 9"]);
  expect(toldAbout("foreign")).toEqual(["SNAP 9"]);
});

test("a learner that has been sent half a history must come again", () => {
  expect(toldAbout("lost")).toEqual(["DIFF 9", "broken"]);
});
