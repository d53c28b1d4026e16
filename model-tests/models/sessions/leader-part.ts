/** Production's SessionTracker, Prepare and Database at a leader that serves no clients itself. */

import type { ServerId, Zxid } from "../../../spec/vocabulary.ts";
import { Prepare } from "../../../src/pipeline/prepare.ts";
import { decodeTxn, type Txn } from "../../../src/protocol/txn.ts";
import { assert } from "../../../src/runtime/assert.ts";
import { SessionTracker } from "../../../src/session/session-tracker.ts";
import type { Database } from "../../../src/tree/database.ts";
import { CONFIG, FakeTime } from "../../support/standalone-server.ts";
import type { Core } from "./replayed-part.ts";
import { chained, type PlainRequest, sessionOf } from "./server-part.ts";

export const TICK_MS = 2000;

export type LeaderEvent =
  /** Leadership begins with this history. */
  | { readonly type: "lead"; readonly log: readonly string[]; readonly now: number }
  | { readonly type: "submit"; readonly request: PlainRequest; readonly zxid: number }
  | { readonly type: "commit"; readonly hex: string }
  | { readonly type: "revalidate"; readonly session: string; readonly timeout: number; readonly owner: number }
  | { readonly type: "touch"; readonly session: string; readonly timeout: number }
  /** Ticks since the beginning. */
  | { readonly type: "tick"; readonly now: number };

export type LeaderOutput =
  | { readonly type: "txn"; readonly hex: string }
  | { readonly type: "valid"; readonly valid: boolean }
  | { readonly type: "touched"; readonly accepted: boolean }
  | { readonly type: "expired"; readonly session: string };

export type MakeTracker = (unexpected: (state: string, event: string) => void) => SessionTracker;
export const productionTracker: MakeTracker = (unexpected) => new SessionTracker({ tickTimeMs: TICK_MS, unexpected });

export class LeaderCore implements Core<LeaderEvent, LeaderOutput> {
  readonly #database: Database;
  readonly #tracker: SessionTracker;
  readonly #time = new FakeTime();
  readonly #prepare: Prepare;
  /** Of all txns that it has applied or prepared. */
  #history = "";

  /** `database`: an empty one, of this core alone. */
  constructor(makeTracker: MakeTracker, database: Database) {
    this.#database = database;
    this.#time.ms = 0;
    this.#tracker = makeTracker((state, event) =>
      assert(false, `${event} is not expected of a session that is ${state}`),
    );
    this.#prepare = new Prepare(this.#database, this.#tracker, CONFIG, this.#time);
  }

  step(event: LeaderEvent): readonly LeaderOutput[] {
    const tracker = this.#tracker;
    switch (event.type) {
      case "lead":
        this.#time.ms = event.now * TICK_MS;
        for (const hex of event.log) {
          this.#history = chained(this.#history, hex);
          this.#database.apply(txnOf(hex));
        }
        tracker.restart(this.#database.sessions, this.#time.ms);
        return [];
      case "submit":
        return [{ type: "txn", hex: this.#submit(event.request, event.zxid) }];
      case "commit": {
        const txn = txnOf(event.hex);
        tracker.applied(txn);
        this.#database.apply(txn);
        this.#prepare.applied(txn.zxid);
        return [];
      }
      case "revalidate": {
        const { session, timeout, owner } = event;
        const valid = tracker.revalidate(sessionOf(session), timeout, owner as ServerId, this.#time.ms);
        return [{ type: "valid", valid }];
      }
      case "touch":
        return [{ type: "touched", accepted: tracker.touch(sessionOf(event.session), event.timeout, this.#time.ms) }];
      case "tick":
        this.#time.ms = event.now * TICK_MS;
        return tracker.expire(this.#time.ms).map((id) => ({ type: "expired", session: id.toString(16) }));
    }
  }

  view(): string {
    const sessions = [...this.#tracker.views()].map(({ id, state, deadlineMs, owner }) => {
      return `${id.toString(16)} ${state} ${deadlineMs} ${owner}`;
    });
    return JSON.stringify([this.#database.lastProcessedZxid, this.#history, this.#time.ms, sessions.sort()]);
  }

  #submit({ session, cxid, op, body, owner }: PlainRequest, zxid: number): string {
    const sessionId = sessionOf(session);
    const request = { sessionId, cxid, op, body: Buffer.from(body, "hex"), authInfo: [], owner: owner as ServerId };
    const hex = this.#prepare.prepare(request, zxid as Zxid, 1000).entry.toString("hex");
    this.#history = chained(this.#history, hex);
    return hex;
  }
}

export function txnOf(hex: string): Txn {
  return decodeTxn(Buffer.from(hex, "hex"));
}
