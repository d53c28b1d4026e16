import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { fixtures } from "../../model-tests/parity/fixtures.ts";
import { charts } from "../../spec/charts.ts";
import { NO_COVERAGE } from "./coverage.ts";
import { drawMachine, MAX_WIDTH, type Picture } from "./draw.ts";
import { COVERAGE_FILE, type DrawnFiles, drawnFiles } from "./files.ts";
import { flaws } from "./legible.ts";
import { FONT_SIZE } from "./text.ts";

const DIRECTORY = join(import.meta.dirname, "../../docs/charts");
const REMEDY = "docs/charts is stale: run `npm run diagrams` and commit what it draws";

let drawn: DrawnFiles;
beforeAll(async () => {
  drawn = await drawnFiles(DIRECTORY);
}, 180_000);

test("docs/charts shows the charts as they are", () => {
  const present = existsSync(DIRECTORY) ? readdirSync(DIRECTORY).filter((name) => name !== COVERAGE_FILE) : [];
  expect(present.sort(), REMEDY).toEqual([...drawn.files.keys()].sort());
  const stale = [...drawn.files].filter(([name, text]) => readFileSync(join(DIRECTORY, name), "utf8") !== text);
  expect(
    stale.map(([name]) => name),
    REMEDY,
  ).toEqual([]);
});

describe("figures are legible: text fits, nothing overlaps, no line runs through words", () => {
  const check = (pictures: readonly Picture[]): void => {
    expect(pictures.length).toBeGreaterThan(0);
    for (const { figure, placed } of pictures) {
      expect(flaws(placed), figure.name).toEqual([]);
      expect(placed.width, figure.name).toBeLessThanOrEqual(MAX_WIDTH);
    }
  };

  test.for(charts)("$machine.id", ({ machine }) => {
    check(drawn.entries.find(({ chart }) => chart.machine === machine)?.pictures ?? []);
  });

  test("how to read them", () => {
    check(drawn.legend);
  });

  test.for(fixtures)("$machine.id", async ({ machine }) => {
    check(await drawMachine(machine, NO_COVERAGE));
  });

  test("and no text is smaller than 12 px", () => {
    expect(Math.min(...Object.values(FONT_SIZE))).toBeGreaterThanOrEqual(12);
  });
});

test("a flawed figure is told from a legible one", () => {
  const [picture] = drawn.legend;
  const { placed } = picture as Picture;
  const moved = (path: string, by: object) => ({
    ...placed,
    states: placed.states.map((it) => (it.state.path === path ? { ...it, ...by } : it)),
  });
  const end = placed.states.find(({ state }) => state.path === "end");
  expect(flaws(moved("beginning", { x: end?.x, y: end?.y }))).toContain("beginning overlaps end");
  expect(flaws(moved("beginning", { width: 50 }))).toContain("the text of beginning is wider than its box");
  expect(flaws(moved("nested.serving", { x: 0 }))).toContain(
    "nested.serving leaves the box around it, or covers its heading",
  );
  expect(flaws(moved("end", { y: 0, height: 600 })).join()).toContain("beginning → nested runs through end");
});
