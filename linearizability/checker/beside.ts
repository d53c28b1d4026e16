/** What lies in a run folder beside the history, and is evidence too: traces of the servers, and what the run itself found. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { checkTraces } from "../../model-tests/trace/check.ts";
import { readLines } from "../../model-tests/trace/read-lines.ts";
import { RULES } from "../../model-tests/trace/violation.ts";
import type { RunManifest } from "../histories/format.ts";
import type { History } from "../histories/history.ts";
import { serverPath } from "../histories/run-folder.ts";
import type { Violation } from "./violation.ts";

export interface TraceCheck {
  readonly result: "accepted" | "refused" | "not judged";
  /** A sentence. */
  readonly summary: string;
  readonly violations: readonly Violation[];
  /** ms. */
  readonly took: number;
}

const SUMMARY_FILE = "summary.json";
const TRACE_NAME = /^trace[\w.-]*\.jsonl$/;
/** A server whose files are changed while it is down cannot go on from where its trace ends. */
const DAMAGES_FILES = /^(corrupt|wipe|roll-back|zxid-end)/;

export function checkTracesOf(folder: string, manifest: RunManifest, history: History): TraceCheck {
  const started = performance.now();
  const files = manifest.servers.flatMap((id) => tracesIn(serverPath(folder, id)));
  const damage = history.faults.find(({ nemesis, action }) => DAMAGES_FILES.test(nemesis) && action !== "skipped");
  if (files.length === 0) return notJudged("the servers wrote none");
  if (damage !== undefined) return notJudged(`${damage.nemesis} changed the files of a server behind its back`);
  const verdict = checkTraces(files.map((file) => ({ file, lines: readLines(file) })));
  const took = performance.now() - started;
  const counts = `${verdict.lines.toLocaleString("en")} lines of ${verdict.servers} servers, ${verdict.lives} lives`;
  if (verdict.violation === null) return { result: "accepted", summary: counts, violations: [], took };
  const { file, line, found, expected, rule } = verdict.violation;
  const violation: Violation = {
    property: "T1 traces follow the charts",
    rule: "traces",
    anomaly: `trace refused: ${rule}`,
    summary: `${relative(folder, file)}, line ${line}: against "${RULES[rule]}".`,
    expected,
    actual: found,
    ops: [],
    line: -1,
    zxid: -1,
  };
  return { result: "refused", summary: `${counts}; refused by ${rule}`, violations: [violation], took };
}

/** Sentences that `npm run faults` left: a server that ended by itself, or did not come back, or clients that were left waiting. */
export function findingsOf(folder: string): Violation[] {
  const file = join(folder, SUMMARY_FILE);
  if (!existsSync(file)) return [];
  const { findings } = JSON.parse(readFileSync(file, "utf8")) as { readonly findings?: readonly string[] };
  return (findings ?? []).map((summary) => {
    return {
      property: "C7 servers catch up",
      rule: "the run",
      anomaly: "no fault explains it",
      summary,
      ops: [],
      line: -1,
      zxid: -1,
    };
  });
}

function notJudged(why: string): TraceCheck {
  return { result: "not judged", summary: why, violations: [], took: 0 };
}

function tracesIn(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => TRACE_NAME.test(name))
    .map((name) => join(path, name));
}
