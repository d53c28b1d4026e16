/**
 * Random scripts to our server and to a running Apache ZooKeeper: every client must hear the same after every act, reply by
 * reply, Stat field by field. A failure prints its seed: `DIFFERENTIAL_SEED=… npx vitest run model-tests/differential/random`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { apacheVersion, unless } from "../support/installed.ts";
import { freePorts } from "../support/ports.ts";
import { ServerProcess } from "../support/server-process.ts";
import { StandaloneServer } from "../support/standalone-server.ts";
import { SESSION_TIMEOUT_MS } from "./dialogue.ts";
import { ApachePeer, OwnPeer, type Peer } from "./peers.ts";
import { scripts } from "./random-acts.ts";
import { play } from "./random-play.ts";

const installed = apacheVersion?.startsWith("3.8.") ?? false;
const SEED = Number(process.env["DIFFERENTIAL_SEED"] ?? 8421);
const SCRIPTS = Number(process.env["DIFFERENTIAL_SCRIPTS"] ?? 300);
const ACTS = 40;

describe.skipIf(!installed)(`random scripts to both${unless(installed, "Apache ZooKeeper 3.8")}`, () => {
  let apache: ServerProcess;
  let directory: string;
  let peers: readonly Peer[] = [];

  beforeAll(async () => {
    const [clientPort] = await freePorts(1);
    directory = mkdtempSync(join(tmpdir(), "zoetrope-random-"));
    const zooCfg = [
      `dataDir=${directory}`,
      `clientPort=${clientPort}`,
      "clientPortAddress=127.0.0.1",
      "tickTime=2000",
      "minSessionTimeout=4000",
      `maxSessionTimeout=${SESSION_TIMEOUT_MS}`,
      "maxClientCnxns=0",
      // What is compared are answers, not disks.
      "forceSync=no",
      "admin.enableServer=false",
      "4lw.commands.whitelist=*",
      "",
    ].join("\n");
    apache = new ServerProcess({ kind: "apache", id: 1, clientPort: clientPort as number, directory, zooCfg });
    apache.start();
    await apache.serves(60_000);
    peers = [
      new OwnPeer(new StandaloneServer({ maxSessionTimeoutMs: SESSION_TIMEOUT_MS })),
      new ApachePeer(clientPort as number),
    ];
  }, 90_000);

  afterAll(async () => {
    await apache?.kill();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  test(`${SCRIPTS} scripts`, { timeout: 60_000 + SCRIPTS * 200 }, async () => {
    let roots = 0;
    const same = fc.asyncProperty(scripts(ACTS), (script) => play(peers, `/r${roots++}`, script));
    await fc.assert(same, { seed: SEED, numRuns: SCRIPTS, endOnFailure: true });
  });
});
