/**
 * Puts the commands into a few files, `build/bundled/`: Node spends as long on finding, reading and linking two hundred modules
 * as a server needs for all the rest of its start. Run by build.js after the compiler; plain JavaScript for the same reason.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILD = join(dirname(dirname(fileURLToPath(import.meta.url))), "build");
/** Changes whenever the compiler has written anything. */
const COMPILED = join(BUILD, ".tsbuildinfo");
const BUNDLED = join(BUILD, "bundled");
/** As deep as build/src/cli, for what is found relative to a file. */
const COMMANDS = join(BUNDLED, "cli");
/** Says of which compilation this is. */
const STAMP = join(BUNDLED, ".of");

/** The launcher's module: bundled, unless a compiler has been at work since. */
export function commands() {
  const bundled = existsSync(STAMP) && existsSync(COMPILED) && readFileSync(STAMP, "utf8") === compilation();
  return bundled ? join(COMMANDS, "main.js") : join(BUILD, "src", "cli", "main.js");
}

function compilation() {
  return String(statSync(COMPILED).mtimeMs);
}

async function bundle() {
  // Loaded here only: whoever just runs what was built may not have it.
  const { rolldown } = await import("rolldown");
  const of = compilation();
  rmSync(STAMP, { force: true });
  const bundler = await rolldown({ input: join(BUILD, "src", "cli", "main.js"), platform: "node" });
  // The same names each time: a server that is just starting finds its files.
  await bundler.write({ dir: COMMANDS, format: "esm", chunkFileNames: "[name].js" });
  await bundler.close();
  writeFileSync(STAMP, of);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
