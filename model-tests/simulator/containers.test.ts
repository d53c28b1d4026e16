import { expect, test } from "vitest";
import { World } from "./world.ts";

test("containers and TTL nodes go away by themselves, on every server, and only when they may", async () => {
  const world = new World({
    seed: 4,
    servers: 3,
    config: "extendedTypesEnabled=true\nznode.container.checkIntervalMs=5000",
  });
  world.start();
  await world.until(() => world.serving().length === 3, 10_000);
  const zk = world.client({ timeoutMs: 20_000 });
  const nothing = Buffer.alloc(0);
  for (const path of ["/used", "/full", "/fresh"]) await world.get(zk.create(path, nothing, { container: true }));
  for (const path of ["/used/x", "/full/x"]) await world.get(zk.create(path));
  await world.get(zk.delete("/used/x"));
  await world.get(zk.create("/short", nothing, { ttlMs: 100 }));
  await world.get(zk.create("/long", nothing, { ttlMs: 3_600_000 }));
  await world.run(11_000);
  const names = [...(await world.get(zk.getChildren("/")))].sort();
  expect(names).toEqual(["fresh", "full", "long", "zookeeper"]);
  const digests = world.servers.map(({ server }) => JSON.stringify(server?.database.digest));
  expect(new Set(digests).size).toBe(1);
  expect(world.complaints()).toEqual([]);
});
