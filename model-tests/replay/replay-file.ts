/** A replay file (`npm run check:model -- … --diagrams DIR` writes them) and what real servers make of it. */

import { CHECKS, MUTANTS } from "../checker/checks.ts";
import type { Model } from "../checker/model.ts";
import { type TraceStep, traceOf } from "../checker/trace.ts";
import type { JoinedModel } from "../models/joined/joined-model.ts";
import type { SessionModel } from "../models/sessions/session-model.ts";
import { ReplayError } from "./replay-error.ts";
import { SessionReplay } from "./session-replay.ts";
import { type ReplayResult, realBounds, ZabReplay } from "./zab-replay.ts";

export interface ReplayFile {
  /** Name of a check or of a mutant, and the property that failed. */
  readonly check: string;
  readonly property: string;
  readonly kind: string;
  /** Which successor was taken, step by step: see checker/trace.ts. */
  readonly ordinals: readonly number[];
}

export interface Replayed extends ReplayResult {
  readonly name: string;
  readonly property: string;
  readonly kind: string;
  readonly isMutant: boolean;
}

export function parseReplayFile(text: string): ReplayFile {
  const { check, property, kind = "always", ordinals } = JSON.parse(text) as Partial<ReplayFile>;
  if (typeof check !== "string" || typeof property !== "string" || !Array.isArray(ordinals)) {
    throw new ReplayError("This is no replay file: it has no check, property and ordinals.");
  }
  return { check, property, kind, ordinals };
}

export async function replayFile({ check: title, property, kind, ordinals }: ReplayFile): Promise<Replayed> {
  const named = (name: string): boolean => title === name || title.startsWith(`${name} `);
  const mutant = MUTANTS.filter(({ name }) => named(name)).sort((a, b) => b.name.length - a.name.length)[0];
  const check = mutant ?? CHECKS.filter(({ name }) => named(name)).sort((a, b) => b.name.length - a.name.length)[0];
  if (check === undefined) throw new ReplayError(`There is neither a check nor a mutant for "${title}".`);
  const model = await check.load();
  const result = runReal(model, check.bounds, ordinals);
  return { ...result, name: check.name, property, kind, isMutant: mutant !== undefined };
}

export function runReal(model: Model<unknown>, bounds: string, ordinals: readonly number[]): ReplayResult {
  if ("bounds" in model) return new SessionReplay(model as SessionModel).run(traceOf(model, ordinals));
  if ("joined" in model) return replayJoined(model as JoinedModel, traceOf(model, ordinals));
  if (model.name !== "zab") {
    throw new ReplayError(
      `The steps of model ${model.name} are not those of real servers: only those of Zab's and the session models are.`,
    );
  }
  return new ZabReplay(realBounds(bounds)).run(model, traceOf(model, ordinals));
}

/** From the start of the servers, which elect by themselves. */
export function replayJoined(model: JoinedModel, trace: readonly TraceStep[]): ReplayResult {
  const replay = new ZabReplay({ ...model.joined, serving: 0 }, model.joined);
  return replay.run(model, [...model.prelude(), ...trace.slice(1)]);
}

/** One line for each step, and what it comes to. */
export function replayLines(replayed: Replayed): string[] {
  const lines = replayed.steps.flatMap(({ text, changed, differences }, at) => [
    `${String(at + 1).padStart(4)}  ${text.padEnd(34)}  ${clipped(changed)}`.trimEnd(),
    ...differences.map((difference) => `      real servers: ${difference}`),
  ]);
  return [...lines, `${replayed.name}: ${verdictOf(replayed)}`];
}

function verdictOf({ property, kind, isMutant, steps, departedAt }: Replayed): string {
  const whose = isMutant ? "the mutant" : "the model";
  if (departedAt !== null) {
    return `the real servers depart from ${whose} at step ${departedAt + 1}: "${property}" does not fail on them by this trace.`;
  }
  const did = `the real servers did all ${steps.length} steps as ${whose} does`;
  return kind === "reachable"
    ? `${did}. That "${property}" cannot be reached from there is what comes after them, and is not replayed.`
    : `${did}: "${property}" fails on them too.`;
}

/** The violation is on real servers. */
export function shows({ kind, departedAt }: Replayed): boolean {
  return departedAt === null && kind !== "reachable";
}

const clipped = (text: string): string => (text.length > 160 ? `${text.slice(0, 159)}…` : text);
