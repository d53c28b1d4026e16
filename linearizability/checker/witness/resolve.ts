/**
 * Rules 1 to 3 with logs at hand: every acknowledged write is in G under its zxid; what clients could not know is looked up in
 * G by (session, cxid); no txn is there twice, none is there that nobody asked for.
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import { ErrorCode, errorName } from "../../../src/protocol/error-codes.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import type { History } from "../../histories/history.ts";
import { isWrite, Outcome } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Findings } from "../violation.ts";
import { Fog } from "./fog.ts";
import { describeTxn, type MergedLog } from "./merged-log.ts";
import { Fate, isOrderedError, type Timeline } from "./timeline.ts";

/** Headers of G's txns as columns. */
interface Headers {
  readonly session: Int32Array;
  readonly cxid: Int32Array;
  readonly time: Float64Array;
  readonly type: Int32Array;
}

export function resolveByLog(history: History, log: MergedLog, findings: Findings): Timeline {
  return new Resolver(history, log, findings).run();
}

class Resolver {
  readonly #history: History;
  readonly #log: MergedLog;
  readonly #findings: Findings;
  readonly #headers: Headers;
  readonly #op: Int32Array;
  readonly #fate: Uint8Array;
  readonly #place: Float64Array;

  constructor(history: History, log: MergedLog, findings: Findings) {
    const { count } = history.operations;
    this.#history = history;
    this.#log = log;
    this.#findings = findings;
    this.#headers = readHeaders(history, log);
    this.#op = new Int32Array(log.count).fill(-1);
    this.#fate = new Uint8Array(count);
    this.#place = new Float64Array(count).fill(-1);
  }

  run(): Timeline {
    const { operations } = this.#history;
    const open: number[] = [];
    for (let i = 0; i < operations.count; i++) {
      const outcome = operations.outcome[i];
      if (!isWrite(operations.op[i]!)) {
        if (outcome !== Outcome.info && operations.zxid[i]! > 0) this.#settle(i, Fate.observed, operations.zxid[i]!);
      } else if (outcome === Outcome.ok || (outcome === Outcome.fail && isOrderedError(operations.err[i]!))) {
        // Without a zxid it never left the client.
        if (operations.zxid[i]! > 0) this.#acknowledged(i);
        else open.push(i);
      } else {
        open.push(i);
      }
    }
    const unclaimed = this.#unclaimed();
    for (const i of open) this.#lookUp(i, unclaimed);
    this.#invented(unclaimed);
    return {
      count: this.#log.count,
      zxids: this.#log.zxids,
      op: this.#op,
      session: this.#headers.session,
      time: this.#headers.time,
      txn: (row) => this.#log.txn(row),
      type: this.#headers.type,
      fog: new Fog(),
      fate: this.#fate,
      place: this.#place,
      complete: this.#log.gaps.length === 0,
      wholeUntil: this.#log.wholeUntil,
    };
  }

  #settle(i: number, fate: number, zxid: number): void {
    this.#fate[i] = fate;
    this.#place[i] = zxid;
  }

  #acknowledged(i: number): void {
    const { operations } = this.#history;
    const zxid = operations.zxid[i]!;
    const row = this.#log.find(zxid);
    if (row < 0) return this.#log.hides(zxid) ? this.#settle(i, Fate.ordered, zxid) : this.#lost(i, zxid);
    const other = this.#op[row]!;
    if (other >= 0) {
      this.#findings.add({
        property: "Z3 total order",
        rule: "3 uniqueness",
        anomaly: "two writes with one zxid",
        summary: `Two writes were both answered with ${hex(zxid)}: ${this.#name(other)} and ${this.#name(i)}.`,
        ops: [i, other],
        line: operations.completeLine[i]!,
        zxid,
      });
      return;
    }
    const { session, cxid } = this.#headers;
    if (session[row] !== operations.session[i] || (operations.xid[i] !== 0 && cxid[row] !== operations.xid[i])) {
      this.#findings.add({
        property: "C1 linearizable writes",
        rule: "1 logs",
        anomaly: "answered with another's zxid",
        summary: `${this.#name(i)} was answered with ${hex(zxid)}, which is another request's txn.`,
        actual: describeTxn(this.#log.txn(row)),
        ops: [i],
        line: operations.completeLine[i]!,
        zxid,
      });
      return;
    }
    this.#op[row] = i;
    this.#settle(i, Fate.ordered, zxid);
  }

  #lost(i: number, zxid: number): void {
    const { operations } = this.#history;
    const holders = this.#log.orphans.get(zxid);
    const where = holders === undefined ? "No log has it" : `Only ${holders} has it, and was left behind by the others`;
    this.#findings.add({
      property: "C5 durability",
      rule: "1 logs",
      anomaly: "lost write",
      summary: `${this.#name(i)} was acknowledged with ${hex(zxid)}. ${where}.`,
      ops: [i],
      line: operations.completeLine[i]!,
      zxid,
      path: operations.path[i]!,
    });
  }

  /** Rows that no acknowledged write has claimed, by whose request they are. */
  #unclaimed(): Map<number, number[]> {
    const { session, cxid, type } = this.#headers;
    const unclaimed = new Map<number, number[]>();
    for (let row = 0; row < this.#log.count; row++) {
      // Sessions are opened, and closed by expiry, with cxid 0; a client's own closeSession has one.
      if (this.#op[row]! >= 0 || (isSessionTxn(type[row]!) && cxid[row] === 0)) continue;
      const key = keyOf(session[row]!, cxid[row]!);
      const rows = unclaimed.get(key);
      if (rows === undefined) unclaimed.set(key, [row]);
      else rows.push(row);
    }
    return unclaimed;
  }

  #lookUp(i: number, unclaimed: Map<number, number[]>): void {
    const { operations } = this.#history;
    const row = unclaimed.get(keyOf(operations.session[i]!, operations.xid[i]!))?.shift();
    if (row === undefined) {
      if (operations.outcome[i] === Outcome.info && this.#log.gaps.length > 0) this.#fate[i] = Fate.unknown;
      return;
    }
    const zxid = this.#log.zxids[row]!;
    const refusal = this.#refusal(row);
    // A late request of a session that has moved takes a zxid, and has no place in its client's order.
    if (refusal !== null && !isOrderedError(refusal)) return;
    this.#op[row] = i;
    if (operations.outcome[i] === Outcome.info) return this.#settle(i, Fate.resolved, zxid);
    if (refusal !== null) return;
    this.#settle(i, Fate.resolved, zxid);
    this.#findings.add({
      property: "C1 linearizable writes",
      rule: "2 unknown writes",
      anomaly: "refused, yet it happened",
      summary: `${this.#name(i)} was refused with ${operations.err[i]}, but it is txn ${hex(zxid)}.`,
      actual: describeTxn(this.#log.txn(row)),
      ops: [i],
      line: operations.completeLine[i]!,
      zxid,
      path: operations.path[i]!,
    });
  }

  /** Name of the error that was logged, of a multi that of the op which failed; null: it was done. */
  #refusal(row: number): string | null {
    const type = this.#headers.type[row];
    if (type !== OpCode.error && type !== OpCode.multi) return null;
    const { body } = this.#log.txn(row);
    if (body.type === OpCode.error) return errorName(body.err);
    const subs = body.type === OpCode.multi ? body.txns : [];
    for (const sub of subs) if (sub.type === OpCode.error && sub.err !== ErrorCode.OK) return errorName(sub.err);
    return null;
  }

  #invented(unclaimed: ReadonlyMap<number, readonly number[]>): void {
    const { operations, connections } = this.#history;
    if (![...unclaimed.values()].some((rows) => rows.length > 0)) return;
    const recorded = new Uint8Array(operations.sessions.ids.length + 1);
    const claimed = new Map<number, number>();
    for (let i = 0; i < operations.count; i++) {
      recorded[operations.session[i]!] = 1;
      if (this.#place[i]! >= 0 && isWrite(operations.op[i]!)) {
        claimed.set(keyOf(operations.session[i]!, operations.xid[i]!), i);
      }
    }
    for (const { session } of connections) recorded[operations.sessions.index(session)] = 1;
    for (const rows of unclaimed.values()) {
      for (const row of rows) {
        const { session, cxid, type } = this.#headers;
        if (recorded[session[row]!] !== 1 || type[row] === OpCode.deleteContainer || isSessionTxn(type[row]!)) continue;
        const zxid = this.#log.zxids[row]!;
        const twin = claimed.get(keyOf(session[row]!, cxid[row]!));
        const txn = describeTxn(this.#log.txn(row));
        this.#findings.add({
          property: twin === undefined ? "Z1 integrity" : "C1 linearizable writes",
          rule: "1 logs",
          anomaly: twin === undefined ? "invented txn" : "applied twice",
          summary:
            twin === undefined
              ? `Txn ${hex(zxid)} is of a request that its client never made.`
              : `${this.#name(twin)} is in the log as ${hex(this.#place[twin]!)} and again as ${hex(zxid)}.`,
          actual: txn,
          ops: twin === undefined ? [] : [twin],
          line: -1,
          zxid,
        });
      }
    }
  }

  #name(i: number): string {
    return describeOp(this.#history.operations, i);
  }
}

function readHeaders({ operations }: History, log: MergedLog): Headers {
  const headers = {
    session: new Int32Array(log.count),
    cxid: new Int32Array(log.count),
    time: new Float64Array(log.count),
    type: new Int32Array(log.count),
  };
  const indexes = new Map<bigint, number>();
  for (let row = 0; row < log.count; row++) {
    const entry = log.entry(row);
    const id = entry.readBigInt64BE(0);
    let session = indexes.get(id);
    if (session === undefined) {
      session = operations.sessions.indexOf(id);
      indexes.set(id, session);
    }
    headers.session[row] = session;
    headers.cxid[row] = entry.readInt32BE(8);
    headers.time[row] = entry.readInt32BE(20) * 2 ** 32 + entry.readUInt32BE(24);
    headers.type[row] = entry.readInt32BE(28);
  }
  return headers;
}

function isSessionTxn(type: number): boolean {
  return type === OpCode.createSession || type === OpCode.closeSession;
}

function keyOf(session: number, cxid: number): number {
  return session * 2 ** 32 + (cxid >>> 0);
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
