/**
 * Random scripts to our server and to a running Apache ZooKeeper: every client must hear the same after every act, reply by
 * reply, Stat field by field. A failure prints its seed: `DIFFERENTIAL_SEED=… npx vitest run model-tests/differential/random`.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, test } from "vitest";
import { apacheVersion, unless } from "../support/installed.ts";
import { Sides } from "./peers.ts";
import { scripts } from "./random-acts.ts";
import { play } from "./random-play.ts";

const installed = apacheVersion?.startsWith("3.8.") ?? false;
const SEED = Number(process.env["DIFFERENTIAL_SEED"] ?? 8421);
const SCRIPTS = Number(process.env["DIFFERENTIAL_SCRIPTS"] ?? 300);
const ACTS = 40;

describe.skipIf(!installed)(`random scripts to both${unless(installed, "Apache ZooKeeper 3.8")}`, () => {
  let sides: Sides;

  beforeAll(async () => {
    // What is compared are answers, not disks.
    sides = await Sides.start(["forceSync=no"]);
  }, 90_000);

  afterAll(() => sides?.end());

  test(`${SCRIPTS} scripts`, { timeout: 60_000 + SCRIPTS * 200 }, async () => {
    let roots = 0;
    const same = fc.asyncProperty(scripts(ACTS), (script) => play(sides.peers, `/r${roots++}`, script));
    await fc.assert(same, { seed: SEED, numRuns: SCRIPTS, endOnFailure: true });
  });
});
