/**
 * Brings `build/` up to date with the TypeScript sources, if it is not: a checkout then runs without a build step that anyone has to
 * remember, and a server still starts from plain JavaScript. Plain JavaScript itself, because it runs before there is a build.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BUILD = join(ROOT, "build");
const STAMP = join(BUILD, ".complete");
const LOCK = join(ROOT, "node_modules", ".zoetrope-build.lock");
const COMPILER = join(ROOT, "node_modules", "typescript", "bin", "tsc");
const BUNDLER = join(ROOT, "bin", "bundle.js");
const SOURCES = ["src", "spec", "bin"];
const CONFIGURATION = ["tsconfig.json", "tsconfig.build.json", "package.json"];
const LOCK_POLL_MS = 100;
const LOCK_PATIENCE_MS = 120_000;

/** Newest change below a folder; a folder's own time tells of removed files. */
function newestChange(path) {
  let newest = statSync(path).mtimeMs;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestChange(child) : statSync(child).mtimeMs);
  }
  return newest;
}

function sourcesChangedMs() {
  const times = SOURCES.map((folder) => newestChange(join(ROOT, folder)));
  return Math.max(...times, ...CONFIGURATION.map((file) => statSync(join(ROOT, file)).mtimeMs));
}

function isFresh() {
  // The stamp carries the sources' time as the build saw it; file systems may round it.
  return existsSync(STAMP) && statSync(STAMP).mtimeMs + 2 >= sourcesChangedMs();
}

/** Whoever makes the lock builds; the others wait for it. A lock whose process is gone is taken over. */
function takeLock() {
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  while (performance.now() < deadline) {
    try {
      writeFileSync(LOCK, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (!isHeld()) rmSync(LOCK, { force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
  throw new Error(`Another build seems to hang; remove ${LOCK} if none runs.`);
}

function isHeld() {
  try {
    const pid = Number(readFileSync(LOCK, "utf8"));
    // Empty: its owner is between creating and writing it.
    if (pid !== 0) process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function run(...script) {
  const result = spawnSync(process.execPath, script, { cwd: ROOT, encoding: "utf8" });
  if (result.status !== 0) throw new Error(`The build failed.\n${result.stdout}${result.stderr}`);
}

function compile() {
  const changedMs = sourcesChangedMs();
  run(COMPILER, "-p", join(ROOT, "tsconfig.build.json"));
  run(BUNDLER);
  mkdirSync(BUILD, { recursive: true });
  writeFileSync(STAMP, "");
  utimesSync(STAMP, changedMs / 1000, changedMs / 1000);
}

/**
 * Returns when `build/` can be run. Without a compiler (a production install) what is there is used as it is.
 * @throws Error with a sentence when there is neither
 */
export function ensureBuilt() {
  if (process.env.ZOETROPE_SKIP_BUILD === "1") return;
  if (!existsSync(COMPILER)) {
    if (existsSync(STAMP)) return;
    throw new Error("There is no build/ and no TypeScript to make it: run npm ci first.");
  }
  if (isFresh()) return;
  takeLock();
  try {
    if (!isFresh()) compile();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

/** A sentence instead of a stack trace; the other errors of this file are sentences as well. */
export function ensureBuiltOrExit() {
  try {
    ensureBuilt();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuiltOrExit();
