/** What one server has handed to its log, applied, and made durable, as its trace tells it; and the order of all that. */
import { counterOf, epochOf, formatZxid, NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import type { Rule } from "./violation.ts";

export type Refuse = (rule: Rule, found: string, expected: string) => never;

export class Durable {
  lastLogged: Zxid = NO_ZXID;
  durable: Zxid = NO_ZXID;
  lastApplied: Zxid = NO_ZXID;
  acceptedEpoch = -1;
  currentEpoch = -1;
  readonly #refuse: Refuse;

  constructor(refuse: Refuse) {
    this.#refuse = refuse;
  }

  /** Recovery, or a snapshot from the leader, has replaced log and tree. */
  replaced(zxid: Zxid): void {
    this.lastLogged = zxid;
    this.durable = zxid;
    this.lastApplied = zxid;
  }

  log(zxid: Zxid): void {
    this.#follows("logged", this.lastLogged, zxid);
    this.lastLogged = zxid;
  }

  apply(zxid: Zxid): void {
    this.#follows("applied", this.lastApplied, zxid);
    if (zxid > this.lastLogged) this.#refuse("zxid-order", `${formatZxid(zxid)} applied`, "a txn that was logged");
    this.lastApplied = zxid;
  }

  appended(upTo: Zxid): void {
    if (upTo > this.lastLogged) {
      const logged = `at most ${formatZxid(this.lastLogged)}, the last that was logged`;
      this.#refuse("zxid-order", `LOG_APPENDED up to ${formatZxid(upTo)}`, logged);
    }
    // A group that was under way when the log was replaced may still be told of.
    if (upTo > this.durable) this.durable = upTo;
  }

  /** Everything that was logged is on disk. */
  get quiet(): boolean {
    return this.durable >= this.lastLogged;
  }

  #follows(what: string, last: Zxid, next: Zxid): void {
    if (next === last + 1) return;
    if (epochOf(next) > epochOf(last) && counterOf(next) === 1) return;
    const first = `${formatZxid((last + 1) as Zxid)}, or the first of a later epoch`;
    this.#refuse("zxid-order", `${formatZxid(next)} ${what} after ${formatZxid(last)}`, first);
  }
}
