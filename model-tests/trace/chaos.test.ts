import { Schema } from "effect";
import { expect, test } from "vitest";
import { chaos } from "../simulator/chaos.ts";
import { checkTraces } from "./check.ts";
import { TraceLine } from "./format.schema.ts";
import { TraceRecorder } from "./recorder.ts";

// Crashes, torn disks, partitions, pauses, observers, snapshots to learners that are far behind. A longer walk:
// `npm run coverage:charts`.
test.each([2, 13, 23])("the traces of simulated chaos are accepted: seed %i", { timeout: 60_000 }, async (seed) => {
  const recorder = new TraceRecorder();
  await chaos({ seed, faultMs: 6000, traced: recorder.traced });
  const sources = recorder.sources();
  const verdict = checkTraces(sources);
  expect(verdict.violation).toBeNull();
  expect(verdict.lines).toBeGreaterThan(3000);

  const isLine = Schema.is(TraceLine);
  const strange = sources.flatMap(({ lines }) => [...lines].filter((line) => !isLine(JSON.parse(line))));
  expect(strange.slice(0, 3), "lines that the schema does not know").toEqual([]);
});
