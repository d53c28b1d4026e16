/**
 * The smallest history that shows a violation (delta debugging): without the other znodes, then without reads, then without one
 * operation after the other, as long as the checker still says the same of the same operation.
 */
import { checkHistory } from "../checker/check-history.ts";
import type { Violation } from "../checker/violation.ts";
import type { Timeline } from "../checker/witness/timeline.ts";
import type { History } from "../histories/history.ts";
import { isWrite, Op, type Operations, Outcome } from "../histories/operations.ts";
import { partsOf, pathsOf, project } from "./project.ts";

/** More than this are not looked at: those nearest to the violation are. */
const MAX_CONE = 3000;
const MAX_CHECKS = 600;
const MAX_MS = 8000;
const NEARBY = 6;

export interface Minimal {
  readonly history: History;
  /** Indices in the whole history, ascending. */
  readonly ops: readonly number[];
  /** The smaller history is refused for the same reason. False: it takes the logs to see it, and these are the witnesses. */
  readonly shown: boolean;
  readonly checks: number;
}

export function minimise(history: History, timeline: Timeline | null, target: Violation, tickTimeMs: number): Minimal {
  const { operations } = history;
  const place = timeline?.place ?? operations.zxid.slice(0, operations.count);
  const culprit = target.ops[0];
  if (culprit === undefined) {
    const ops = nearby(history, place, target);
    return { history: project(history, ops, place), ops, shown: false, checks: 0 };
  }
  const cone = coneOf(operations, target);
  const base = project(history, cone, place);
  const places = Float64Array.from(cone, (i) => place[i]!);
  const shrinking = new Shrinking(base, places, target, operations.id[culprit]!, tickTimeMs);
  const named = target.ops.map((i) => cone.indexOf(i)).filter((i) => i >= 0);
  const kept = shrinking.shrink(named);
  const ops = (kept ?? shrinking.closed(named)).map((i) => cone[i]!);
  return { history: project(history, ops, place), ops, shown: kept !== null, checks: shrinking.checks };
}

/** Where a violation names no operation (logs, events): what happened there, just before and after. */
function nearby({ operations }: History, place: Float64Array, { zxid, line, path }: Violation): number[] {
  const concerned: number[] = [];
  if (line < 0 && zxid <= 0) return concerned;
  for (let i = 0; i < operations.count; i++) {
    if (path === undefined || pathsOf(operations, i).includes(path)) concerned.push(i);
  }
  const distance = (i: number): number =>
    line >= 0 ? Math.abs(operations.completeLine[i]! - line) : Math.abs(place[i]! - zxid);
  const nearest = concerned.sort((a, b) => distance(a) - distance(b)).slice(0, NEARBY);
  return nearest.sort((a, b) => a - b);
}

/** Everything that has to do with the znodes and the clients of a violation. */
function coneOf(operations: Operations, { ops, path }: Violation): number[] {
  const paths = new Set(ops.flatMap((i) => pathsOf(operations, i)));
  if (path !== undefined) paths.add(path);
  for (const one of [...paths]) for (let at = one; at !== "/"; at = above(at)) paths.add(at);
  const clients = new Set(ops.map((i) => operations.proc[i]!));
  const [culprit] = ops;
  const cone: number[] = [];
  for (let i = 0; i < operations.count; i++) {
    const sameClient = clients.has(operations.proc[i]!) && (operations.op[i] === Op.sync || ops.includes(i));
    if (sameClient || pathsOf(operations, i).some((one) => paths.has(one))) cone.push(i);
  }
  if (cone.length <= MAX_CONE) return cone;
  const required = new Set(ops);
  const made = cone.filter((i) => operations.op[i] === Op.create);
  const near = cone.filter((i) => i <= culprit! + 50).slice(-MAX_CONE);
  return [...new Set([...required, ...made.slice(0, MAX_CONE), ...near])].sort((a, b) => a - b);
}

class Shrinking {
  readonly #base: History;
  readonly #places: Float64Array;
  readonly #target: Violation;
  readonly #culprit: number;
  /** What the violation speaks of stays. */
  #spokenOf: ReadonlySet<number> = new Set();
  readonly #until = performance.now() + MAX_MS;
  readonly #tickTimeMs: number;
  /** By zxid: the write there. */
  readonly #writers = new Map<number, number>();
  readonly #only: "search" | "witness";
  checks = 0;

  constructor(base: History, places: Float64Array, target: Violation, culprit: number, tickTimeMs: number) {
    this.#base = base;
    this.#places = places;
    this.#target = target;
    this.#culprit = culprit;
    this.#tickTimeMs = tickTimeMs;
    this.#only = target.rule === "search" ? "search" : "witness";
    for (let i = 0; i < base.operations.count; i++) {
      if (isWrite(base.operations.op[i]!) && places[i]! > 0) this.#writers.set(places[i]!, i);
    }
  }

  /** null: not even the whole shows it, without logs. */
  shrink(named: readonly number[]): number[] | null {
    this.#spokenOf = new Set(named);
    const all = Array.from({ length: this.#base.operations.count }, (_, i) => i);
    // What the checker names, with what that rests on, is often enough.
    const first = [this.closed(named), all].find((some) => this.#shows(some));
    if (first === undefined) return null;
    let kept = first;
    const { operations } = this.#base;
    // Whole znodes, then reads, then whatever goes.
    for (const path of new Set(kept.flatMap((i) => pathsOf(operations, i)))) {
      kept = this.#without(kept, (i) => pathsOf(operations, i).includes(path));
    }
    kept = this.#without(kept, (i) => !isWrite(operations.op[i]!));
    for (let size = Math.ceil(kept.length / 2); size >= 1 && this.checks < MAX_CHECKS; size = Math.floor(size / 2)) {
      for (let at = kept.length - size; at > -size; at -= size) {
        const gone = new Set(kept.slice(Math.max(0, at), at + size));
        kept = this.#without(kept, (i) => gone.has(i));
      }
    }
    return kept;
  }

  /** With the writes that made what these have seen, and their parents. */
  closed(wanted: readonly number[]): number[] {
    const { operations } = this.#base;
    const kept = new Set<number>();
    const add = (i: number | undefined): void => {
      if (i === undefined || kept.has(i)) return;
      kept.add(i);
      const stat = operations.statOf(i);
      for (const zxid of stat === null ? [] : [stat.czxid, stat.mzxid]) add(this.#writers.get(zxid));
      for (const path of isWrite(operations.op[i]!) ? pathsOf(operations, i) : []) add(this.#makerOf(above(path), i));
    };
    for (const i of wanted) add(i);
    return [...kept].sort((a, b) => a - b);
  }

  #makerOf(path: string, before: number): number | undefined {
    const { operations } = this.#base;
    for (let i = before - 1; i >= 0 && path !== "/"; i--) {
      if (operations.outcome[i] === Outcome.fail) continue;
      if (partsOf(operations, i).some((part) => part.op === "create" && part.path === path)) return i;
    }
    return undefined;
  }

  #without(kept: number[], gone: (i: number) => boolean): number[] {
    const rest = kept.filter((i) => !gone(i) || this.#spokenOf.has(i));
    if (rest.length === kept.length) return kept;
    const smaller = this.closed(rest);
    return smaller.length < kept.length && this.#shows(smaller) ? smaller : kept;
  }

  #shows(kept: readonly number[]): boolean {
    if (this.checks++ >= MAX_CHECKS || performance.now() > this.#until) return false;
    const history = project(this.#base, kept, this.#places);
    const { violations } = checkHistory(history, {
      logs: null,
      tickTimeMs: this.#tickTimeMs,
      only: this.#only,
      budgets: [20_000],
    });
    return violations.some(
      ({ property, anomaly, ops }) =>
        property === this.#target.property &&
        anomaly === this.#target.anomaly &&
        ops[0] !== undefined &&
        history.operations.id[ops[0]] === this.#culprit,
    );
  }
}

function above(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
