/**
 * The rules of the house, as a test: rooms import only what they may, only the host touches the world, files fit in a head,
 * and nothing in the repository speaks of the machine that it was written on. Each finding names file, line and rule.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { BOUNDARY, ROOMS, type Room, roomOf, WINDOWS } from "./tidy-rooms.ts";
import { codeOf, importsOf, lineAt } from "./tidy-source.ts";

/** Path relative to the repository, with slashes → content. */
export type Files = ReadonlyMap<string, string>;

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
}

export const MAX_LINES = 450;
const IGNORED = new Set(["node_modules", "build", "data", "runs", "coverage", ".git"]);
const TEXT = /\.(ts|js|mjs|json|md|yml|yaml|sh|html|svg|cfg|service|txt)$|(^|\/)[^.]+$/;

export function findings(files: Files): Finding[] {
  const found: Finding[] = [];
  for (const [file, text] of files) {
    found.push(...words(file, text));
    if (!file.endsWith(".ts")) continue;
    found.push(...length(file, text), ...tests(file, text));
    const name = roomOf(file);
    // A test may use what it needs to look at its file from outside.
    if (name === undefined || isTest(file)) continue;
    const room = ROOMS[name] as Room;
    found.push(...imports(file, text, name, room), ...touches(file, text, room));
  }
  return [...found, ...commands(files)].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
}

export function describeFinding({ file, line, rule }: Finding): string {
  return `${file}:${line} ${rule}`;
}

/** Every text file of the repository, whether or not it is committed yet. */
export function readRepository(root: string): Files {
  const files = new Map<string, string>();
  const visit = (directory: string): void => {
    for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
      const path = posix.join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!IGNORED.has(entry.name)) visit(path);
      } else if (entry.isFile() && TEXT.test(path) && path !== "package-lock.json") {
        files.set(path, readFileSync(join(root, path), "utf8"));
      }
    }
  };
  visit("");
  return files;
}

/** Tests, and what only tests use: `*.test.ts`, `*.arbitrary.ts`, `test-*.ts`, `scripted-*.ts`. */
function isTest(file: string): boolean {
  return /\.(test|arbitrary|bench)\.ts$|(^|\/)(test|scripted)-[^/]+\.ts$/.test(file);
}

function imports(file: string, text: string, name: string, room: Room): Finding[] {
  const found: Finding[] = [];
  for (const { specifier, line, typeOnly } of importsOf(text)) {
    const finding = (rule: string) => found.push({ file, line, rule });
    if (!specifier.startsWith(".")) {
      const allowed = [...room.packages, ...(file.endsWith(".schema.ts") ? ["effect"] : [])];
      const known = allowed.includes("*") || allowed.some((it) => specifier === it || specifier.startsWith(`${it}/`));
      if (!known && !WINDOWS.includes(file)) finding(`${name} may not import ${specifier}`);
      continue;
    }
    const target = posix.join(posix.dirname(file), specifier);
    if (specifier !== "." && !specifier.endsWith(".ts") && !specifier.endsWith(".json")) {
      finding(`a relative import ends in .ts, unlike ${specifier}`);
    }
    if (target.startsWith("src/") && target.endsWith(".schema.ts") && !file.endsWith(".schema.ts")) {
      if (!typeOnly) finding(`${specifier} loads effect's Schema, which no server may pay for`);
    }
    const other = roomOf(target);
    const allowed = other === name || [...room.imports, name].some((it) => it === "*" || it === target || it === other);
    if (allowed || (typeOnly && BOUNDARY.includes(target))) continue;
    const hint = BOUNDARY.includes(target) ? " (only its types, with `import type`)" : "";
    finding(`${name} may not import ${target}${hint}`);
  }
  return found;
}

const WORLD: readonly (readonly [RegExp, string])[] = [
  // A given moment may be formatted; only "now" is the clock's.
  [/\bDate\s*\.\s*now\b|\bnew\s+Date\b(?!\s*\(\s*[^\s)])|(?<!new\s+)\bDate\s*\(/g, "the wall clock"],
  [/\bperformance\s*\./g, "a clock"],
  [/\b(setTimeout|setInterval|setImmediate|clearTimeout|clearInterval)\s*\(/g, "a timer"],
  [/\bMath\s*\.\s*random\b/g, "randomness"],
  [/\b(crypto\s*\.|randomUUID\b|getRandomValues\b)/g, "randomness or hashing of the platform"],
  [/\bconsole\s*\./g, "the console"],
  [/\bprocess\s*\./g, "the process"],
  [/\bfetch\s*\(/g, "the network"],
];
const PROMISES: readonly (readonly [RegExp, string])[] = [
  // As keywords: a method may well be called `await`.
  [/\basync\s+(?:function\b|\(|[\w#*]+\s*[(=])/g, "async"],
  [/(?<!\.\s*)\bawait\s+[\w(["'`#]/g, "await"],
  [/\bqueueMicrotask\s*\(/g, "a microtask"],
  [/\bnew\s+Promise\b/g, "a promise"],
];

function touches(file: string, text: string, { touch }: Room): Finding[] {
  if (touch === "open" || WINDOWS.includes(file)) return [];
  const code = codeOf(text, false);
  const banned = touch === "pure" ? [...WORLD, ...PROMISES] : WORLD;
  return banned.flatMap(([pattern, what]) =>
    [...code.matchAll(pattern)].map((match) => ({
      file,
      line: lineAt(code, match.index),
      rule: `${match[0].trim()}: ${what} stays outside; the host brings it in`,
    })),
  );
}

function length(file: string, text: string): Finding[] {
  const lines = text.split("\n").length - 1;
  const rule = `${lines} lines: a file has at most ${MAX_LINES}, it should fit in a head`;
  return lines > MAX_LINES ? [{ file, line: MAX_LINES + 1, rule }] : [];
}

function tests(file: string, text: string): Finding[] {
  if (!isTest(file)) return [];
  const code = codeOf(text, false);
  return [...code.matchAll(/\b(test|it|describe)\s*\.\s*(skip|only|todo)\b/g)].map((match) => ({
    file,
    line: lineAt(code, match.index),
    rule: `${match[0]}: every test runs, always`,
  }));
}

const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.~$}])\/(work|root|home|Users|mnt)\/[\w.-]+/g, "an absolute path of some machine"],
  [/\b(TODO|FIXME|XXX)\b/g, "an unfinished thing: finish it or file it"],
];

function words(file: string, text: string): Finding[] {
  return FOREIGN.flatMap(([pattern, what]) =>
    [...text.matchAll(pattern)]
      // The rule itself and its test name what they look for.
      .filter(() => !/^scripts\/tidy/.test(file))
      .map((match) => ({ file, line: lineAt(text, match.index), rule: `${match[0]}: ${what}` })),
  );
}

/** A command that a reader is told to type exists. */
function commands(files: Files): Finding[] {
  const manifest = JSON.parse(files.get("package.json") ?? "{}") as { scripts?: Record<string, string> };
  const scripts = new Set(Object.keys(manifest.scripts ?? {}));
  const found: Finding[] = [];
  for (const [file, text] of files) {
    if (!file.endsWith(".md")) continue;
    for (const match of text.matchAll(/\bnpm (?:run ([\w:.-]+)|(test|start)\b)/g)) {
      const name = (match[1] ?? match[2] ?? "").replace(/[.:]+$/, "");
      if (scripts.has(name)) continue;
      found.push({ file, line: lineAt(text, match.index), rule: `npm script "${name}" is not in package.json` });
    }
  }
  return found;
}
