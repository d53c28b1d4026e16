/**
 * The order of writes without any server's log: what was answered has its zxid. Of a write whose answer was lost there may be a
 * trace: a Stat whose czxid or mzxid belongs to no answered write. If just one such write can have left it, then that is its
 * place; if none can, it is a phantom. Zxids that nobody has are session txns, or such writes that left no trace.
 *
 * Nothing is guessed: what cannot be known is fog (fog.ts).
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { History } from "../../histories/history.ts";
import { isWrite, Op, Outcome, STAT_WIDTH } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Findings } from "../violation.ts";
import { type Effect, effectsOf, withoutNumber } from "./effects.ts";
import { Fog } from "./fog.ts";
import { lowerBound } from "./merged-log.ts";
import { Fate, isOrderedError, type Timeline } from "./timeline.ts";

export function resolveByTraces(history: History, findings: Findings): Timeline {
  return new BlackBox(history, findings).run();
}

/** A zxid in a Stat that no answered write has. */
interface Trace {
  readonly path: string;
  readonly kind: "create" | "set";
  readonly zxid: number;
  /** undefined: nobody read them. */
  readonly data: string | null | undefined;
  readonly seenBy: number;
}

class BlackBox {
  readonly #history: History;
  readonly #findings: Findings;
  readonly #fate: Uint8Array;
  readonly #place: Float64Array;
  /** zxid → operation. */
  readonly #taken = new Map<number, number>();
  /** Writes without an answer, by what they may have changed; sequential creates by their name without number. */
  readonly #open = new Map<string, Effect[]>();
  /** By operation without answer: it can only have happened after this zxid. */
  readonly #after = new Map<number, number>();
  readonly #fog = new Fog();

  constructor(history: History, findings: Findings) {
    const { count } = history.operations;
    this.#history = history;
    this.#findings = findings;
    this.#fate = new Uint8Array(count);
    this.#place = new Float64Array(count).fill(-1);
  }

  run(): Timeline {
    const { operations } = this.#history;
    const seen = seenBefore(this.#history);
    for (let i = 0; i < operations.count; i++) {
      const outcome = operations.outcome[i]!;
      const zxid = operations.zxid[i]!;
      if (!isWrite(operations.op[i]!)) {
        if (outcome !== Outcome.info && zxid > 0) this.#settle(i, Fate.observed, zxid);
      } else if (outcome === Outcome.info) {
        this.#leftOpen(i, seen(operations.invoked[i]!));
      } else if (zxid > 0 && (outcome === Outcome.ok || isOrderedError(operations.err[i]!))) {
        this.#answered(i, zxid);
      }
    }
    this.#sessionsThatMayEnd();
    this.#traces();
    return this.#timeline();
  }

  #settle(i: number, fate: number, zxid: number): void {
    this.#fate[i] = fate;
    this.#place[i] = zxid;
  }

  #answered(i: number, zxid: number): void {
    const other = this.#taken.get(zxid);
    if (other !== undefined) return this.#twice(i, other, zxid);
    this.#taken.set(zxid, i);
    this.#settle(i, Fate.ordered, zxid);
    if (this.#history.operations.outcome[i] !== Outcome.ok) return;
    for (const effect of effectsOf(this.#history.operations, i)) {
      if (effect.mortal) this.#fog.add({ ...effect, kind: "delete" }, zxid);
    }
  }

  #leftOpen(i: number, after: number): void {
    this.#fate[i] = Fate.unknown;
    this.#after.set(i, after);
    for (const effect of effectsOf(this.#history.operations, i)) {
      this.#fog.add(effect, after);
      const others = this.#open.get(effect.path);
      if (others === undefined) this.#open.set(effect.path, [effect]);
      else others.push(effect);
    }
  }

  /** Unless its client closed it, a session may have ended at any time after its last answer. */
  #sessionsThatMayEnd(): void {
    const { operations } = this.#history;
    const last = new Map<number, number>();
    for (let i = 0; i < operations.count; i++) {
      if (operations.outcome[i] === Outcome.info || operations.zxid[i]! <= 0) continue;
      const closed = operations.op[i] === Op.closeSession && operations.outcome[i] === Outcome.ok;
      const session = operations.session[i]!;
      const until = closed ? Number.POSITIVE_INFINITY : operations.zxid[i]!;
      last.set(session, Math.max(last.get(session) ?? 0, until));
    }
    for (let i = 0; i < operations.count; i++) {
      if (!isWrite(operations.op[i]!) || operations.outcome[i] === Outcome.fail) continue;
      for (const { owner, path, unnumbered } of effectsOf(operations, i)) {
        const until = last.get(owner) ?? 0;
        if (owner !== 0 && until < Number.POSITIVE_INFINITY) this.#fog.add({ path, kind: "delete", unnumbered }, until);
      }
    }
  }

  #traces(): void {
    const { operations } = this.#history;
    if (operations.statCount === 0) return;
    for (let i = 0; i < operations.count; i++) {
      const row = operations.stat[i]!;
      if (row < 0 || operations.outcome[i] !== Outcome.ok) continue;
      const czxid = operations.stats[row * STAT_WIDTH]!;
      const mzxid = operations.stats[row * STAT_WIDTH + 1]!;
      const path = operations.created[i] ?? operations.path[i]!;
      const data = operations.op[i] === Op.getData ? operations.data[i]! : undefined;
      if (czxid > 0 && !this.#taken.has(czxid)) {
        const first = mzxid === czxid ? data : undefined;
        this.#explain({ path, kind: "create", zxid: czxid, data: first, seenBy: i });
      }
      if (mzxid > czxid && !this.#taken.has(mzxid)) this.#explain({ path, kind: "set", zxid: mzxid, data, seenBy: i });
    }
  }

  #explain(trace: Trace): void {
    const { path, kind, zxid, data, seenBy } = trace;
    const { operations } = this.#history;
    const prefix = withoutNumber(path);
    const named = this.#open.get(path) ?? [];
    const numbered = prefix === null ? [] : (this.#open.get(prefix) ?? []).filter(({ unnumbered }) => unnumbered);
    const able = [...named, ...numbered].filter((effect) => {
      if (effect.kind !== kind || zxid <= this.#after.get(effect.op)!) return false;
      if (data !== undefined && effect.data !== data) return false;
      return this.#fate[effect.op] === Fate.unknown && operations.invoked[effect.op]! < operations.completed[seenBy]!;
    });
    if (able.length === 0) return this.#phantom(trace);
    // Several may have done it: which, nobody can say.
    if (able.some(({ op }) => op !== able[0]!.op)) return;
    this.#taken.set(zxid, able[0]!.op);
    this.#settle(able[0]!.op, Fate.resolved, zxid);
  }

  // ---- what cannot be explained

  #phantom({ path, kind, zxid, seenBy }: Trace): void {
    const { operations } = this.#history;
    const what = kind === "create" ? "created" : "changed";
    this.#taken.set(zxid, seenBy);
    this.#findings.add({
      property: "C6 no read of what never was",
      rule: "black box",
      anomaly: "phantom write",
      summary: `${describeOp(operations, seenBy)} shows that ${path} was ${what} at ${hex(zxid)}, which no request can have done.`,
      ops: [seenBy],
      line: operations.completeLine[seenBy]!,
      zxid,
      path,
    });
  }

  #twice(i: number, other: number, zxid: number): void {
    const { operations } = this.#history;
    this.#findings.add({
      property: "Z3 total order",
      rule: "3 uniqueness",
      anomaly: "two writes with one zxid",
      summary: `Two writes were both answered with ${hex(zxid)}: ${describeOp(operations, other)} and ${describeOp(operations, i)}.`,
      ops: [i, other],
      line: operations.completeLine[i]!,
      zxid,
    });
  }

  #timeline(): Timeline {
    const { operations } = this.#history;
    const rows: number[] = [];
    for (let i = 0; i < operations.count; i++) {
      if (this.#fate[i] === Fate.ordered || this.#fate[i] === Fate.resolved) rows.push(i);
    }
    const op = Int32Array.from(rows).sort((a, b) => this.#place[a]! - this.#place[b]!);
    const zxids = Float64Array.from(op, (i) => this.#place[i]!);
    const times = timesOf(this.#history);
    return {
      count: op.length,
      zxids,
      op,
      session: op.map((i) => operations.session[i]!),
      time: zxids.map((zxid) => times.get(zxid) ?? Number.NaN),
      txn: null,
      type: null,
      fate: this.#fate,
      place: this.#place,
      fog: this.#fog,
      complete: false,
      wholeUntil: Number.POSITIVE_INFINITY,
    };
  }
}

/** The largest zxid that anybody had been told of before a moment. */
function seenBefore({ operations }: History): (t: number) => number {
  const answered: number[] = [];
  for (let i = 0; i < operations.count; i++) {
    if (operations.outcome[i] !== Outcome.info && operations.zxid[i]! > 0) answered.push(i);
  }
  answered.sort((a, b) => operations.completeLine[a]! - operations.completeLine[b]!);
  const times = Float64Array.from(answered, (i) => operations.completed[i]!);
  const seen = Float64Array.from(answered, (i) => operations.zxid[i]!);
  for (let at = 1; at < seen.length; at++) seen[at] = Math.max(seen[at]!, seen[at - 1]!);
  return (t) => seen[lowerBound(times, t) - 1] ?? 0;
}

/** When each txn was made, as far as Stats tell: ctime belongs to czxid, mtime to mzxid. */
function timesOf({ operations: { stats, statCount } }: History): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (let at = 0; at < statCount * STAT_WIDTH; at += STAT_WIDTH) {
    times.set(stats[at]!, stats[at + 3]!);
    times.set(stats[at + 1]!, stats[at + 4]!);
  }
  return times;
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
