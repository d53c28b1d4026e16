import { expect, test } from "vitest";
import type { ServerId } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../protocol/jute-writer.ts";
import { writeInitialMessage } from "../protocol/notification.ts";
import { ElectionChannels } from "./election-channels.ts";

const LIMIT_MS = 1000;

function channels(self: number) {
  const done: string[] = [];
  const clock = { ms: 0 };
  const members = [1, 2, 3].map((id) => ({ id: id as ServerId, host: `s${id}`, electionPort: 3888 }));
  const it = new ElectionChannels(members[self - 1]!, members, {
    report: () => {},
    introductionLimitMs: LIMIT_MS,
    nowMs: () => clock.ms,
    connect: () => 100,
    write: () => {},
    close: (socket) => done.push(`close ${socket}`),
    destroy: (socket) => done.push(`destroy ${socket}`),
    notified: () => {},
    up: (peer) => done.push(`up ${peer}`),
    down: (peer) => done.push(`down ${peer}`),
  });
  return { it, done, clock };
}

function introduction(sid: number): Buffer {
  const writer = new JuteWriter();
  writeInitialMessage(writer, { sid: sid as ServerId, addresses: [`s${sid}:3888`] });
  return writer.take();
}

test("a stranger who does not say who it is must go", () => {
  const { it, done, clock } = channels(2);
  it.accepted(1);
  clock.ms = LIMIT_MS;
  it.accepted(3);
  it.tick();
  expect(done).toEqual([]);
  clock.ms = LIMIT_MS + 1;
  it.tick();
  it.tick();
  expect(done).toEqual(["destroy 1"]);
  // Nor does it help to begin and not to end.
  it.data(3, introduction(3).subarray(0, 10));
  clock.ms = 3 * LIMIT_MS;
  it.tick();
  expect(done).toEqual(["destroy 1", "destroy 3"]);
});

test("a member that has introduced itself may be silent for ever", () => {
  const { it, done, clock } = channels(2);
  it.accepted(1);
  it.data(1, introduction(3));
  clock.ms = 100 * LIMIT_MS;
  it.tick();
  expect(done).toEqual(["up 3"]);
});
