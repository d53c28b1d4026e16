import { expect, test } from "vitest";
import type { ServerId, Zxid } from "../../spec/vocabulary.ts";
import { LeadershipProof, type PingedLink } from "./leadership-proof.ts";

const at = (zxid: number) => zxid as Zxid;

function proof(voters: number) {
  const links: PingedLink[] = [];
  for (let sid = 2; sid <= voters; sid++) links.push({ sid: sid as ServerId, pingsSent: 0, pingsAnswered: 0 });
  const config = { voters: Array.from({ length: voters }, (_, i) => (i + 1) as ServerId) };
  const completed: string[] = [];
  const it = new LeadershipProof(
    1 as ServerId,
    config,
    () => links,
    (link) => {
      link.pingsSent++;
    },
  );
  return {
    it,
    links,
    completed,
    answer: (index: number, committed = 0) => {
      const link = links[index] as PingedLink;
      link.pingsAnswered++;
      it.progress(at(committed));
    },
    sync: (name: string, after = 0, committed = 0) => it.await(at(after), at(committed), () => completed.push(name)),
  };
}

test("alone, a server needs nobody's word", () => {
  const { sync, completed } = proof(1);
  sync("a");
  sync("b");
  expect(completed).toEqual(["a", "b"]);
});

// ZOOKEEPER-1675: a deposed leader that does not know it yet answers a sync, and the read after it misses a committed write.
test("a sync waits until a quorum has answered a ping that was sent after it", () => {
  const { sync, answer, completed, links } = proof(3);
  (links[0] as PingedLink).pingsSent = 1; // a ping from before the sync, not answered yet
  sync("a");
  expect(completed).toEqual([]);
  answer(0);
  expect(completed).toEqual([]);
  answer(0);
  expect(completed).toEqual(["a"]);
});

test("a sync that arrives during a round waits for the next one", () => {
  const { sync, answer, completed } = proof(3);
  sync("a");
  sync("b");
  answer(0);
  expect(completed).toEqual(["a"]);
  answer(0);
  expect(completed).toEqual(["a", "b"]);
});

test("a sync waits for the writes before it", () => {
  const { it, sync, answer, completed } = proof(3);
  sync("a", 7, 5);
  answer(0, 5);
  expect(completed).toEqual([]);
  it.progress(at(7));
  expect(completed).toEqual(["a"]);
});

test("syncs complete in the order they came", () => {
  const { it, sync, answer, completed } = proof(3);
  sync("late", 9, 5);
  sync("early", 5, 5);
  answer(0, 5);
  answer(0, 5);
  expect(completed).toEqual([]);
  it.progress(at(9));
  expect(completed).toEqual(["late", "early"]);
});

test("a learner that joins during the round counts from its next ping on", () => {
  const { it, sync, answer, completed, links } = proof(3);
  const [, third] = links.splice(0);
  sync("a");
  links.push(third as PingedLink);
  (third as PingedLink).pingsSent++;
  it.pinged(third as PingedLink);
  answer(0);
  expect(completed).toEqual(["a"]);
});
