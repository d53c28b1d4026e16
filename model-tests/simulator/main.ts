/** `npm run simulate [-- --seed N] [-- --seeds N] [-- --from N]`: level 2, whole ensembles in virtual time. */
import { parseArgs } from "node:util";
import { chaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "50" },
    from: { type: "string", default: "1" },
    "fault-ms": { type: "string", default: "30000" },
    verbose: { type: "boolean", default: false },
  },
});

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const startedMs = Date.now();
let simulatedMs = 0;
let operations = 0;
let faults = 0;
let leaderChanges = 0;
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = await chaos({ seed, faultMs: Number(values["fault-ms"]) });
  simulatedMs += result.simulatedMs;
  operations += result.operations;
  faults += result.faults;
  leaderChanges += result.leaderChanges;
  if (!result.ok || values.verbose) {
    console.log(`seed ${seed}: ${result.ok ? "ok" : "VIOLATION"}`);
    for (const event of result.events) console.log(`  ${event}`);
    for (const violation of result.violations) console.log(`  ! ${violation}`);
    if (!result.ok) console.log(`  replay: npm run simulate -- --seed ${seed} --verbose`);
  }
  if (!result.ok) failed++;
}
const wallS = (Date.now() - startedMs) / 1000;
console.log(
  `${count} seeds, ${operations} operations, ${faults} faults, ${leaderChanges} epochs seen, ` +
    `${(simulatedMs / 1000).toFixed(0)} simulated s in ${wallS.toFixed(1)} s (${(simulatedMs / 1000 / wallS).toFixed(0)} x); ${failed} failed`,
);
process.exitCode = failed > 0 ? 1 : 0;
