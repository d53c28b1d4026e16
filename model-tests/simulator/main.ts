/**
 * `npm run simulate [-- --seed N] [-- --seeds N] [-- --from N]`: level 2, whole ensembles in virtual time. The traces of all
 * servers are replayed through the charts as well; `--traces DIR` keeps them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkTraces, type TraceSource } from "../trace/check.ts";
import { TraceRecorder } from "../trace/recorder.ts";
import { formatViolation } from "../trace/violation.ts";
import { chaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "50" },
    from: { type: "string", default: "1" },
    "fault-ms": { type: "string", default: "30000" },
    verbose: { type: "boolean", default: false },
    traces: { type: "string" },
  },
});

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const startedMs = Date.now();
let simulatedMs = 0;
let operations = 0;
let faults = 0;
let leaderChanges = 0;
let traced = 0;
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const recorder = new TraceRecorder();
  const result = await chaos({ seed, faultMs: Number(values["fault-ms"]), traced: recorder.traced });
  const sources = recorder.sources();
  const { violation: refusal, lines } = checkTraces(sources);
  const ok = result.ok && refusal === null;
  traced += lines;
  if (values.traces !== undefined) keep(join(values.traces, `seed-${seed}`), sources);
  simulatedMs += result.simulatedMs;
  operations += result.operations;
  faults += result.faults;
  leaderChanges += result.leaderChanges;
  if (!ok || values.verbose) {
    console.log(`seed ${seed}: ${ok ? "ok" : "VIOLATION"}`);
    for (const event of result.events) console.log(`  ${event}`);
    for (const violation of result.violations) console.log(`  ! ${violation}`);
    if (refusal !== null) console.log(`  ! ${formatViolation(refusal)}`);
    if (!ok) console.log(`  replay: npm run simulate -- --seed ${seed} --verbose`);
  }
  if (!ok) failed++;
}
const wallS = (Date.now() - startedMs) / 1000;
console.log(
  `${count} seeds, ${operations} operations, ${faults} faults, ${leaderChanges} epochs seen, ${traced} lines of traces, ` +
    `${(simulatedMs / 1000).toFixed(0)} simulated s in ${wallS.toFixed(1)} s (${(simulatedMs / 1000 / wallS).toFixed(0)} x); ${failed} failed`,
);
process.exitCode = failed > 0 ? 1 : 0;

function keep(directory: string, sources: readonly TraceSource[]): void {
  mkdirSync(directory, { recursive: true });
  for (const { file, lines } of sources) writeFileSync(join(directory, file), `${[...lines].join("\n")}\n`);
}
