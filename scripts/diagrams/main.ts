import { mkdirSync, writeFileSync } from "node:fs";
import { charts } from "../../spec/charts.ts";
import { NO_COVERAGE } from "./coverage.ts";
import { drawMachine } from "./draw.ts";
import { standaloneSvg } from "./svg.ts";

const out = process.argv[2] ?? "docs/charts";
mkdirSync(out, { recursive: true });
for (const { machine } of charts) {
  const t = performance.now();
  for (const { figure, placed } of await drawMachine(machine, NO_COVERAGE)) {
    writeFileSync(`${out}/${figure.name}.svg`, standaloneSvg(placed, machine.id));
    process.stdout.write(`${figure.name} ${placed.width}x${placed.height} ${performance.now() - t}\n`);
  }
}
