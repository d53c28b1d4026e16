import { describe, expect, test } from "vitest";
import { makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import { LearnerBroadcast } from "./learner-broadcast.ts";
import { LearnerHistory } from "./learner-history.ts";

const z = (counter: number, epoch = 1) => makeZxid(epoch, counter);
const ENTRY = Buffer.from("entry");
const short = (zxid: Zxid) => zxid % 2 ** 32;

function history(lastLogged = z(0)) {
  const out: string[] = [];
  const it = new LearnerHistory({
    lastLogged,
    log: (zxid) => out.push(`log ${short(zxid)}`),
    deliver: (zxid) => out.push(`deliver ${short(zxid)}`),
    logged: () => out.push("logged"),
    broken: (reason) => out.push(reason),
  });
  return { it, out: () => out.splice(0) };
}

describe("the history of a synchronization", () => {
  test("is neither logged nor applied before NEWLEADER", () => {
    const { it, out } = history();
    it.proposal(z(1), ENTRY);
    it.commit(z(1));
    expect(out()).toEqual([]);
    it.logCommitted();
    expect(out()).toEqual(["log 1", "deliver 1"]);
    it.appended(z(1));
    expect(out()).toEqual(["logged"]);
  });

  // ZOOKEEPER-4394: what is not committed must be found by the COMMIT that follows NEWLEADER.
  test("keeps uncommitted proposals out of the log, and their commits in mind", () => {
    const { it, out } = history();
    it.proposal(z(1), ENTRY);
    it.commit(z(1));
    it.proposal(z(2), ENTRY);
    it.logCommitted();
    it.appended(z(1));
    expect(out()).toEqual(["log 1", "deliver 1", "logged"]);
    it.commit(z(2));
    it.proposal(z(3), ENTRY);
    expect(it.takeRest()).toMatchObject({ entries: [{ zxid: z(2) }, { zxid: z(3) }], committed: 1 });
  });

  test("has nothing to wait for when it is empty", () => {
    const { it, out } = history();
    it.logCommitted();
    expect(out()).toEqual(["logged"]);
  });

  // ZOOKEEPER-3104, spec issue 2: a proposal under way at the cut comes with the history and again as a live one.
  test("takes the same proposal twice without harm", () => {
    const { it, out } = history();
    it.proposal(z(1), ENTRY);
    it.commit(z(1));
    it.proposal(z(1), ENTRY);
    it.commit(z(1));
    it.logCommitted();
    expect(out()).toEqual(["log 1", "deliver 1"]);
  });

  test("refuses a gap, and a commit out of order", () => {
    const gap = history();
    gap.it.proposal(z(2), ENTRY);
    expect(gap.out()).toEqual(["proposal 0x100000002 does not follow 0x100000000"]);
    const order = history();
    order.it.proposal(z(1), ENTRY);
    order.it.proposal(z(2), ENTRY);
    order.it.commit(z(2));
    expect(order.out()).toEqual(["commit of 0x100000002 where 0x100000001 is next"]);
  });

  test("may go on in a later epoch, from its first txn", () => {
    const { it, out } = history(z(7));
    it.inform(z(1, 3), ENTRY);
    it.logCommitted();
    expect(out()).toEqual(["log 1", "deliver 1"]);
  });
});

function broadcast() {
  const out: string[] = [];
  const it = new LearnerBroadcast({
    log: (zxid) => out.push(`log ${short(zxid)}`),
    deliver: (zxid) => out.push(`deliver ${short(zxid)}`),
    ack: (zxid) => out.push(`ack ${short(zxid)}`),
    broken: (reason) => out.push(reason),
  });
  return { it, out: () => out.splice(0) };
}

describe("a learner's broadcast phase", () => {
  test("acknowledges a proposal only when it is durable, each one", () => {
    const { it, out } = broadcast();
    for (const counter of [1, 2, 3]) it.proposal(z(counter), ENTRY);
    expect(out()).toEqual(["log 1", "log 2", "log 3"]);
    it.appended(z(2));
    expect(out()).toEqual(["ack 1", "ack 2"]);
  });

  test("applies a commit even before its own disk has the proposal: a quorum has it", () => {
    const { it, out } = broadcast();
    it.proposal(z(1), ENTRY);
    it.commit(z(1));
    expect(out()).toEqual(["log 1", "deliver 1"]);
    it.appended(z(1));
    expect(out()).toEqual(["ack 1"]);
  });

  test("breaks off when a proposal is missing, and does not log what follows it", () => {
    const { it, out } = broadcast();
    it.proposal(z(1), ENTRY);
    it.proposal(z(3), ENTRY);
    expect(out()).toEqual(["log 1", "proposal 0x100000003 does not follow 0x100000001"]);
  });

  test("breaks off when commits and proposals disagree", () => {
    const { it, out } = broadcast();
    it.proposal(z(1), ENTRY);
    it.proposal(z(2), ENTRY);
    out();
    it.commit(z(2));
    expect(out()).toEqual(["commit of 0x100000002 where 0x100000001 is next"]);
  });

  test("hands over what is logged and not committed when the role ends", () => {
    const { it } = broadcast();
    for (const counter of [1, 2, 3]) it.proposal(z(counter), ENTRY);
    it.commit(z(1));
    expect(it.takeUncommitted().map(({ zxid }) => short(zxid))).toEqual([2, 3]);
  });
});
