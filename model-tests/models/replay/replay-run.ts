/** One run of production's tree: txns and slices of a snapshot in some order, then a crash, then recovery. */

import type { RecoveredView } from "../../../spec/invariants/replay.invariants.ts";
import type { Zxid } from "../../../spec/vocabulary.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import type { Txn } from "../../../src/protocol/txn.ts";
import { assert } from "../../../src/runtime/assert.ts";
import type { Database } from "../../../src/tree/database.ts";
import { TreeLoader } from "../../../src/tree/snapshot-source.ts";
import { digestOf, dumpDatabase } from "../tree-world.ts";
import type { ReplayRules, Slicer } from "./replay-rules.ts";
import { BASE_ZXID, nextSequential, txnsOf } from "./replay-scripts.ts";

/** a: the next step of a txn. b: begin the snapshot. s: a slice of it. */
export type Move = "a" | "b" | "s";

interface Dump {
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly sessions: readonly (readonly [bigint, unknown])[];
  readonly ephemerals: readonly (readonly [bigint, readonly string[]])[];
}

/** What a server that never crashed has at a zxid. */
interface Expected {
  readonly dump: Dump;
  /** By path. */
  readonly nodes: ReadonlyMap<string, string>;
  readonly sessions: string;
  readonly digest: bigint;
  readonly nextName: string;
}

export interface Script {
  readonly base: readonly Txn[];
  readonly txns: readonly Txn[];
  /** All steps of all txns. */
  readonly steps: readonly Txn[];
  /** How many txns are complete after so many steps. */
  readonly completeAfter: readonly number[];
  /** Computed when it is asked for: after the base and so many txns. */
  readonly expected: (Expected | undefined)[];
}

export function scriptOf(rules: ReplayRules, letters: string): Script {
  const { base, txns } = txnsOf(rules, letters);
  const steps: Txn[] = [];
  const completeAfter = [0];
  txns.forEach((txn, index) => {
    const parts = rules.steps(txn);
    parts.forEach((part, i) => {
      steps.push(part);
      completeAfter.push(i === parts.length - 1 ? index + 1 : index);
    });
  });
  return { base, txns, steps, completeAfter, expected: [] };
}

export interface Run {
  readonly database: Database;
  readonly applied: number;
  /** The snapshot's bytes once it is whole, else null. */
  readonly snapshot: Buffer | null;
  readonly snapshotZxid: Zxid;
  readonly begun: boolean;
}

export function play(rules: ReplayRules, script: Script, moves: string): Run {
  const database = rules.database();
  for (const txn of script.base) database.apply(txn);
  let applied = 0;
  let slicer: Slicer | null = null;
  let snapshotZxid = BASE_ZXID;
  let whole = false;
  const parts: Buffer[] = [];
  for (const move of moves) {
    if (move === "a") database.apply(script.steps[applied++] as Txn);
    if (move === "b") {
      snapshotZxid = database.lastProcessedZxid;
      slicer = rules.snapshot(database);
    }
    if (slicer !== null && move !== "a") whole = slice(slicer, parts);
  }
  return { database, applied, snapshotZxid, begun: slicer !== null, snapshot: whole ? Buffer.concat(parts) : null };
}

const SYSTEM = Buffer.from("/zookeeper");

/** Up to the next node that a txn may change: those of the system never do. True when the snapshot is whole. */
function slice(slicer: Slicer, parts: Buffer[]): boolean {
  for (;;) {
    const part = slicer(1);
    if (part === null) return true;
    parts.push(part);
    const ended = part.length >= 5 && part.readInt32BE(part.length - 5) === 1 && part.at(-1) === 0x2f;
    if (ended) return true;
    if (parts.length > 1 && !part.includes(SYSTEM)) return false;
  }
}

/** Loads the snapshot and replays the first `count` txns as far as they are after its zxid. */
export function recover(rules: ReplayRules, script: Script, run: Run, count: number): Database {
  const database = rules.database();
  if (run.snapshot === null) for (const txn of script.base) database.apply(txn);
  else {
    const loader = new TreeLoader(database);
    loader.push(run.snapshot);
    assert(loader.done, "A whole snapshot ends with its marker.");
    database.lastProcessedZxid = run.snapshotZxid;
  }
  for (const txn of script.txns.slice(0, count)) if (txn.zxid > database.lastProcessedZxid) database.apply(txn);
  return database;
}

/** Compares a recovered database with one that applied everything, at the same zxid. */
export function judge(rules: ReplayRules, script: Script, database: Database, count: number): RecoveredView {
  const expected = expectedAt(rules, script, count);
  const dump = dumpDatabase(database) as Dump;
  const { nodes, sessions } = flat(dump);
  const paths = new Set([...nodes.keys(), ...expected.nodes.keys()]);
  const differences = [...paths].filter((path) => nodes.get(path) !== expected.nodes.get(path)).sort();
  if (sessions !== expected.sessions) differences.push("sessions");
  const known = new Set(dump.sessions.map(([id]) => id));
  return {
    differences,
    digestsAgree: digestOf(database) === expected.digest,
    ownerless: dump.ephemerals.filter(([id]) => !known.has(id)).flatMap(([, owned]) => owned),
    halfMultis: script.txns.slice(0, count).flatMap((txn) => halfOf(txn, database)),
    nextName: nextSequential(rules, database),
    expectedName: expected.nextName,
  };
}

function expectedAt(rules: ReplayRules, script: Script, count: number): Expected {
  const known = script.expected[count];
  if (known !== undefined) return known;
  const database = rules.database();
  for (const txn of [...script.base, ...script.txns.slice(0, count)]) database.apply(txn);
  const dump = dumpDatabase(database) as Dump;
  const made = { dump, ...flat(dump), digest: digestOf(database), nextName: nextSequential(rules, database) };
  script.expected[count] = made;
  return made;
}

function flat({ nodes, sessions }: Dump): { nodes: Map<string, string>; sessions: string } {
  const plain = (_: string, value: unknown) => (typeof value === "bigint" ? value.toString(16) : value);
  return {
    nodes: new Map(Object.entries(nodes).map(([path, node]) => [path, JSON.stringify(node, plain)])),
    sessions: JSON.stringify(sessions, plain),
  };
}

/** No script deletes what a multi has created. */
function halfOf({ body }: Txn, database: Database): string[] {
  if (body.type !== OpCode.multi || body.txns.some(({ type }) => type === OpCode.error)) return [];
  const paths = body.txns.flatMap((sub) => ("path" in sub ? [sub.path] : []));
  const there = paths.filter((path) => database.tree.get(path) !== undefined);
  return there.length === 0 || there.length === paths.length ? [] : [paths.join(" + ")];
}
