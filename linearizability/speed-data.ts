/**
 * Writes two large legal runs into the folders named, as servers and clients would leave them: what the speed of the checker is
 * measured on.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { HISTORY_FILE, HISTORY_FORMAT, HISTORY_VERSION, MANIFEST_FILE, type RunManifest } from "./histories/format.ts";
import { LegalWorld } from "./proof/legal-world.ts";
import { everything, registerMix } from "./proof/mixes.ts";
import type { Mix } from "./proof/requests.ts";
import { logOf } from "./proof/txns.ts";

const SERVERS = 3;
const BUFFER_CHARS = 1 << 20;

interface SpeedRun {
  readonly operations: number;
  readonly mix: Mix;
  readonly procs: number;
  readonly pipeline: number;
}

/** As a mixed load has them: mostly small operations, some of everything. */
const WEIGHTS = {
  set: 3,
  cas: 2,
  get: 6,
  exists: 1,
  create: 1,
  delete: 1,
  sync: 0.2,
  syncGet: 0.5,
  watchGet: 0.3,
  ephemeral: 0.2,
  multi: 0.3,
};

const WITNESS_RUN: SpeedRun = {
  operations: 1_000_000,
  procs: 20,
  pipeline: 5,
  mix: { ...everything(250), weights: WEIGHTS },
};
/** Reads that no sync goes before are not all searched: 50,000 and more are left. */
const SEARCH_RUN: SpeedRun = { operations: 55_000, procs: 20, pipeline: 1, mix: registerMix(250) };

function writeRun(folder: string, { operations, ...world }: SpeedRun): void {
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, HISTORY_FILE), "w");
  let buffer = "";
  const flush = (): void => {
    writeSync(file, buffer);
    buffer = "";
  };
  const legal = new LegalWorld({ seed: 1, servers: SERVERS, breaks: 0.00002, expires: 0.1, ...world }, (line) => {
    buffer += `${JSON.stringify(line)}\n`;
    if (buffer.length > BUFFER_CHARS) flush();
  });
  legal.run(operations);
  flush();
  closeSync(file);
  const log = logOf(legal.txns);
  for (let id = 1; id <= SERVERS; id++) {
    const data = join(folder, "servers", String(id), "data", "version-2");
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, "snapshot.0"), "");
    writeFileSync(join(data, "log.100000001"), log);
  }
  const manifest: RunManifest = {
    format: HISTORY_FORMAT,
    version: HISTORY_VERSION,
    name: "speed",
    command: "npm run check:linearizability -- --speed",
    seed: 1,
    box: "white",
    system: "generated",
    servers: Array.from({ length: SERVERS }, (_, i) => i + 1),
    workloads: [],
    nemeses: [],
    tickTimeMs: 1000,
    floors: {},
  };
  writeFileSync(join(folder, MANIFEST_FILE), JSON.stringify(manifest, null, 2));
}

const [witness, search] = process.argv.slice(2);
writeRun(witness!, WITNESS_RUN);
writeRun(search!, SEARCH_RUN);
