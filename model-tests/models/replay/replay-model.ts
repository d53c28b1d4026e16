/**
 * MC9, snapshot and replay: production's Database, TreeSnapshotter, TreeLoader and Prepare. Every script of a few requests,
 * every point at which a snapshot may begin, every way in which txns fall between its slices; then a crash, and recovery
 * from that snapshot at every zxid from its end on; then TRUNC of what nobody committed.
 *
 * A state is how it came about (the script and the moves), since production's objects are run anew from it.
 */

import { REPLAY_INVARIANTS, type RecoveredView } from "../../../spec/invariants/replay.invariants.ts";
import { always, type Model, sometimes } from "../../checker/model.ts";
import { type PlainStep, plainModel } from "../../checker/plain-model.ts";
import { PRODUCTION_REPLAY, type ReplayRules } from "./replay-rules.ts";
import { judge, play, type Run, recover, type Script, scriptOf } from "./replay-run.ts";
import { BASE_ZXID, REQUESTS } from "./replay-scripts.ts";

export interface ReplayBounds {
  /** Letters of REQUESTS and the longest word of them; each pair gives all words up to that length. */
  readonly scripts: readonly { readonly letters: string; readonly longest: number }[];
}

/** All requests in pairs; in threes and fours those whose txns touch what others touch. */
export const REPLAY_BOUNDS: ReplayBounds = {
  scripts: [
    { letters: "EQDRWLMXO", longest: 2 },
    { letters: "EQDMX", longest: 3 },
    { letters: "EMX", longest: 4 },
  ],
};

export const QUICK_REPLAY_BOUNDS: ReplayBounds = { scripts: [{ letters: "EQDRWLMXO", longest: 2 }] };

export function replayBoundsText({ scripts }: ReplayBounds): string {
  const longest = Math.max(...scripts.map((set) => set.longest));
  return `scripts of ${scripts.map((set) => `<= ${set.longest} of ${set.letters.length} requests`).join(", ")}; every cut of a snapshot by <= ${longest} txns; every crash after it; every TRUNC`;
}

export interface ReplayState {
  readonly script: string;
  readonly moves: string;
  /** After the crash, for each number of logged txns from the snapshot's end on. */
  readonly recovered: readonly RecoveredView[];
  readonly truncated: RecoveredView | null;
}

export interface ReplayModelOptions {
  readonly bounds: ReplayBounds;
  readonly rules?: ReplayRules;
  /** Only this invariant is looked at. */
  readonly only?: string | undefined;
}

export function replayModel({ bounds, rules = PRODUCTION_REPLAY, only }: ReplayModelOptions): Model<ReplayState> {
  const scripts = new Map<string, Script>();
  const scriptNamed = (letters: string): Script => {
    const known = scripts.get(letters);
    if (known !== undefined) return known;
    const made = scriptOf(rules, letters);
    scripts.set(letters, made);
    return made;
  };
  return plainModel<ReplayState>({
    name: "replay",
    initial: words(bounds).map((script) => ({ script, moves: "", recovered: [], truncated: null })),
    key: ({ script, moves, recovered, truncated }) =>
      `${script} ${moves} ${JSON.stringify(recovered)} ${JSON.stringify(truncated)}`,
    actions: ["Apply", "BeginSnapshot", "Slice", "CrashAndRecover", "Truncate"],
    faults: ["CrashAndRecover", "Truncate"],
    steps: (state) => stepsOf(rules, scriptNamed(state.script), state),
    properties: {
      always: REPLAY_INVARIANTS.filter(({ name }) => only === undefined || name === only).map(({ name, holds }) =>
        always<ReplayState>(name, ({ recovered, truncated }) => {
          return recovered.every(holds) && (truncated === null || holds(truncated));
        }),
      ),
      sometimes: [
        sometimes("a txn falls between two slices", ({ moves }) => /[bs]a+s/.test(moves)),
        sometimes(
          "a server recovers with a session closed while the snapshot was taken",
          ({ script, moves, recovered }) => {
            const cut = moves.indexOf("b");
            return recovered.length > 0 && cut >= 0 && script.indexOf("X") >= moves.slice(0, cut).length;
          },
        ),
        sometimes("what nobody committed is cut off", ({ truncated }) => truncated !== null),
      ],
    },
    lanes: ["server"],
    facts: ({ script, recovered, truncated }) => factsOf(script, recovered, truncated),
  });
}

function* stepsOf(rules: ReplayRules, script: Script, state: ReplayState): Generator<PlainStep<ReplayState>> {
  const { moves } = state;
  if (state.truncated !== null) return;
  const run = play(rules, script, moves);
  const { length } = script.txns;
  if (state.recovered.length > 0) {
    // What was replayed at the start was logged, not necessarily committed; a snapshot is taken of it at once.
    for (let keep = atEnd(script, run); keep < length; keep++) {
      const truncated = judge(rules, script, afterTrunc(rules, script, run, keep), keep);
      yield { action: "Truncate", detail: `to txn ${keep}`, lane: 0, next: { ...state, truncated } };
    }
    return;
  }
  const next = (move: string): ReplayState => ({ ...state, moves: moves + move });
  const step = script.steps[run.applied];
  if (step !== undefined) {
    const txn = script.completeAfter[run.applied] as number;
    const { text } = REQUESTS[state.script[txn] as string] as (typeof REQUESTS)[string];
    yield { action: "Apply", detail: `txn ${txn + 1}: ${text}`, lane: 0, next: next("a") };
  }
  if (!run.begun) yield { action: "BeginSnapshot", lane: 0, next: next("b") };
  else if (run.snapshot === null) yield { action: "Slice", lane: 0, next: next("s") };
  else {
    const recovered: RecoveredView[] = [];
    for (let count = atEnd(script, run); count <= length; count++) {
      recovered.push(judge(rules, script, recover(rules, script, run, count), count));
    }
    yield { action: "CrashAndRecover", lane: 0, next: { ...state, recovered } };
  }
}

/** Txns of which something may be in the snapshot: they are all in the log before it counts. */
function atEnd({ completeAfter }: Script, { applied }: Run): number {
  const complete = completeAfter[applied] as number;
  const begunOnly = applied > 0 && completeAfter[applied - 1] === complete;
  return begunOnly ? complete + 1 : complete;
}

/** The server replayed its whole log, took a snapshot, and then was told to forget everything after txn `keep`. */
function afterTrunc(rules: ReplayRules, script: Script, run: Run, keep: number) {
  const recovered = recover(rules, script, run, script.txns.length);
  const slicer = rules.snapshot(recovered);
  const parts: Buffer[] = [];
  for (let part = slicer(100); part !== null; part = slicer(100)) parts.push(part);
  const trunc = BASE_ZXID + keep;
  const survives = rules.survivesTrunc(recovered.lastProcessedZxid, trunc);
  const from = survives ? { ...run, snapshot: Buffer.concat(parts), snapshotZxid: recovered.lastProcessedZxid } : run;
  return recover(rules, script, from, keep);
}

function words({ scripts }: ReplayBounds): string[] {
  const all = new Set<string>();
  for (const { letters, longest } of scripts) {
    let shorter = [""];
    for (let length = 1; length <= longest; length++) {
      shorter = shorter.flatMap((word) => [...letters].map((letter) => word + letter));
      for (const word of shorter) all.add(word);
    }
  }
  return [...all];
}

function factsOf(script: string, recovered: readonly RecoveredView[], truncated: RecoveredView | null) {
  const facts = new Map([["script", [...script].map((letter) => REQUESTS[letter]?.text).join("; ")]]);
  const all = truncated === null ? recovered : [truncated];
  for (const view of all) {
    if (view.differences.length > 0) facts.set("differs", view.differences.join(" "));
    if (!view.digestsAgree) facts.set("digest", "differs");
    if (view.ownerless.length > 0) facts.set("without session", view.ownerless.join(" "));
    if (view.halfMultis.length > 0) facts.set("half a multi", view.halfMultis.join(", "));
    if (view.nextName !== view.expectedName) facts.set("next name", `${view.nextName}, not ${view.expectedName}`);
  }
  return facts;
}
