/** Requests, one letter each, and the txns that production's Prepare makes of a word of them. */

import type { ServerId, SessionId, Zxid } from "../../../spec/vocabulary.ts";
import { Prepare } from "../../../src/pipeline/prepare.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import { CreateFlags, OpCode } from "../../../src/protocol/opcodes.ts";
import { decodeTxn, type Txn } from "../../../src/protocol/txn.ts";
import type { Database } from "../../../src/tree/database.ts";
import * as op from "../../support/raw-requests.ts";
import { CONFIG, FakeTime } from "../../support/standalone-server.ts";
import { FIRST_SESSION, type ReplayRules, SECOND_SESSION } from "./replay-rules.ts";

interface ScriptedRequest {
  readonly text: string;
  readonly session: SessionId;
  readonly request: op.RawRequest;
}

const openSession: op.RawRequest = [OpCode.createSession, (w) => w.int(10_000)];
const ofFirst = (text: string, request: op.RawRequest): ScriptedRequest => ({ text, session: FIRST_SESSION, request });

export const SEQUENTIAL_PARENT = "/a";
const NEXT_SEQUENTIAL = op.create(`${SEQUENTIAL_PARENT}/n-`, { flags: CreateFlags.persistentSequential });

export const REQUESTS: Readonly<Record<string, ScriptedRequest>> = {
  E: ofFirst("create -e /a/e", op.create("/a/e", { flags: CreateFlags.ephemeral })),
  Q: ofFirst("create -s /a/n-", NEXT_SEQUENTIAL),
  D: ofFirst("delete /a/b", op.remove("/a/b")),
  R: ofFirst("create /a/b", op.create("/a/b")),
  W: ofFirst("set /a/b", op.setData("/a/b", "new")),
  L: ofFirst("setAcl /a/b", op.setAcl("/a/b", [{ perms: 1, scheme: "world", id: "anyone" }])),
  M: ofFirst("multi create /a/m, create /a/k", op.multi([op.create("/a/m"), op.create("/a/k")])),
  X: ofFirst("closeSession", op.closeSession),
  O: { text: "createSession of another", session: SECOND_SESSION, request: openSession },
};

/** What is there before the script starts. */
const BASE: readonly ScriptedRequest[] = [
  ofFirst("createSession", openSession),
  ofFirst("create /a", op.create("/a")),
  ofFirst("create /a/b", op.create("/a/b")),
];
export const BASE_ZXID = (2 ** 32 + BASE.length) as Zxid;

class Primary {
  readonly database: Database;
  readonly #prepare: Prepare;
  readonly #tracker;
  #zxid: number;

  constructor(rules: ReplayRules, database: Database, zxid: number) {
    this.database = database;
    this.#tracker = rules.tracker();
    this.#tracker.restart(database.sessions, 0);
    const time = new FakeTime();
    this.#prepare = new Prepare(database, this.#tracker, CONFIG, time);
    this.#zxid = zxid;
  }

  /** The txn is prepared, not applied: the ones of a script are all under way together. */
  prepare({ session, request: [type, write] }: ScriptedRequest): Txn {
    const writer = new JuteWriter();
    write(writer);
    const request = { sessionId: session, cxid: 1, op: type, body: writer.take(), authInfo: [], owner: 1 as ServerId };
    this.#zxid++;
    return decodeTxn(this.#prepare.prepare(request, this.#zxid as Zxid, 1000 + (this.#zxid % 100)).entry);
  }

  apply(txn: Txn): void {
    this.database.apply(txn);
    this.#tracker.applied(txn);
    this.#prepare.applied(txn.zxid);
  }
}

/** The txns of the base, each applied before the next is prepared; then those of the script, all outstanding. */
export function txnsOf(rules: ReplayRules, script: string): { base: readonly Txn[]; txns: readonly Txn[] } {
  const primary = new Primary(rules, rules.database(), 2 ** 32);
  const base = BASE.map((request) => {
    const txn = primary.prepare(request);
    primary.apply(txn);
    return txn;
  });
  const txns = [...script].map((letter) => primary.prepare(REQUESTS[letter] as ScriptedRequest));
  return { base, txns };
}

/** What a leader with this database would answer to one more sequential create. */
export function nextSequential(rules: ReplayRules, database: Database): string {
  const primary = new Primary(rules, database, Number(database.lastProcessedZxid));
  primary.prepare({ text: "", session: SECOND_SESSION, request: openSession });
  const { body } = primary.prepare({ text: "", session: SECOND_SESSION, request: NEXT_SEQUENTIAL });
  if (body.type === OpCode.error) return `error ${body.err}`;
  return body.type === OpCode.create || body.type === OpCode.create2 ? body.path : `txn of type ${body.type}`;
}
