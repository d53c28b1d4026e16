/**
 * Rules 4 and 5: every write in the order of zxids through the reference tree, every read against the tree at its zxid. A reply
 * must say exactly what the tree says: error, created path, data, children, all of the Stat.
 */
import {
  type ClientStat,
  type ModelNode,
  type Outcome,
  type Write,
  ZnodeTree,
} from "../../../spec/models/znode-tree.ts";
import { formatZxid, type SessionId, type Zxid } from "../../../spec/vocabulary.ts";
import { ErrorCode } from "../../../src/protocol/error-codes.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import type { Txn } from "../../../src/protocol/txn.ts";
import type { History } from "../../histories/history.ts";
import { Outcome as Ended, MODES, Op, STAT_WIDTH } from "../../histories/operations.ts";
import { describeNames, quote } from "../describe.ts";
import type { Findings } from "../violation.ts";
import { blameRead, blameWrite, subjectOfWrite } from "./blame.ts";
import { BlindReplay } from "./blind-replay.ts";
import { requestOf, textOf, writeOf } from "./requests.ts";
import { Fate, type Timeline } from "./timeline.ts";
import type { WatchedChanges } from "./watched-changes.ts";

/** After so many differences the trees have parted, and more would say nothing. */
const MAX_DIFFERENCES = 50;

const NO_EFFECT: Outcome = { err: null };
/** Decided by permissions and limits, which the model does not have: taken from the reply. */
const BEYOND_MODEL: ReadonlySet<string> = new Set(["NOAUTH", "INVALIDACL", "QUOTAEXCEEDED", "RUNTIMEINCONSISTENCY"]);

/** No read is ever told so. */
const WRITES_ONLY: ReadonlySet<string> = new Set(["NODEEXISTS", "BADVERSION", "NOTEMPTY", "NOCHILDRENFOREPHEMERALS"]);

/** False: it was broken off, and what comes after is not known. */
export function replay(
  history: History,
  timeline: Timeline,
  reads: Int32Array,
  watched: WatchedChanges,
  findings: Findings,
): boolean {
  return new Replay(history, timeline, watched, findings).run(reads);
}

class Replay {
  readonly #history: History;
  readonly #timeline: Timeline;
  readonly #watched: WatchedChanges;
  readonly #findings: Findings;
  readonly #tree = new ZnodeTree();
  /** Black box only. */
  readonly #blind: BlindReplay | null;
  #differences = 0;
  /** One wrong answer about a znode makes others follow. */
  readonly #blamed = new Set<string>();

  constructor(history: History, timeline: Timeline, watched: WatchedChanges, findings: Findings) {
    this.#history = history;
    this.#timeline = timeline;
    this.#watched = watched;
    this.#findings = findings;
    this.#blind = timeline.txn === null ? new BlindReplay(history, timeline, this.#tree) : null;
  }

  /** `reads`: operations that read, by zxid. */
  run(reads: Int32Array): boolean {
    const { zxids, count, place, wholeUntil } = this.#timeline;
    let next = 0;
    for (let row = 0; row <= count; row++) {
      const zxid = row < count ? zxids[row]! : Number.POSITIVE_INFINITY;
      for (; next < reads.length && place[reads[next]!]! < zxid; next++) {
        if (place[reads[next]!]! <= wholeUntil) this.#read(reads[next]!);
      }
      if (row === count || zxid > wholeUntil || this.#differences > MAX_DIFFERENCES) break;
      this.#row(row, zxid);
    }
    return wholeUntil === Number.POSITIVE_INFINITY && this.#differences <= MAX_DIFFERENCES;
  }

  #row(row: number, zxid: number): void {
    const { op, session, time } = this.#timeline;
    const { operations } = this.#history;
    const i = op[row]!;
    const owner = operations.sessions.ids[session[row]!]! as SessionId;
    const stamp = { session: owner, zxid, time: time[row]! };
    if (this.#blind?.takes(i, zxid)) {
      this.#checkOwnZxid(i, zxid);
      return this.#watched.note(zxid, this.#blind.force(i, stamp));
    }
    const txn = this.#timeline.txn?.(row) ?? null;
    let write: Write | null = null;
    if (i >= 0 && !this.#isBeyondModel(i)) write = requestOf(operations, i);
    else if (txn !== null) write = writeOf(txn);
    if (write === null) return;
    const ephemerals = txn?.type === OpCode.closeSession ? this.#tree.ephemeralsOf(owner) : null;
    if (txn !== null) this.#checkOwner(write, txn, owner, i, zxid);
    const outcome = this.#tree.write(write, stamp);
    if (this.#tree.changes.length > 0) this.#watched.note(zxid, this.#tree.changes);
    if (ephemerals !== null && txn !== null) this.#checkClose(ephemerals, txn, zxid);
    if (i < 0) {
      if (txn !== null && failed(outcome)) this.#impossible(txn, outcome, zxid);
      return;
    }
    if (txn !== null && !this.#checkTxn(i, txn, outcome)) return;
    this.#blind?.note(i, zxid);
    if (this.#timeline.fate[i] === Fate.ordered) this.#checkReply(i, outcome);
  }

  /** TTLs with sequence numbers, and refusals by permission or quota: the log knows. */
  #isBeyondModel(i: number): boolean {
    const { operations } = this.#history;
    const sequentialTtl =
      operations.op[i] === Op.create && MODES[operations.mode[i]!] === "persistentSequentialWithTTL";
    return sequentialTtl || (operations.outcome[i] === Ended.fail && BEYOND_MODEL.has(operations.err[i]!));
  }

  #isFirst(i: number): boolean {
    const path = subjectOfWrite(this.#history, i);
    if (this.#blamed.has(path)) return false;
    this.#blamed.add(path);
    this.#differences++;
    return true;
  }

  // ---- writes

  #checkReply(i: number, outcome: Outcome): void {
    const { operations } = this.#history;
    if (this.#isBeyondModel(i)) return;
    if (operations.op[i] === Op.multi) return this.#checkMulti(i, outcome.results ?? []);
    if (operations.outcome[i] === Ended.fail) {
      if (outcome.err !== operations.err[i]) this.#wrongWrite(i, outcome.err ?? "success", operations.err[i]!);
      return;
    }
    if (outcome.err !== null) return this.#wrongWrite(i, outcome.err, "success");
    if (operations.op[i] === Op.create && operations.created[i] !== outcome.path) {
      return this.#wrongWrite(i, outcome.path ?? "", operations.created[i] ?? "no path", "C10");
    }
    const difference = this.#statDifference(i, outcome.stat ?? null);
    if (difference !== null) this.#wrongWrite(i, difference.expected, difference.actual, "C10");
  }

  /** Whatever a write found, what it wrote bears its own zxid. */
  #checkOwnZxid(i: number, zxid: number): void {
    const { operations } = this.#history;
    const at = operations.stat[i]! * STAT_WIDTH;
    const isValue = operations.op[i] === Op.setData || operations.op[i] === Op.create;
    if (at < 0 || !isValue || operations.outcome[i] !== Ended.ok) return;
    const field = operations.op[i] === Op.create && operations.stats[at] !== zxid ? 0 : 1;
    const found = operations.stats[at + field]!;
    if (found === zxid) return;
    const name = field === 0 ? "czxid" : "mzxid";
    this.#wrongWrite(i, `${name} ${shown(name, zxid)}`, `${name} ${shown(name, found)}`, "C10");
  }

  #checkMulti(i: number, outcomes: readonly Outcome[]): void {
    const { operations } = this.#history;
    const results = operations.extra[i]!.results ?? [];
    const codes = outcomes.map(({ err }): string => err ?? "OK");
    const shouldFail = outcomes.some(({ err }) => err !== null);
    if (operations.outcome[i] === Ended.fail) {
      const said = results.map((result) => (typeof result === "string" ? result : "OK"));
      const isCulprit = operations.err[i] === codes.find((code) => code !== "OK");
      const same = isCulprit && (said.length === 0 || said.join() === codes.join());
      const actual = isCulprit && said.length > 0 ? said.join(", ") : operations.err[i]!;
      if (!shouldFail || !same) this.#wrongWrite(i, codes.join(", "), actual, "C3");
      return;
    }
    if (shouldFail) return this.#wrongWrite(i, codes.join(", "), "success", "C3");
    for (const [at, outcome] of outcomes.entries()) {
      const result = results[at];
      if (result === undefined || typeof result === "string") continue;
      if (result.path !== undefined && result.path !== outcome.path) {
        return this.#wrongWrite(i, outcome.path ?? "", result.path, "C3");
      }
      if (result.stat !== undefined && outcome.stat !== undefined && result.stat.version !== outcome.stat.version) {
        return this.#wrongWrite(i, `version ${outcome.stat.version}`, `version ${result.stat.version}`, "C3");
      }
    }
  }

  #wrongWrite(i: number, expected: string, actual: string, hint: "C1" | "C3" | "C10" = "C1"): void {
    if (!this.#isFirst(i)) return;
    this.#findings.add(blameWrite(this.#history, this.#timeline, i, expected, actual, hint));
  }

  /** What was logged is what the request means at its place in the order. */
  #checkTxn(i: number, txn: Txn, outcome: Outcome): boolean {
    const { operations } = this.#history;
    const errors =
      txn.body.type === OpCode.error ||
      (txn.body.type === OpCode.multi && txn.body.txns.some(({ type }) => type === OpCode.error));
    if (this.#isBeyondModel(i)) return errors || operations.outcome[i] !== Ended.fail;
    const shouldFail = failed(outcome);
    let difference: [expected: string, actual: string] | null = null;
    if (shouldFail !== errors) difference = [describeOutcome(outcome), errors ? "an error in the log" : "done"];
    else if (!errors) difference = this.#txnDifference(i, txn, outcome);
    else if (txn.body.type === OpCode.error && outcome.err !== null && txn.body.err !== ErrorCode[outcome.err]) {
      difference = [outcome.err, `error ${txn.body.err}`];
    }
    if (difference === null) return true;
    if (!this.#isFirst(i)) return false;
    const [expected, actual] = difference;
    const isNumber = expected.startsWith("version ") || expected.startsWith("/");
    const own = shouldFail !== errors ? "C1" : isNumber ? "C10" : "Z1";
    const hint = operations.op[i] === Op.multi ? "C3" : own;
    this.#findings.add(blameWrite(this.#history, this.#timeline, i, expected, `in the log: ${actual}`, hint));
    return false;
  }

  #txnDifference(i: number, { body }: Txn, outcome: Outcome): [string, string] | null {
    const { operations } = this.#history;
    if (body.type === OpCode.setData) {
      if (body.version !== outcome.stat?.version)
        return [`version ${outcome.stat?.version}`, `version ${body.version}`];
      if (textOf(body.data) !== operations.data[i]) return [quote(operations.data[i]!), quote(textOf(body.data))];
    }
    if (body.type === OpCode.create || body.type === OpCode.create2) {
      if (body.path !== outcome.path) return [outcome.path ?? "", body.path];
      if (textOf(body.data) !== operations.data[i]) return [quote(operations.data[i]!), quote(textOf(body.data))];
    }
    return null;
  }

  // ---- sessions

  /** S3, S5: nothing is done for a session that has ended, or has not begun. */
  #checkOwner(write: Write, txn: Txn, owner: SessionId, i: number, zxid: number): void {
    const { sessions } = this.#tree;
    const { operations } = this.#history;
    if (write.op === "createSession") {
      if (!sessions.has(owner)) return;
      this.#sessionFault("S1 sessions are transactions", "session created twice", owner, i, zxid);
    } else if (!sessions.has(owner) && owner !== 0n && this.#timeline.complete && txn.type !== OpCode.error) {
      // A close that meets a session already closed: the client and the expiry came at once.
      if (write.op === "closeSession" || isFailedMulti(txn)) return;
      const session = operations.sessions.text(owner);
      this.#sessionFault("S3 expiry is final", "write after the session's end", owner, i, zxid, session);
    }
  }

  #sessionFault(
    property: "S1 sessions are transactions" | "S3 expiry is final",
    anomaly: string,
    owner: SessionId,
    i: number,
    zxid: number,
    session = this.#history.operations.sessions.text(owner),
  ): void {
    const what = property.startsWith("S1")
      ? "is created though it exists"
      : "has no session any more, and still writes";
    this.#findings.add({
      property,
      rule: "10 sessions",
      anomaly,
      summary: `${session} ${what}, at ${formatZxid(zxid as Zxid)}.`,
      ops: i < 0 ? [] : [i],
      line: i < 0 ? -1 : this.#history.operations.completeLine[i]!,
      zxid,
    });
  }

  /** S4: the txn lists what the session owns, not more and not less. */
  #checkClose(owned: readonly string[], { body, sessionId }: Txn, zxid: number): void {
    if (body.type !== OpCode.closeSession || body.paths === null) return;
    const [expected, actual] = [describeNames(owned), describeNames(body.paths)];
    if (new Set([...owned, ...body.paths]).size === owned.length && owned.length === body.paths.length) return;
    this.#findings.add({
      property: "S4 a close deletes exactly the session's ephemerals",
      rule: "10 sessions",
      anomaly: "close deletes the wrong nodes",
      summary: `The close of ${this.#history.operations.sessions.text(sessionId)} at ${formatZxid(zxid as Zxid)} deletes ${actual}; it owns ${expected}.`,
      expected,
      actual,
      ops: [],
      line: -1,
      zxid,
    });
  }

  /** A txn that was logged as done cannot be done. */
  #impossible({ zxid, body }: Txn, outcome: Outcome, at: number): void {
    this.#differences++;
    this.#findings.add({
      property: "Z1 integrity",
      rule: "4 replay",
      anomaly: "txn that cannot be applied",
      summary: `Txn ${formatZxid(zxid)} (type ${body.type}) cannot be applied to the tree at its place: ${describeOutcome(outcome)}.`,
      ops: [],
      line: -1,
      zxid: at,
    });
  }

  // ---- reads

  #read(i: number): void {
    const { operations } = this.#history;
    const err = operations.err[i]!;
    if (WRITES_ONLY.has(err)) return this.#wrongRead(i, "an answer that a read can have", err);
    if (err !== "" && err !== "NONODE") return;
    const path = operations.path[i]!;
    if (this.#blind?.hidesRead(i)) {
      const difference = this.#blind.judgeRead(i);
      if (difference !== null) this.#wrongRead(i, difference.expected, difference.actual);
      return;
    }
    const node = this.#tree.nodes.get(path);
    if (node === undefined || err !== "") {
      if (node !== undefined) this.#wrongRead(i, `a node with ${this.#describeNode(path)}`, "NONODE");
      else if (err === "") this.#wrongRead(i, "NONODE", this.#describeRead(i));
      return;
    }
    if (operations.op[i] === Op.getData && operations.data[i] !== node.data) {
      return this.#wrongRead(i, `${quote(node.data)}, ${this.#describeNode(path)}`, this.#describeRead(i));
    }
    if (operations.op[i] === Op.getChildren && !this.#isListOf(i, node)) {
      return this.#wrongRead(i, describeNames([...node.children]), describeNames(operations.extra[i]!.children ?? []));
    }
    if (this.#isStatOf(i, node)) return;
    const stat = this.#statDifference(i, this.#tree.stat(path));
    if (stat !== null) this.#wrongRead(i, stat.expected, stat.actual);
  }

  #isListOf(i: number, node: ModelNode): boolean {
    const { operations } = this.#history;
    const { fog, place } = this.#timeline;
    if (this.#blind !== null && fog.list(operations.path[i]!, place[i]!)) return this.#blind.fitsChildren(i, node);
    return sameNames(operations.extra[i]!.children ?? [], node.children);
  }

  /** The common case, without making a Stat. */
  #isStatOf(i: number, node: ModelNode): boolean {
    const { operations } = this.#history;
    const at = operations.stat[i]! * STAT_WIDTH;
    const { stats } = operations;
    if (at < 0) return true;
    const children = node.children.size;
    return (
      node.owner === null &&
      stats[at + 8] === 0 &&
      node.mzxid === stats[at + 1] &&
      node.czxid === stats[at] &&
      node.pzxid === stats[at + 2] &&
      node.version === stats[at + 5] &&
      node.cversion * 2 - children === stats[at + 6] &&
      node.aversion === stats[at + 7] &&
      children === stats[at + 10] &&
      (node.data === null ? 0 : Buffer.byteLength(node.data)) === stats[at + 9] &&
      node.ctime === stats[at + 3] &&
      node.mtime === stats[at + 4]
    );
  }

  #wrongRead(i: number, expected: string, actual: string): void {
    if (!this.#isFirst(i)) return;
    this.#findings.add(blameRead(this.#history, this.#timeline, this.#tree, i, expected, actual));
  }

  #describeNode(path: string): string {
    return describeStat(this.#tree.nodes.get(path)!);
  }

  #describeRead(i: number): string {
    const { operations } = this.#history;
    const stat = operations.statOf(i);
    const data = operations.op[i] === Op.getData ? `${quote(operations.data[i]!)}, ` : "";
    return stat === null ? `${data}a node` : `${data}version ${stat.version}, mzxid ${formatZxid(stat.mzxid as Zxid)}`;
  }

  /** The first field that differs. Times that nobody knows are not compared. */
  #statDifference(i: number, expected: ClientStat | null): { expected: string; actual: string } | null {
    const { operations } = this.#history;
    const row = operations.stat[i]!;
    if (row < 0 || expected === null) return null;
    const { stats, sessions } = operations;
    const at = row * STAT_WIDTH;
    const differs = (field: string, wanted: number, found: number): { expected: string; actual: string } | null =>
      wanted === found || Number.isNaN(wanted)
        ? null
        : { expected: `${field} ${shown(field, wanted)}`, actual: `${field} ${shown(field, found)}` };
    const owner = sessions.ids[stats[at + 8]!]!;
    if (owner !== expected.ephemeralOwner && !ownerOfOtherKind(owner)) {
      return {
        expected: `ephemeralOwner ${sessions.text(expected.ephemeralOwner)}`,
        actual: `ephemeralOwner ${sessions.text(owner)}`,
      };
    }
    const own =
      differs("czxid", expected.czxid, stats[at]!) ??
      differs("mzxid", expected.mzxid, stats[at + 1]!) ??
      differs("version", expected.version, stats[at + 5]!) ??
      differs("aversion", expected.aversion, stats[at + 7]!) ??
      differs("dataLength", expected.dataLength, stats[at + 9]!) ??
      differs("ctime", expected.ctime, stats[at + 3]!) ??
      differs("mtime", expected.mtime, stats[at + 4]!);
    if (own !== null || this.#timeline.fog.list(operations.path[i]!, this.#timeline.place[i]!)) return own;
    return (
      differs("cversion", expected.cversion, stats[at + 6]!) ??
      differs("pzxid", expected.pzxid, stats[at + 2]!) ??
      differs("numChildren", expected.numChildren, stats[at + 10]!)
    );
  }
}

/** Containers and TTL nodes have owners that are no sessions; the model shows 0 for them. */
function ownerOfOtherKind(owner: bigint): boolean {
  const top = BigInt.asUintN(64, owner) >> 56n;
  return top === 0xffn || BigInt.asUintN(64, owner) === 1n << 63n;
}

function failed({ err, results }: Outcome): boolean {
  return err !== null || (results ?? []).some((result) => result.err !== null);
}

function isFailedMulti({ body }: Txn): boolean {
  return body.type === OpCode.multi && body.txns.some(({ type }) => type === OpCode.error);
}

export function describeOutcome(outcome: Outcome = NO_EFFECT): string {
  if (outcome.results !== undefined) return outcome.results.map(({ err }) => err ?? "OK").join(", ");
  return outcome.err ?? outcome.path ?? "success";
}

function describeStat({ version, mzxid }: { readonly version: number; readonly mzxid: number }): string {
  return `version ${version}, mzxid ${formatZxid(mzxid as Zxid)}`;
}

function shown(field: string, value: number): string {
  return field.endsWith("zxid") ? formatZxid(value as Zxid) : String(value);
}

function sameNames(found: readonly string[], expected: ReadonlySet<string>): boolean {
  return found.length === expected.size && found.every((name) => expected.has(name));
}
