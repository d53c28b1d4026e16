import fc from "fast-check";
import { expect, test } from "vitest";
import { canLead, commitPoint, containsQuorum, isQuorum, type QuorumConfig } from "./quorum.ts";
import { makeZxid, NO_ZXID, type ServerId, type Zxid } from "./vocabulary.ts";

const ids = (...numbers: number[]) => numbers as ServerId[];

/** Three groups of three; server 9 weighs nothing. */
const grouped: QuorumConfig = {
  voters: ids(1, 2, 3, 4, 5, 6, 7, 8, 9),
  groups: [ids(1, 2, 3), ids(4, 5, 6), ids(7, 8, 9)],
  weights: { 9: 0 },
};

test("a majority is more than half of the voters, others do not count", () => {
  const config = { voters: ids(1, 2, 3, 4) };
  expect(containsQuorum(config, ids(1, 2, 9, 10))).toBe(false);
  expect(containsQuorum(config, ids(1, 2, 3))).toBe(true);
});

test("a hierarchical quorum is more than half of the weight in more than half of the groups", () => {
  expect(containsQuorum(grouped, ids(1, 2, 4, 5))).toBe(true);
  expect(containsQuorum(grouped, ids(1, 2, 3, 4, 7))).toBe(false);
  expect(containsQuorum(grouped, ids(1, 2, 7, 9))).toBe(false);
});

test("a server without weight cannot lead", () => {
  expect(canLead(grouped, 9 as ServerId)).toBe(false);
  expect(canLead(grouped, 8 as ServerId)).toBe(true);
});

test("a group without weight is no group", () => {
  const config = { voters: ids(1, 2, 3), groups: [ids(1, 2), ids(3)], weights: { 3: 0 } };
  expect(containsQuorum(config, ids(1, 2))).toBe(true);
});

test("any two quorums of one configuration share a server", () => {
  const configs = [{ voters: ids(1, 2, 3, 4, 5) }, grouped];
  const members = fc.uniqueArray(fc.integer({ min: 1, max: 9 }));
  fc.assert(
    fc.property(fc.constantFrom(...configs), members, members, (config, a, b) => {
      if (!containsQuorum(config, ids(...a)) || !containsQuorum(config, ids(...b))) return;
      expect(a.some((id) => b.includes(id) && config.voters.includes(id as ServerId))).toBe(true);
    }),
  );
});

test("the commit point is the highest zxid that a quorum has reached", () => {
  const zxid = fc.integer({ min: 0, max: 4 }).map((counter) => makeZxid(1, counter));
  const positions = fc.dictionary(fc.constantFrom("1", "2", "3", "4", "5", "6", "7", "8", "9"), zxid);
  fc.assert(
    fc.property(
      fc.constantFrom({ voters: ids(1, 2, 3, 4, 5) }, grouped),
      positions,
      (config: QuorumConfig, reached) => {
        const position = (id: ServerId): Zxid | undefined => reached[String(id)];
        const candidates = [NO_ZXID, ...config.voters.map((id) => position(id) ?? NO_ZXID)];
        const expected = candidates
          .filter(
            (candidate) => candidate === NO_ZXID || isQuorum(config, (id) => (position(id) ?? NO_ZXID) >= candidate),
          )
          .reduce((a, b) => (a > b ? a : b));
        expect(commitPoint(config, position)).toBe(expected);
      },
    ),
  );
});
