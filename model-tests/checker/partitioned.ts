/**
 * The search of `explorer.ts` on several threads: a state belongs to the thread that its fingerprint names. Level by
 * level, so depths and shortest counterexamples are the same; liveness needs the whole graph and is left to one thread.
 */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { assert } from "../../src/runtime/assert.ts";
import { summed } from "./chart-coverage.ts";
import type { Check } from "./check.ts";
import type { ExploreOptions } from "./explorer.ts";
import type { Coverage, FiredCounts, Model } from "./model.ts";
import { type Report, reportOf } from "./report.ts";
import type { Finding } from "./shard.ts";
import { NO_PARENT } from "./state-store.ts";
import { type Counterexample, counterexampleAt } from "./trace.ts";
import type { Ancestor, LevelDone, WorkerCommand, WorkerData, WorkerReply } from "./worker-messages.ts";

export interface PartitionedOptions extends ExploreOptions {
  readonly workers: number;
}

/** `model`: of this check; counterexamples are traces of it. Each thread has one of its own. */
export async function explorePartitioned(
  check: Check,
  model: Model<unknown>,
  options: PartitionedOptions,
): Promise<Report> {
  const { workers: count, symmetry = check.symmetry ?? false, keepGoing = false, maxSeconds, maxDepth } = options;
  assert(model.properties.reachable.length === 0, "Liveness is checked on one thread.");
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const maxStates = Math.ceil((options.maxStates ?? Number.POSITIVE_INFINITY) / count);
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const workers = spawn(count, (index, ports) => {
    return { check: check.name, index, shards: count, symmetry, keepGoing, maxStates, ports, stop };
  });

  try {
    const timer = maxSeconds === undefined ? undefined : setTimeout(() => Atomics.store(stop, 0, 1), maxSeconds * 1000);
    let levels = await Promise.all(workers.map((worker) => worker.next<LevelDone>()));
    const total = (of: (level: LevelDone) => number) => levels.reduce((sum, level) => sum + of(level), 0);
    const isCut = () => Atomics.load(stop, 0) !== 0 || depthOf(levels) >= (maxDepth ?? Number.POSITIVE_INFINITY);
    while (total(({ size }) => size) > 0 && !isCut()) {
      levels = await Promise.all(workers.map((worker) => worker.ask<LevelDone>({ type: "expand" })));
      options.onProgress?.({
        depth: depthOf(levels),
        distinct: total(({ distinct }) => distinct),
        generated: total(({ generated }) => generated),
        queue: total(({ queue }) => queue),
        seconds: elapsed(),
      });
    }
    clearTimeout(timer);

    const complete = total(({ size }) => size) === 0 && Atomics.load(stop, 0) === 0;
    const violations: Counterexample[] = [];
    for (const { property, kind, parent, ordinal } of firstOfEach(levels.flatMap(({ findings }) => findings)))
      violations.push(counterexampleAt(model, property, kind, [...(await ordinalsTo(workers, parent)), ordinal]));
    const first = levels[0] as LevelDone;
    const tally = {
      complete,
      distinct: total(({ distinct }) => distinct),
      generated: total(({ generated }) => generated),
      depth: depthOf(levels),
      queue: complete ? 0 : total(({ queue }) => queue),
      terminal: total(({ terminal }) => terminal),
      bytes: total(({ bytes }) => bytes),
      taken: first.taken.map((_, kind) => total(({ taken }) => taken[kind] ?? 0)),
      reached: first.reached.map((_, goal) => levels.some(({ reached }) => reached[goal])),
      coverage: united(levels.map(({ coverage }) => coverage)),
      seconds: elapsed(),
      workers: count,
      symmetry: symmetry && model.symmetry !== undefined,
    };
    return reportOf(model, tally, violations);
  } finally {
    for (const worker of workers) worker.close();
  }
}

/** Asks one worker one thing at a time. */
class WorkerLink {
  readonly #worker: Worker;
  #settle: { resolve: (reply: WorkerReply) => void; reject: (error: Error) => void } | null = null;
  readonly #early: WorkerReply[] = [];

  constructor(data: WorkerData) {
    const ports = data.ports.filter((port) => port !== null);
    this.#worker = new Worker(new URL("./shard-worker.js", import.meta.url), { workerData: data, transferList: ports });
    this.#worker.on("message", (reply: WorkerReply) => {
      if (this.#settle === null) this.#early.push(reply);
      else this.#settle.resolve(reply);
      this.#settle = null;
    });
    this.#worker.on("error", (error: Error) => this.#settle?.reject(error));
  }

  next<Reply extends WorkerReply>(): Promise<Reply> {
    const early = this.#early.shift();
    if (early !== undefined) return Promise.resolve(early as Reply);
    return new Promise((resolve, reject) => {
      this.#settle = { resolve: (reply) => resolve(reply as Reply), reject };
    });
  }

  ask<Reply extends WorkerReply>(command: WorkerCommand): Promise<Reply> {
    const reply = this.next<Reply>();
    this.#worker.postMessage(command);
    return reply;
  }

  close(): void {
    void this.#worker.terminate();
  }
}

function spawn(count: number, dataOf: (index: number, ports: (MessagePort | null)[]) => WorkerData): WorkerLink[] {
  const ports: (MessagePort | null)[][] = Array.from({ length: count }, () => new Array<null>(count).fill(null));
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      (ports[a] as (MessagePort | null)[])[b] = port1;
      (ports[b] as (MessagePort | null)[])[a] = port2;
    }
  }
  return ports.map((own, index) => new WorkerLink(dataOf(index, own)));
}

/** Walks up the parents, from shard to shard. */
async function ordinalsTo(workers: readonly WorkerLink[], reference: number): Promise<number[]> {
  const ordinals: number[] = [];
  for (let at = reference; at !== NO_PARENT; ) {
    const owner = workers[at % workers.length] as WorkerLink;
    const number = Math.floor(at / workers.length);
    const { parent, ordinal } = await owner.ask<Ancestor>({ type: "ancestor", number });
    ordinals.push(ordinal);
    at = parent;
  }
  return ordinals.reverse();
}

function depthOf(levels: readonly LevelDone[]): number {
  return Math.max(...levels.map(({ depth }) => depth));
}

function firstOfEach(findings: readonly Finding[]): Finding[] {
  const first = new Map<string, Finding>();
  for (const finding of [...findings].sort((a, b) => a.depth - b.depth))
    if (!first.has(finding.property)) first.set(finding.property, finding);
  return [...first.values()];
}

/** A transition is missing if no worker fired it. */
function united(parts: readonly (Coverage | null)[]): Coverage | null {
  const known = parts.filter((part) => part !== null);
  const first = known[0];
  if (first === undefined) return null;
  const missing = first.missing.filter((name) => known.every((part) => part.missing.includes(name)));
  const counts = known.reduce((sum, part) => summed(sum, part.counts), {} as FiredCounts);
  return { fired: first.total - missing.length, total: first.total, missing, counts };
}
