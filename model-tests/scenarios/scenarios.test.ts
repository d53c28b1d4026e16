/** Plays every transcript. `UPDATE=1 npx vitest run model-tests/scenarios` records anew: commit only what you can explain. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { play } from "./play.ts";
import { formatTranscript, parseTranscript } from "./transcript.ts";

const here = import.meta.dirname;
const files = readdirSync(here, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".txt"))
  .sort();

describe("scenarios", () => {
  test.each(files)("%s", { timeout: 30_000 }, async (file) => {
    const path = join(here, file);
    const blocks = parseTranscript(readFileSync(path, "utf8"));
    const played = formatTranscript(await play(blocks));
    if (process.env["UPDATE"] === "1") writeFileSync(path, played);
    else expect(played).toBe(formatTranscript(blocks));
  });
});

test("a transcript that is parsed and written is the same", () => {
  const text = "# Prose.\nstart\n----\n1 starts\n\nrun 5\n----\n";
  expect(formatTranscript(parseTranscript(text))).toBe(text);
});
