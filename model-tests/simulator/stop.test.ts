/** SIGTERM, or a disk that fails, at every moment of a start: the exit code tells them apart, and nothing is lost. */
import { expect, test } from "vitest";
import type { SimServer } from "./sim-server.ts";
import { World } from "./world.ts";

const CONFIG = "preAllocSize=64\nsnapCount=8";

/** Starts `server`, lets `steps` things happen, and tells it to stop. @returns where it was by then */
function stoppedAfter(world: World, server: SimServer, steps: number): string {
  server.start();
  for (let step = 0; step < steps; step++) world.clock.next(world.clock.nowMs + 1000);
  const state = server.server?.member.peer.state ?? "";
  server.input({ type: "STOP" });
  for (let step = 0; server.running && step < 100; step++) world.clock.next(world.clock.nowMs + 1000);
  expect(server.exit).toMatchObject({ code: 0 });
  return state;
}

test.each([
  ["a server by itself", 1, "standalone"],
  ["a member of an ensemble", 3, "following.broadcast"],
] as const)("%s may be stopped at any moment of its start", async (_, servers, last) => {
  const world = new World({ seed: 6, servers, config: CONFIG });
  world.start();
  expect(await world.until(() => world.serving().length === servers, 10_000)).toBe(true);
  const zk = world.client({ timeoutMs: 20_000 });
  for (let i = 0; i < 12; i++) await world.get(zk.create(`/n${i}`, Buffer.from(String(i))));
  const server = world.server(1);
  const states = new Set<string>();
  for (let steps = 0; steps < 400 && !states.has(last); steps++) {
    server.crash(true);
    states.add(stoppedAfter(world, server, steps));
  }
  expect([...states]).toContain("recovering");
  expect([...states]).toContain(last);
  server.start();
  expect(await world.until(() => world.serving().length === servers, 30_000)).toBe(true);
  expect(await world.get(zk.getChildren("/"))).toHaveLength(13);
  expect(world.complaints()).toEqual([]);
});

test("whatever the disk cannot do at a start is told with its file, and can be made good", async () => {
  const world = new World({ seed: 8, servers: 1, config: CONFIG });
  world.start();
  expect(await world.until(() => world.serving().length === 1, 10_000)).toBe(true);
  const zk = world.client({ timeoutMs: 20_000 });
  for (let i = 0; i < 12; i++) await world.get(zk.create(`/n${i}`, Buffer.from(String(i))));
  const server = world.server(1);
  const failed = new Set<string>();
  for (let at = 0; ; at++) {
    server.crash(true);
    let asked = 0;
    server.disk.fault = (effect) => {
      if (asked++ !== at) return null;
      failed.add(effect.type);
      return { code: "EIO" };
    };
    server.start();
    await world.until(() => server.exit !== null || world.serving().length === 1, 10_000);
    server.disk.fault = null;
    if (server.exit === null) break;
    expect(server.exit.code).toBe(1);
    expect(server.exit.reason).toMatch(/^EIO: cannot \w+ (log|snap|data)(\/[\w.-]+)? at offset \d+: /);
  }
  expect([...failed].sort()).toEqual(["disk.list", "disk.read", "disk.truncate"]);
  expect(await world.get(zk.getChildren("/"))).toHaveLength(13);
});
