/** Judges one run: its history, what the servers left on their disks, their traces; and whether it is evidence at all. */
import { existsSync } from "node:fs";
import type { RunManifest } from "../histories/format.ts";
import type { History } from "../histories/history.ts";
import { readHistoryFile } from "../histories/read-history.ts";
import { type RunFolder, serverPath } from "../histories/run-folder.ts";
import { checkTracesOf, findingsOf, type TraceCheck } from "./beside.ts";
import { checkHistory, type Result, resultOf, type Verdict } from "./check-history.ts";
import { doubtsOf, type Figures, figuresOf } from "./floors.ts";
import { readServerLogs, type ServerLog } from "./witness/server-log.ts";

/** 0 valid, 1 violation, 2 unknown, vacuous, or the harness failed. */
export const EXIT_CODES: Readonly<Record<Result, number>> = { valid: 0, violation: 1, unknown: 2 };

/** The violations and doubts of a verdict, and those that the floors, the traces and the run itself add. */
export interface Judgement extends Verdict {
  readonly manifest: RunManifest;
  readonly history: History;
  readonly figures: Figures;
  /** null: black box. */
  readonly logs: readonly ServerLog[] | null;
  /** null: there is no run folder. */
  readonly traces: TraceCheck | null;
  /** ms. */
  readonly took: Verdict["took"] & { readonly read: number };
}

export interface RunOptions {
  readonly box?: RunManifest["box"];
  readonly traces?: boolean;
  /** Told how far it has come. */
  readonly progress?: (text: string) => void;
}

/** Throws HistoryError, or what the file system throws. */
export function checkRun({ folder, historyFile, manifest }: RunFolder, options: RunOptions = {}): Judgement {
  const { box = manifest.box, traces: withTraces = true, progress = () => {} } = options;
  const started = performance.now();
  const history = readHistoryFile(historyFile);
  const logs = box === "white" && folder !== null ? logsOf(folder, manifest) : null;
  const read = performance.now() - started;
  progress(
    `${history.operations.count} operations and ${logs?.length ?? 0} logs are read after ${Math.round(read)} ms`,
  );
  const checked = checkHistory(history, { logs, tickTimeMs: manifest.tickTimeMs, progress });
  const figures = figuresOf(history, manifest);
  const traces = folder === null || !withTraces ? null : checkTracesOf(folder, manifest, history);
  const beside = [...(traces?.violations ?? []), ...(folder === null ? [] : findingsOf(folder))];
  const violations = [...checked.violations, ...beside];
  const doubts = [...doubtsOf(history, manifest, figures), ...checked.doubts];
  const disagreement = doubts.some(({ reason }) => reason === "disagreement") && beside.length === 0;
  return {
    ...checked,
    verdict: disagreement ? "unknown" : resultOf(violations, doubts),
    violations,
    doubts,
    manifest,
    history,
    figures,
    logs,
    traces,
    took: { ...checked.took, read },
  };
}

function logsOf(folder: string, { servers }: RunManifest): ServerLog[] {
  return servers.flatMap((id) => {
    const path = serverPath(folder, id);
    return existsSync(path) ? readServerLogs(id, path) : [];
  });
}
