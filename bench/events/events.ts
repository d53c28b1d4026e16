/** The events by name. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EventName } from "../scenarios.ts";
import { bareSocketLoop } from "./bare-socket.ts";
import { fanOut, idle, storm, watches } from "./crowds.ts";
import type { Event, Seed } from "./event.ts";
import { failover } from "./failover.ts";
import { largeTree, recovery, snapshot, start } from "./starting.ts";

export const EVENTS: Readonly<Record<EventName, Event>> = {
  "bare-socket": bareSocketLoop,
  start,
  recovery,
  snapshot,
  "large-tree": largeTree,
  storm,
  idle,
  "fan-out": fanOut,
  watches,
  failover,
};

const SEEDER = fileURLToPath(new URL("./seed.js", import.meta.url));
const SEED_NODES = 1_000_000;
const SEED_BYTES = 100;

/** The snapshot of a million znodes, made once per run and shared by all servers that start from it. */
export class SeedFile {
  readonly #parent: string;
  #directory: string | null = null;

  constructor(dataDir: string | null) {
    this.#parent = dataDir ?? tmpdir();
  }

  async get(): Promise<Seed> {
    if (this.#directory === null) {
      this.#directory = mkdtempSync(join(this.#parent, "zoetrope-seed-"));
      execFileSync(process.execPath, [SEEDER, this.#directory, String(SEED_NODES), String(SEED_BYTES)]);
    }
    const from = this.#directory;
    return { nodes: SEED_NODES, into: (dataDir) => linkInto(from, join(dataDir, "version-2")) };
  }

  remove(): void {
    if (this.#directory !== null) rmSync(this.#directory, { recursive: true, force: true });
    this.#directory = null;
  }
}

/** Servers never change a snapshot, so they can share its bytes. */
function linkInto(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) linkSync(join(from, name), join(to, name));
}
