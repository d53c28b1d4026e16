/** Judges one run: what it left on disk, and whether it is evidence at all. */
import { existsSync } from "node:fs";
import type { RunManifest } from "../histories/format.ts";
import type { History } from "../histories/history.ts";
import { readHistoryFile } from "../histories/read-history.ts";
import { type RunFolder, serverPath } from "../histories/run-folder.ts";
import { checkHistory, type Result, resultOf, type Verdict } from "./check-history.ts";
import { doubtsOf, type Figures, figuresOf } from "./floors.ts";
import { readServerLogs, type ServerLog } from "./witness/server-log.ts";

/** 0 valid, 1 violation, 2 unknown, vacuous, or the harness failed. */
export const EXIT_CODES: Readonly<Record<Result, number>> = { valid: 0, violation: 1, unknown: 2 };

/** The doubts of a verdict are here with those that the floors give. */
export interface Judgement extends Verdict {
  readonly manifest: RunManifest;
  readonly history: History;
  readonly figures: Figures;
  /** null: black box. */
  readonly logs: readonly ServerLog[] | null;
  /** ms. */
  readonly took: Verdict["took"] & { readonly read: number };
}

/** Throws HistoryError, or what the file system throws. */
export function checkRun({ folder, historyFile, manifest }: RunFolder, box = manifest.box): Judgement {
  const started = performance.now();
  const history = readHistoryFile(historyFile);
  const logs = box === "white" && folder !== null ? logsOf(folder, manifest) : null;
  return judge(history, manifest, logs, performance.now() - started);
}

export function judge(history: History, manifest: RunManifest, logs: readonly ServerLog[] | null, read = 0): Judgement {
  const checked = checkHistory(history, { logs, tickTimeMs: manifest.tickTimeMs });
  const figures = figuresOf(history, manifest);
  const doubts = [...doubtsOf(history, manifest, figures), ...checked.doubts];
  const verdict = resultOf(checked.violations, doubts);
  return { ...checked, verdict, doubts, manifest, history, figures, logs, took: { ...checked.took, read } };
}

function logsOf(folder: string, { servers }: RunManifest): ServerLog[] {
  return servers.flatMap((id) => {
    const path = serverPath(folder, id);
    return existsSync(path) ? readServerLogs(id, path) : [];
  });
}
