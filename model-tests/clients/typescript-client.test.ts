/** The TypeScript client against real servers: Zoetrope's and Apache's. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  BadVersion,
  ConnectionLoss,
  CREATOR_ALL_ACL,
  connect,
  NoAuth,
  NoNode,
  NotEmpty,
  Perms,
  SessionExpired,
  type WatchedEvent,
  type ZooKeeper,
} from "../../src/client/index.ts";
import { currentLeader, lead } from "../../src/client/recipes/election.ts";
import { acquireLock } from "../../src/client/recipes/lock.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { apacheClassPath, unless } from "../support/installed.ts";
import type { ServerKind } from "../support/server-process.ts";
import { sleep, until } from "../support/until.ts";

const KINDS: readonly { readonly kind: ServerKind; readonly installed: boolean; readonly what: string }[] = [
  { kind: "zoetrope", installed: true, what: "" },
  { kind: "apache", installed: apacheClassPath !== null, what: "Apache ZooKeeper" },
];

for (const { kind, installed, what } of KINDS) {
  describe.skipIf(!installed)(`one server of ${kind}${unless(installed, what)}`, () => {
    let ensemble: Ensemble;
    let zk: ZooKeeper;

    beforeAll(async () => {
      ensemble = await startEnsemble({ servers: 1, kind });
      zk = connect(ensemble.addresses, { timeoutMs: 6000 });
      await zk.connected();
    }, 60_000);
    afterAll(async () => {
      await zk.close();
      await ensemble[Symbol.asyncDispose]();
    });

    test("a node is created, read, changed by version and deleted", async () => {
      expect(await zk.create("/node", "one")).toBe("/node");
      const { data, stat } = await zk.getData("/node");
      expect(data?.toString()).toBe("one");
      expect(stat).toMatchObject({ version: 0, dataLength: 3, numChildren: 0, ephemeralOwner: 0n });
      expect((await zk.setData("/node", Buffer.from("two"), 0)).version).toBe(1);
      await expect(zk.setData("/node", "three", 0)).rejects.toBeInstanceOf(BadVersion);
      await expect(zk.create("/node")).rejects.toMatchObject({ name: "NodeExists", path: "/node" });
      await zk.create("/node/child", null);
      expect((await zk.getData("/node/child")).data).toBe(null);
      expect(await zk.getChildren("/node")).toEqual(["child"]);
      await expect(zk.delete("/node")).rejects.toBeInstanceOf(NotEmpty);
      await zk.delete("/node/child", 0);
      await zk.delete("/node", 1);
      expect(await zk.exists("/node")).toBe(null);
      await expect(zk.getData("/node")).rejects.toBeInstanceOf(NoNode);
    });

    test("a thousand operations at once are answered in their order", async () => {
      const paths = await Promise.all(
        Array.from({ length: 1000 }, () => zk.create("/seq-", "x", { sequential: true, ephemeral: true })),
      );
      expect(paths).toEqual([...paths].sort());
      expect(new Set(paths).size).toBe(1000);
      expect(await zk.getEphemerals("/seq-")).toHaveLength(1000);
      const stats = await Promise.all(paths.map((path) => zk.exists(path)));
      expect(stats.every((stat) => stat?.ephemeralOwner === zk.sessionId)).toBe(true);
      await zk.multi(paths.map((path) => ({ type: "delete", path })));
    });

    test("a multi happens as a whole or not at all", async () => {
      const results = await zk.transaction().create("/m", "1").setData("/m", "2").check("/m", 1).commit();
      expect(results).toMatchObject([
        { type: "create", path: "/m" },
        { type: "setData", stat: { version: 1, dataLength: 1 } },
        { type: "check" },
      ]);
      const failed = zk.transaction().setData("/m", "3").create("/m/child").delete("/none").create("/other").commit();
      await expect(failed).rejects.toMatchObject({ name: "NoNode", results: [0, 0, -101, -2] });
      expect((await zk.getData("/m")).data?.toString()).toBe("2");
      await expect(zk.check("/m", 7)).rejects.toBeInstanceOf(BadVersion);
      await zk.check("/m", 1);
      await zk.delete("/m");
    });

    test("watches fire once, each of its kind, before the reply that shows the change", async () => {
      const seen: string[] = [];
      const tell = (name: string) => (event: WatchedEvent) => seen.push(`${name} ${event.type} ${event.path}`);
      await zk.exists("/w", tell("exists"));
      await zk.create("/w").then(() => seen.push("created"));
      await zk.getData("/w", tell("data"));
      await zk.getChildren("/w", tell("children"));
      await zk.setData("/w", "x").then(() => seen.push("set"));
      await zk.setData("/w", "y").then(() => seen.push("set again"));
      await zk.create("/w/a").then(() => seen.push("child"));
      await zk.delete("/w/a");
      await zk.delete("/w");
      expect(seen).toEqual([
        "exists NodeCreated /w",
        "created",
        "data NodeDataChanged /w",
        "set",
        "set again",
        "children NodeChildrenChanged /w",
        "child",
      ]);
    });

    test("sync, and a path that the server does not take", async () => {
      await zk.sync("/");
      await expect(zk.create("/a//b")).rejects.toMatchObject({ name: "BadArguments" });
    });

    test("credentials open what the ACL keeps from others", async () => {
      const owner = connect(ensemble.addresses, { timeoutMs: 6000 });
      await owner.addAuth("digest", "me:secret");
      await owner.create("/mine", "private", { acl: CREATOR_ALL_ACL });
      expect((await owner.getAcl("/mine")).acl).toMatchObject([{ perms: Perms.ALL, scheme: "digest" }]);
      await expect(zk.getData("/mine")).rejects.toBeInstanceOf(NoAuth);
      const readable = [...CREATOR_ALL_ACL, { perms: Perms.READ, scheme: "world", id: "anyone" }];
      expect((await owner.setAcl("/mine", readable, 0)).aversion).toBe(1);
      expect((await zk.getData("/mine")).data?.toString()).toBe("private");
      await expect(zk.create("/bad", null, { acl: [] })).rejects.toMatchObject({ name: "InvalidACL" });
      await owner.delete("/mine");
      await owner.close();
    });

    test("refused credentials end the client", async () => {
      const client = connect(ensemble.addresses);
      await expect(client.addAuth("nonsense", "x")).rejects.toMatchObject({ name: "AuthFailed" });
      await expect(client.exists("/")).rejects.toMatchObject({ name: "AuthFailed" });
      await client.close();
    });

    test("a chroot makes part of the tree the whole", async () => {
      await zk.create("/app");
      const app = connect(`${ensemble.addresses}/app`, { timeoutMs: 6000 });
      const event = new Promise<WatchedEvent>((resolve) => void app.getChildren("/", resolve));
      expect(await app.create("/n-", "x", { sequential: true })).toBe("/n-0000000000");
      expect(await event).toEqual({ type: "NodeChildrenChanged", state: "SyncConnected", path: "/" });
      expect(await zk.getChildren("/app")).toEqual(["n-0000000000"]);
      expect(await app.exists("/app")).toBe(null);
      await app.delete("/n-0000000000");
      await app.close();
      await zk.delete("/app");
    });

    test("a session taken up by another client moves there, and ends for both when closed", async () => {
      const first = connect(ensemble.addresses, { timeoutMs: 6000, backoff: { firstMs: 200, longestMs: 200 } });
      await first.create("/moved", null, { ephemeral: true });
      const second = connect(ensemble.addresses, {
        timeoutMs: 6000,
        session: { id: first.sessionId, password: first.sessionPassword },
      });
      await second.connected();
      expect(second.sessionId).toBe(first.sessionId);
      const expired = new Promise<void>((resolve) =>
        first.onState((state) => {
          if (state === "Expired") resolve();
        }),
      );
      await second.close();
      await expired;
      await expect(first.exists("/moved")).rejects.toBeInstanceOf(SessionExpired);
      expect(await zk.exists("/moved")).toBe(null);
      await first.close();
    });

    test("a restart of the server loses neither session nor watches", { timeout: 60_000 }, async () => {
      const seen: WatchedEvent[] = [];
      const [server] = ensemble.servers;
      await zk.create("/kept", "before", { ephemeral: true });
      await zk.getData("/kept", (event) => seen.push(event));
      const { sessionId, generation } = zk;
      await server!.kill();
      await until("the loss to be seen", () => zk.state !== "connected");
      const waiting = zk.getData("/kept").catch((error: unknown) => error);
      server!.start();
      await server!.serves();
      await zk.connected();
      expect(zk.sessionId).toBe(sessionId);
      expect(zk.generation).toBeGreaterThan(generation);
      const early = await waiting;
      if (early instanceof Error) expect(early).toBeInstanceOf(ConnectionLoss);
      expect((await zk.exists("/kept"))?.ephemeralOwner).toBe(sessionId);
      expect(seen).toEqual([]);
      await zk.setData("/kept", "after");
      expect(seen).toEqual([{ type: "NodeDataChanged", state: "SyncConnected", path: "/kept" }]);
    });

    test("a lock is held by one at a time, in the order of asking", async () => {
      const clients = Array.from({ length: 4 }, () => connect(ensemble.addresses, { timeoutMs: 6000 }));
      const log: string[] = [];
      const fences: number[] = [];
      let holders = 0;
      const work = clients.map(async (client, i) => {
        const lease = await acquireLock(client, "/locks/one");
        expect(++holders).toBe(1);
        log.push(`${i} in`);
        fences.push(lease.fence);
        await sleep(10);
        log.push(`${i} out`);
        holders--;
        await lease.release();
      });
      await Promise.all(work);
      expect(log).toHaveLength(8);
      expect(fences).toEqual([...fences].sort((a, b) => a - b));
      const lease = await acquireLock(clients[0]!, "/locks/one");
      const impatient = acquireLock(clients[1]!, "/locks/one", AbortSignal.timeout(100));
      await expect(impatient).rejects.toMatchObject({ name: "TimeoutError" });
      expect(await zk.getChildren("/locks/one")).toHaveLength(1);
      const next = acquireLock(clients[1]!, "/locks/one");
      // The holder's end frees the lock without a release.
      await clients[0]!.close();
      expect(lease.lost.aborted).toBe(true);
      await (await next).release();
      await Promise.all(clients.map((client) => client.close()));
    });

    test("candidates lead one after the other, and everyone can ask who does", async () => {
      const [one, two] = [connect(ensemble.addresses), connect(ensemble.addresses)];
      expect(await currentLeader(zk, "/election")).toBe(null);
      const leadership = await lead(one, "/election", "host one");
      const candidacy = lead(two, "/election", "host two");
      expect((await currentLeader(zk, "/election"))?.toString()).toBe("host one");
      await leadership.resign();
      const second = await candidacy;
      expect(second.fence).toBeGreaterThan(leadership.fence);
      expect((await currentLeader(zk, "/election"))?.toString()).toBe("host two");
      await one.close();
      await two.close();
      expect(await currentLeader(zk, "/election")).toBe(null);
    });
  });

  describe.skipIf(!installed)(`three servers of ${kind}${unless(installed, what)}`, () => {
    test("the client moves on when its server dies, with session, ephemerals and watches", {
      timeout: 90_000,
    }, async () => {
      await using ensemble = await startEnsemble({ servers: 3, kind });
      const zk = connect(ensemble.addresses, { timeoutMs: 8000 });
      const seen: WatchedEvent[] = [];
      await zk.create("/here", null, { ephemeral: true });
      await zk.exists("/there", (event) => seen.push(event));
      for (let i = 0; i < 2; i++) {
        const { sessionId, server } = zk;
        const serving = ensemble.running.find(({ address }) => address === server)!;
        await serving.kill();
        await until("another server", () => zk.state === "connected" && zk.server !== server);
        expect(zk.sessionId).toBe(sessionId);
        await until("an answer", () => zk.exists("/here").catch(() => null));
        serving.start();
        await ensemble.serves();
      }
      await until("a write", () => zk.create("/there").catch(() => zk.exists("/there").catch(() => null)));
      await until("the watch", () => seen.length > 0);
      expect(seen).toEqual([{ type: "NodeCreated", state: "SyncConnected", path: "/there" }]);
      await zk.close();
    });
  });
}
