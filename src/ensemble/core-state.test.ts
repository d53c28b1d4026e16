/** The cores as plain data: put away and taken up again at any moment, they go on as if nothing had happened. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { makeZxid, type ServerId, type Zxid } from "../../spec/vocabulary.ts";
import type { Txn } from "../protocol/txn.ts";
import { type ForwardingLink, LeaderBroadcast } from "./leader-broadcast.ts";
import { LearnerBroadcast } from "./learner-broadcast.ts";
import { LearnerHistory } from "./learner-history.ts";

const zxid = (counter: number): Zxid => makeZxid(1, counter);
const entry = (counter: number): Buffer => Buffer.from([counter]);
const txn = {} as Txn;

type Step = readonly [name: string, counter: number];
const steps = (...names: string[]) =>
  fc.array(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 1, max: 6 })), { maxLength: 20 });

/** Runs the script twice, the second time with a fresh object resumed from the state before every step. */
function compare<T>(
  script: readonly Step[],
  core: (said: string[]) => T,
  renew: (old: T, fresh: T) => void,
  run: (core: T, step: Step) => void,
) {
  const plain: string[] = [];
  const kept = core(plain);
  for (const step of script) run(kept, step);
  const resumed: string[] = [];
  let current = core(resumed);
  for (const step of script) {
    const fresh = core(resumed);
    renew(current, fresh);
    current = fresh;
    run(current, step);
  }
  expect(resumed).toEqual(plain);
}

test("the leader's bookkeeping", () => {
  fc.assert(
    fc.property(steps("propose", "ack2", "ack3", "appended"), (script) => {
      const link = (sid: number, said: string[]): ForwardingLink => ({
        sid: sid as ServerId,
        kind: "participant",
        send: (type, at) => void said.push(`${sid} ${type} ${at}`),
      });
      const links = new Map<string[], ForwardingLink[]>();
      const linksOf = (said: string[]) => {
        const known = links.get(said) ?? [link(2, said), link(3, said)];
        links.set(said, known);
        return known;
      };
      const saidBy = new Map<LeaderBroadcast, string[]>();
      compare(
        script,
        (said) => {
          const core = new LeaderBroadcast(1 as ServerId, { voters: [1, 2, 3] as ServerId[] }, zxid(0), {
            log: (at) => void said.push(`log ${at}`),
            deliver: (proposal) => void said.push(`deliver ${proposal.zxid}`),
          });
          for (const one of linksOf(said)) core.forward(one);
          saidBy.set(core, said);
          return core;
        },
        (old, fresh) => fresh.resume(old.state, linksOf(saidBy.get(old) as string[])),
        (core, [name, counter]) => {
          if (name === "propose") core.propose({ zxid: core.nextZxid(), txn, entry: entry(counter), proposedAtMs: 0 });
          else if (name === "appended") core.appended(zxid(counter));
          else core.ack((name === "ack2" ? 2 : 3) as ServerId, zxid(counter));
        },
      );
    }),
  );
});

test("a learner's history", () => {
  fc.assert(
    fc.property(steps("proposal", "commit", "logCommitted", "appended"), (script) => {
      compare(
        script,
        (said) =>
          new LearnerHistory({
            lastLogged: zxid(0),
            log: (at) => void said.push(`log ${at}`),
            deliver: (at) => void said.push(`deliver ${at}`),
            logged: () => void said.push("logged"),
            broken: (reason) => void said.push(reason),
          }),
        (old, fresh) => fresh.resume(old.state),
        (core, [name, counter]) => {
          if (name === "proposal") core.proposal(zxid(counter), entry(counter));
          else if (name === "commit") core.commit(zxid(counter));
          else if (name === "appended") core.appended(zxid(counter));
          else core.logCommitted();
        },
      );
    }),
  );
});

test("a learner's side of the broadcast", () => {
  fc.assert(
    fc.property(steps("proposal", "commit", "appended"), (script) => {
      compare(
        script,
        (said) =>
          new LearnerBroadcast({
            log: (at) => void said.push(`log ${at}`),
            deliver: (at) => void said.push(`deliver ${at}`),
            ack: (at) => void said.push(`ack ${at}`),
            broken: (reason) => void said.push(reason),
          }),
        (old, fresh) => fresh.resume(old.state),
        (core, [name, counter]) => {
          if (name === "proposal") core.proposal(zxid(counter), entry(counter));
          else if (name === "commit") core.commit(zxid(counter));
          else core.appended(zxid(counter));
        },
      );
    }),
  );
});
