/** `npm run check:plants [-- NAME…]`: plants one fault after the other in a copy of the build, and sees whether it is flagged. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkRun } from "../checker/check-run.ts";
import { openRun } from "../histories/run-folder.ts";
import { NEMESES, NONE } from "../nemesis/index.ts";
import { run } from "../run/run.ts";
import { planRun } from "../run/tiers.ts";
import { PLANTS, type Plant } from "./plants.ts";

const BUILD = fileURLToPath(new URL("../../", import.meta.url));
/** Room for two strikes. */
const SECONDS = 34;

type Outcome = "flagged" | "missed" | "skipped";

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !PLANTS.some((plant) => plant.name === name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no plant ${unknown}: ${PLANTS.map(({ name }) => name).join(", ")}.\n`);
    return 2;
  }
  const chosen = PLANTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const outcomes: Outcome[] = [];
  for (const plant of chosen) outcomes.push(await tried(plant));
  const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
  say(`${count("flagged")} flagged, ${count("missed")} missed, ${count("skipped")} skipped`);
  return count("missed") === 0 ? 0 : 1;
}

async function tried(plant: Plant): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-plant-"));
  // Below the build: there its servers find the packages they run on.
  const serverBuild = mkdtempSync(join(BUILD, "plant-"));
  const { signal, interrupted } = interruption();
  try {
    const lacks = NEMESES.find(({ name }) => name === plant.nemesis)?.lacks?.({ kind: "zoetrope", servers: 3 });
    if (lacks != null) {
      say(`skipped  ${plant.name}: ${lacks}`);
      return "skipped";
    }
    putIn(plant, serverBuild);
    const { nemesis, workloads, seed = 1 } = plant;
    const nemeses = nemesis === NONE ? [] : [nemesis];
    const subject = { seed, load: 1, kind: "zoetrope", serverBuild } as const;
    const plan = planRun({ ...subject, servers: 3, seconds: SECONDS, workloads, nemeses });
    await run({ plan, directory, signal, say: () => {}, started: () => {} });
    if (signal.aborted) process.exit(130);
    const { violations } = checkRun(openRun(directory));
    const found = violations.find(({ property }) => plant.breaks.includes(property));
    if (found !== undefined) {
      say(`flagged  ${plant.name}: ${plant.about}\n         ${found.property}: ${found.summary}`);
      rmSync(directory, { recursive: true });
      return "flagged";
    }
    const others = [...new Set(violations.map(({ property }) => property))].join(", ") || "nothing";
    say(`MISSED   ${plant.name}: ${plant.about} Found: ${others}. Kept: ${directory}`);
    return "missed";
  } finally {
    interrupted();
    rmSync(serverBuild, { recursive: true });
  }
}

function putIn({ file, before, after }: Plant, build: string): void {
  for (const room of ["spec", "src"]) cpSync(join(BUILD, room), join(build, room), { recursive: true });
  const path = join(build, file);
  const text = readFileSync(path, "utf8");
  if (text.split(before).length !== 2) throw new Error(`${file} does not hold ${JSON.stringify(before)} once`);
  writeFileSync(
    path,
    text.replace(before, () => after),
  );
}

/** Ctrl-C ends the run with its servers. */
function interruption(): { readonly signal: AbortSignal; readonly interrupted: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.once("SIGINT", abort);
  return { signal: controller.signal, interrupted: () => process.off("SIGINT", abort) };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exit(await main(process.argv.slice(2)));
