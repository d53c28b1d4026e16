/** `npm run diagrams`: draws every chart of spec/charts.ts into docs/charts. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COVERAGE_FILE, drawnFiles } from "./files.ts";

const directory = process.argv[2] ?? "docs/charts";
mkdirSync(directory, { recursive: true });
const { files } = await drawnFiles(directory);
for (const name of readdirSync(directory)) {
  if (!files.has(name) && name !== COVERAGE_FILE) rmSync(join(directory, name));
}
for (const [name, content] of files) writeFileSync(join(directory, name), content);
process.stdout.write(`${files.size} files in ${directory}: open ${join(directory, "index.html")}\n`);
