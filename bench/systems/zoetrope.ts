/** Zoetrope from a checkout: this one, or another to compare with. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { System } from "./system.ts";

/** `profileDir`: where each server leaves a CPU profile when it stops. */
export function zoetrope(checkout: string, options: { name?: string; profileDir?: string } = {}): System {
  const directory = resolve(checkout);
  const launcher = join(directory, "bin", "zoetrope");
  if (!existsSync(launcher)) throw new Error(`${launcher} does not exist: this is no checkout of Zoetrope`);
  const name = options.name ?? basename(directory);
  const profiling = options.profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profileDir}`];
  return {
    name,
    title: `Zoetrope ${revision(directory)}, Node ${process.version}`,
    command: (zooCfg) => ({
      file: process.execPath,
      args: [...profiling, launcher, "server", zooCfg],
      env: { ZOETROPE_SKIP_BUILD: "1" },
    }),
  };
}

/** The commit, with a + when files differ from it; "unknown" outside of git. */
export function revision(directory: string): string {
  try {
    const run = (...args: string[]) =>
      execFileSync("git", ["-C", directory, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    const changed = run("status", "--porcelain", "--untracked-files=no", "--", "src", "spec") !== "";
    return run("rev-parse", "--short", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}
