/** One Zoetrope server in an ensemble with two Apache servers: same protocols, same data. */
import { describe, expect, test } from "vitest";
import { connect, type WatchedEvent } from "../../src/client/index.ts";
import { startEnsemble } from "../support/ensemble.ts";
import { apacheClassPath, unless } from "../support/installed.ts";
import { until } from "../support/until.ts";

describe.skipIf(apacheClassPath === null)(
  `beside Apache ZooKeeper${unless(apacheClassPath !== null, "Apache ZooKeeper")}`,
  () => {
    test("a Zoetrope follower joins, serves, forwards and survives the death of its leader", {
      timeout: 120_000,
    }, async () => {
      // With equal histories the highest number wins: Apache leads.
      await using ensemble = await startEnsemble({
        servers: 3,
        kind: ["zoetrope", "apache", "apache"],
        settings: ["tickTime=1000"],
      });
      const ours = ensemble.server(1);
      expect(await ours.serves()).toBe("follower");
      const leader = await ensemble.leader();
      expect(leader.kind).toBe("apache");

      const zk = connect(ours.address, { timeoutMs: 15_000 });
      const other = connect(ensemble.server(leader.id === 2 ? 3 : 2).address, { timeoutMs: 15_000 });
      await zk.create("/mixed", "through Zoetrope");
      await zk.create("/mixed/e", null, { ephemeral: true });
      await other.sync("/mixed");
      expect((await other.getData("/mixed")).data?.toString()).toBe("through Zoetrope");
      const seen: WatchedEvent[] = [];
      await zk.getData("/mixed", (event) => seen.push(event));
      await other.setData("/mixed", "through Apache");
      await until("the watch", () => seen.length > 0);
      expect((await zk.getData("/mixed")).data?.toString()).toBe("through Apache");
      const sets = Array.from({ length: 500 }, (_, i) => zk.setData("/mixed", `value ${i}`, i + 1));
      expect((await Promise.all(sets)).at(-1)).toMatchObject({ version: 501 });
      const stats = await Promise.all([zk.exists("/mixed"), other.sync("/").then(() => other.exists("/mixed"))]);
      expect(stats[0]).toEqual(stats[1]);

      const { sessionId } = zk;
      await leader.kill();
      await ensemble.leader();
      await ours.serves();
      await zk.connected();
      expect(zk.sessionId).toBe(sessionId);
      expect((await zk.exists("/mixed/e"))?.ephemeralOwner).toBe(sessionId);
      await zk.create("/mixed/after", null);
      expect(await zk.getChildren("/mixed")).toEqual(expect.arrayContaining(["after", "e"]));

      leader.start();
      await ensemble.serves();
      for (const server of ensemble.servers) {
        const reader = connect(server.address);
        await reader.sync("/");
        expect([...(await reader.getChildren("/mixed"))].sort()).toEqual(["after", "e"]);
        await reader.close();
      }
      await zk.close();
      await other.close();
    });

    test("all of them start again on what they have on disk", { timeout: 120_000 }, async () => {
      await using ensemble = await startEnsemble({ servers: 3, kind: ["zoetrope", "apache", "apache"] });
      const zk = connect(ensemble.addresses);
      await zk.create("/kept", "1");
      for (let i = 0; i < 300; i++) await zk.setData("/kept", String(i));
      await zk.close();
      await ensemble.killAll();
      ensemble.startAll();
      await ensemble.serves();
      for (const server of ensemble.servers) {
        const reader = connect(server.address);
        await reader.sync("/kept");
        expect((await reader.getData("/kept")).data?.toString()).toBe("299");
        await reader.close();
      }
    });
  },
);
