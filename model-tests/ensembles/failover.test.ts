/** Servers die by kill -9 under load: what was acknowledged stays, sessions live on, on every server. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../src/client/index.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { sleep } from "../support/until.ts";
import { differences, loadOf, SteadyWriter } from "./steady-writer.ts";

const LEADER_KILLS = 10;
const WRITERS = 4;

async function startWriters(ensemble: Ensemble): Promise<SteadyWriter[]> {
  const zk = connect(ensemble.addresses);
  await zk.create("/load", null);
  await zk.close();
  return Promise.all(Array.from({ length: WRITERS }, (_, i) => SteadyWriter.start(ensemble.addresses, `w${i}`)));
}

/** Some writes in every situation that a test makes. */
async function moreWrites(writers: readonly SteadyWriter[], count = 50): Promise<void> {
  const before = writers.map((writer) => writer.acknowledged.size);
  const deadline = performance.now() + 30_000;
  while (writers.some((writer, i) => writer.acknowledged.size < before[i]! + count)) {
    if (performance.now() > deadline) throw new Error("The writers do not get on");
    await sleep(10);
  }
}

async function expectNothingLost(ensemble: Ensemble, writers: readonly SteadyWriter[]): Promise<void> {
  for (const server of ensemble.servers)
    expect(differences(writers, await loadOf(server)), `on server ${server.id}`).toEqual({ lost: [], invented: [] });
}

test("kill -9 of the leader, ten times in a row: no acknowledged write is lost, every session lives", {
  timeout: 300_000,
}, async () => {
  await using ensemble = await startEnsemble({ servers: 3 });
  const writers = await startWriters(ensemble);
  const sessions = writers.map(({ zk }) => zk.sessionId);
  for (let kill = 0; kill < LEADER_KILLS; kill++) {
    await moreWrites(writers);
    const leader = await ensemble.leader();
    await leader.kill();
    await moreWrites(writers);
    leader.start();
    await ensemble.serves();
  }
  await Promise.all(writers.map((writer) => writer.stop()));
  expect(writers.map(({ zk }) => zk.sessionId)).toEqual(sessions);
  for (const { zk, ephemeral } of writers) expect((await zk.exists(ephemeral))?.ephemeralOwner).toBe(zk.sessionId);
  await expectNothingLost(ensemble, writers);
  await Promise.all(writers.map(({ zk }) => zk.close()));
});

test("kill -9 of all three at once, and restart: every acknowledged write is there", { timeout: 120_000 }, async () => {
  await using ensemble = await startEnsemble({ servers: 3 });
  const writers = await startWriters(ensemble);
  for (let round = 0; round < 3; round++) {
    await moreWrites(writers);
    await ensemble.killAll();
    ensemble.startAll();
    await ensemble.serves();
    await moreWrites(writers);
  }
  await Promise.all(writers.map((writer) => writer.stop()));
  for (const { zk, ephemeral } of writers) expect((await zk.exists(ephemeral))?.ephemeralOwner).toBe(zk.sessionId);
  await expectNothingLost(ensemble, writers);
  await Promise.all(writers.map(({ zk }) => zk.close()));
});

test("a follower with an emptied data directory comes back whole", { timeout: 120_000 }, async () => {
  // So many txns that the leader must send its tree instead of single txns.
  await using ensemble = await startEnsemble({ servers: 3, settings: ["snapCount=400", "commitLogCount=100"] });
  const writers = await startWriters(ensemble);
  await moreWrites(writers, 300);
  const [follower] = await ensemble.followers();
  await follower!.kill();
  follower!.wipe();
  await moreWrites(writers, 100);
  follower!.start();
  await follower!.serves();
  await moreWrites(writers);
  await Promise.all(writers.map((writer) => writer.stop()));
  await expectNothingLost(ensemble, writers);
  // It may vote, and lead, as before.
  await Promise.all(writers.map(({ zk }) => zk.close()));
  for (const server of ensemble.servers) if (server !== follower) await server.kill();
  for (const server of ensemble.servers) if (server !== follower) server.start();
  await ensemble.serves();
  await expectNothingLost(ensemble, writers);
});

test("with db.autocreate=false an emptied server elects nobody, and joins those that remember", {
  timeout: 90_000,
}, async () => {
  await using ensemble = await startEnsemble({ servers: 3, settings: ["db.autocreate=false"], start: false });
  for (const { directory } of ensemble.servers) {
    mkdirSync(directory);
    writeFileSync(join(directory, "initialize"), "");
  }
  ensemble.startAll();
  await ensemble.serves();
  const writers = await startWriters(ensemble);
  await moreWrites(writers);
  await Promise.all(writers.map((writer) => writer.stop()));
  await Promise.all(writers.map(({ zk }) => zk.close()));
  const [emptied, other] = await ensemble.followers();
  const leader = await ensemble.leader();
  await ensemble.killAll();
  emptied!.wipe();
  emptied!.start();
  leader.start();
  // What the two had committed with the third may be just what the emptied one has forgotten.
  await sleep(3000);
  expect([await emptied!.mode(), await leader.mode()]).toEqual([null, null]);
  other!.start();
  await ensemble.serves();
  expect(await emptied!.mode()).toBe("follower");
  await expectNothingLost(ensemble, writers);
});

test("a follower that was away comes back by the txns it missed", { timeout: 90_000 }, async () => {
  await using ensemble = await startEnsemble({ servers: 3 });
  const writers = await startWriters(ensemble);
  const [follower] = await ensemble.followers();
  await follower!.stop();
  await moreWrites(writers, 30);
  follower!.start();
  await follower!.serves();
  // Paused for longer than syncLimit, it is given up by its leader, and joins anew.
  await moreWrites(writers);
  follower!.pause();
  await sleep(6000);
  follower!.resume();
  await moreWrites(writers);
  await follower!.serves();
  await Promise.all(writers.map((writer) => writer.stop()));
  await expectNothingLost(ensemble, writers);
  await Promise.all(writers.map(({ zk }) => zk.close()));
});

test("observers serve without a vote", { timeout: 90_000 }, async () => {
  await using ensemble = await startEnsemble({ servers: 4, observers: [4] });
  expect(await ensemble.server(4).serves()).toBe("observer");
  const writers = await startWriters(ensemble);
  const viaObserver = await SteadyWriter.start(ensemble.server(4).address, "observer");
  await moreWrites([...writers, viaObserver]);
  await (await ensemble.leader()).kill();
  await moreWrites([...writers, viaObserver]);
  ensemble.startAll();
  await ensemble.serves();
  const all = [...writers, viaObserver];
  await Promise.all(all.map((writer) => writer.stop()));
  await expectNothingLost(ensemble, all);
  await Promise.all(all.map(({ zk }) => zk.close()));
});
