import { expect, test } from "vitest";
import { World } from "./world.ts";

test("three servers elect a leader and serve a client through its death", async () => {
  const world = new World({ seed: 1, servers: 3 });
  world.start();
  expect(await world.until(() => world.serving().length === 3, 10_000)).toBe(true);
  const zk = world.client();
  await world.get(zk.create("/a", Buffer.from("1")));
  const first = world.leader();
  first?.crash(true);
  // While nobody leads, connections are lost and refused: an application tries again.
  for (let done = false; !done; ) {
    await world.get(zk.setData("/a", Buffer.from("2"))).then(
      () => {
        done = true;
      },
      (error: Error) => expect(error.name).toBe("ConnectionLoss"),
    );
  }
  expect(world.leader()?.id).not.toBe(first?.id);
  first?.start();
  expect(await world.until(() => world.serving().length === 3, 20_000)).toBe(true);
  const { data } = await world.get(zk.getData("/a"));
  expect(String(data)).toBe("2");
  expect(world.complaints()).toEqual([]);
});

test("a leader whose disk fails stops, and the others go on", async () => {
  const world = new World({ seed: 2, servers: 3 });
  world.start();
  expect(await world.until(() => world.serving().length === 3, 10_000)).toBe(true);
  const first = world.leader();
  if (first === undefined) throw new Error("Somebody leads.");
  first.disk.fault = (effect) => (effect.type === "disk.write" ? { code: "EIO" } : null);
  const zk = world.client();
  expect(await world.until(() => first.exit !== null, 10_000)).toBe(true);
  expect(await world.until(() => world.leader() !== undefined, 20_000)).toBe(true);
  await world.get(zk.create("/a", Buffer.from("1")));
  const complaints = world.complaints().filter((complaint) => !complaint.includes("the server stops: EIO"));
  expect(complaints).toEqual([]);
});

// The environment of a running server is an object with a state of its own: a function torn off it crashed the server.
test("a client authenticates, and what it made is for its eyes only", async () => {
  const world = new World({ seed: 2, servers: 1 });
  world.start();
  await world.until(() => world.serving().length === 1, 10_000);
  const zk = world.client();
  await world.get(zk.addAuth("digest", Buffer.from("ben:secret")));
  await world.get(zk.create("/mine", Buffer.from("1"), { acl: [{ perms: 31, scheme: "auth", id: "" }] }));
  expect(String((await world.get(zk.getData("/mine"))).data)).toBe("1");
  await expect(world.get(world.client().getData("/mine"))).rejects.toMatchObject({ name: "NoAuth" });
  expect(world.complaints()).toEqual([]);
});
