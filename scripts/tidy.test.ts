import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeFinding, findings, readRepository } from "./tidy.ts";
import { codeOf, importsOf } from "./tidy-source.ts";

test("the house is tidy", () => {
  const files = readRepository(join(import.meta.dirname, ".."));
  expect(files.size).toBeGreaterThan(50);
  expect(findings(files).map(describeFinding)).toEqual([]);
});

describe("tidy finds", () => {
  const found = (file: string, text: string, more: Record<string, string> = {}) =>
    findings(new Map(Object.entries({ [file]: text, ...more }))).map(describeFinding);

  test("an import from a room that is not open to this one", () => {
    expect(
      found("src/tree/a.ts", 'import { x } from "../protocol/x.ts";\nimport { y } from "../pipeline/y.ts";'),
    ).toEqual(["src/tree/a.ts:2 src/tree may not import src/pipeline/y.ts"]);
    expect(found("spec/peer/a.ts", 'import type { X } from "../../src/tree/x.ts";')).toHaveLength(1);
    expect(found("src/protocol/a.ts", 'export * from "../../spec/quorum.ts";')).toHaveLength(1);
    expect(found("src/server/a.ts", 'await import("../host/disk.ts");')[0]).toContain(
      "may not import src/host/disk.ts",
    );
    expect(found("model-tests/a.ts", 'import "../src/host/disk.ts";')).toHaveLength(1);
  });

  test("more of the boundary than its types", () => {
    const boundary = (kind: string) => found("src/pipeline/a.ts", `import ${kind}{ Effect } from "../server/io.ts";`);
    expect(boundary("type ")).toEqual([]);
    expect(boundary("")).toEqual([
      "src/pipeline/a.ts:1 src/pipeline may not import src/server/io.ts (only its types, with `import type`)",
    ]);
  });

  test("a package in a room that has none, and a schema on a server's way", () => {
    expect(found("src/tree/a.ts", 'import { readFileSync } from "node:fs";')).toHaveLength(1);
    expect(found("src/tree/a.ts", 'import { crc32 } from "node:zlib";')).toEqual([]);
    expect(found("src/client/clock.ts", 'import { performance } from "node:perf_hooks";')).toEqual([]);
    expect(found("spec/a.ts", 'import { Schema } from "effect";')).toHaveLength(1);
    expect(found("spec/a.schema.ts", 'import { Schema } from "effect";')).toEqual([]);
    expect(found("src/server/a.ts", 'import { config } from "./config.schema.ts";')).toHaveLength(1);
  });

  test("clocks, timers, randomness, console, process and promises in a pure room", () => {
    const body =
      "Date.now();\nsetTimeout(f, 1);\nMath.random();\nconsole.log(1);\nprocess.exit(1);\nasync () => await x;";
    expect(found("src/tree/a.ts", body).map((it) => it.split(" ")[0])).toEqual(
      [1, 2, 3, 4, 5, 6, 6].map((line) => `src/tree/a.ts:${line}`),
    );
    expect(found("src/tree/a.ts", "new Date(ms).toISOString();\nnew Date();\nproof.await(id);")).toEqual([
      "src/tree/a.ts:2 new Date: the wall clock stays outside; the host brings it in",
    ]);
    expect(found("src/host/a.ts", body)).toEqual([]);
    expect(found("src/tree/a.test.ts", body)).toEqual([]);
    expect(found("src/client/a.ts", "const a = async () => await b;")).toEqual([]);
  });

  test("nothing in comments, strings and regular expressions", () => {
    expect(
      found("src/tree/a.ts", '// Date.now()\n/* await\n   console.log */ const a = "Math.random"; /async/.test(b);'),
    ).toEqual([]);
  });

  test("long files, skipped and lonely tests", () => {
    expect(found("src/tree/a.ts", "\n".repeat(451))[0]).toContain("451 lines");
    expect(found("src/tree/a.test.ts", 'test.skip("x", f);\ndescribe.only("y", g);')).toHaveLength(2);
  });

  test("paths of a machine and unfinished things, in any file", () => {
    expect(found("docs/a.md", "See /home/someone/notes.")).toEqual([
      "docs/a.md:1 /home/someone: an absolute path of some machine",
    ]);
    expect(found("docs/a.md", "ls ./home/x and https://host/work/x")).toEqual([]);
    expect(found("src/tree/a.ts", "// TODO: later")).toHaveLength(1);
  });

  test("commands of the documentation that do not exist", () => {
    const manifest = JSON.stringify({ scripts: { test: "vitest", "check:model": "x" } });
    const readme = "`npm test`, `npm run check:model`,\n`npm run dance`, npm start.";
    expect(found("README.md", readme, { "package.json": manifest })).toEqual([
      'README.md:2 npm script "dance" is not in package.json',
      'README.md:2 npm script "start" is not in package.json',
    ]);
  });
});

describe("reading source", () => {
  test("comments and strings become blanks, lines stay", () => {
    expect(codeOf('a; // b\n"c" + `d`; f', false)).toBe("a;     \n    +    ; f");
    expect(codeOf("x = a / b; y = /[/]'/; z", false)).toContain("a / b; y =");
  });

  test("imports of all kinds are seen, with their line", () => {
    const source =
      'import a from "./a.ts";\nimport type {\n  B,\n} from "./b.ts";\nexport { c } from "./c.ts";\nimport "./d.ts";';
    expect(importsOf(source)).toEqual([
      { specifier: "./a.ts", line: 1, typeOnly: false },
      { specifier: "./b.ts", line: 4, typeOnly: true },
      { specifier: "./c.ts", line: 5, typeOnly: false },
      { specifier: "./d.ts", line: 6, typeOnly: false },
    ]);
  });
});
