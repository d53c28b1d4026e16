/** Zoetrope from a checkout or a build: this one, or another to compare with. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { System } from "./system.ts";

const PROBE = new URL("../probe/server-probe.js", import.meta.url).href;
const PLANTED = new URL("../probe/planted-slowdown.js", import.meta.url).href;
const HERE = fileURLToPath(new URL("../../", import.meta.url));

/** What the launcher gives to Node, for servers that are started without it. */
const LAUNCHED_WITH = ["--max-semi-space-size=8"];

export interface ZoetropeOptions {
  readonly name?: string;
  /** Where each server leaves a CPU profile when it stops. */
  readonly profileDir?: string | null;
  /** The folder that holds src/cli/main.js; the checkout's own build if not given. */
  readonly build?: string | null;
  /** So much more CPU time per request, to prove that it is noticed. */
  readonly plantedPercent?: number;
  /** false: the server is just what it is. */
  readonly probe?: boolean;
}

export function zoetrope(checkout: string, options: ZoetropeOptions = {}): System {
  const directory = resolve(checkout);
  const planted = options.plantedPercent ?? 0;
  const build = resolve(options.build ?? join(directory, "build"));
  // The launcher is what users run; it may have the server in one file, where nothing can be planted.
  const launched = !options.build && planted === 0;
  const main = launched ? join(directory, "bin", "zoetrope") : join(build, "src", "cli", "main.js");
  if (!existsSync(main)) throw new Error(`${main} does not exist: there is no Zoetrope`);
  const { profileDir = null } = options;
  const profiling = profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];
  const probed = options.probe ?? true;
  const loaded = [...(probed ? [PROBE] : []), ...(planted > 0 ? [PLANTED] : [])].flatMap((url) => ["--import", url]);
  const what = options.build === undefined || options.build === null ? revision(directory) : `build ${build}`;
  return {
    name: options.name ?? basename(directory),
    title: `Zoetrope ${what}${planted > 0 ? ` slowed down by ${planted} %` : ""}, Node ${process.version}`,
    probed,
    command: (zooCfg) => {
      const server = [main, "server", zooCfg];
      const direct = { file: process.execPath, args: [...LAUNCHED_WITH, ...profiling, ...loaded, ...server] };
      // The profiler is nothing that the environment may ask for; all else can be done as users do it.
      const { file, args } = launched && profileDir === null ? { file: main, args: server.slice(1) } : direct;
      return {
        file,
        args,
        env: {
          ZOETROPE_SKIP_BUILD: "1",
          NODE_OPTIONS: [process.env["NODE_OPTIONS"] ?? "", ...(file === main ? loaded : [])].join(" "),
          ...(planted > 0 ? { PLANTED_PERCENT: String(planted), PLANTED_BUILD: build } : {}),
        },
      };
    },
  };
}

/** A bare socket loop in Node, which answers reads with a canned reply and does nothing else: what the platform itself costs. */
export function bareSocket(): System {
  const main = join(HERE, "bench", "systems", "bare-socket-server.js");
  return {
    name: "bare-socket",
    title: `A bare socket loop, Node ${process.version}`,
    probed: false,
    command: (zooCfg) => ({ file: process.execPath, args: [main, zooCfg] }),
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
