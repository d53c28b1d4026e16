/** Disks that are really full: file systems of a few megabytes, which only Linux's root may mount. */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { connect } from "../../src/client/index.ts";
import { fillDisk, freeDisk } from "../support/ballast.ts";
import { startEnsemble } from "../support/ensemble.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { until } from "../support/until.ts";
import { differences, loadOf, SteadyWriter } from "./steady-writer.ts";

const mayMount = process.platform === "linux" && process.getuid?.() === 0 && tmpfsMounts();

function tmpfsMounts(): boolean {
  const probe = "/tmp/zoetrope-tmpfs-probe";
  mkdirSync(probe, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "probe", probe]).status === 0;
  if (mounted) spawnSync("umount", [probe]);
  rmSync(probe, { recursive: true, force: true });
  return mounted;
}

const filesOf = (server: ServerProcess): string => join(server.directory, "version-2");

/** Puts the files of each server on a disk of its own, of 16 MB. */
class SmallDisks implements Disposable {
  readonly #servers: readonly ServerProcess[];

  constructor(servers: readonly ServerProcess[]) {
    this.#servers = servers;
    for (const directory of servers.map(filesOf)) {
      mkdirSync(directory, { recursive: true });
      spawnSync("mount", ["-t", "tmpfs", "-o", "size=16m", "zoetrope", directory]);
    }
  }

  [Symbol.dispose](): void {
    for (const server of this.#servers) spawnSync("umount", ["-l", filesOf(server)]);
  }
}

const ended = (server: ServerProcess): Promise<unknown> => until("the server to end", () => !server.running);

const MORE_WRITES = 100;

test.runIf(mayMount)(
  "a full disk ends its server with a sentence, the others go on, and nothing acknowledged is lost (needs Linux, root)",
  { timeout: 120_000 },
  async () => {
    await using ensemble = await startEnsemble({ servers: 3, start: false, settings: ["preAllocSize=64"] });
    using _disks = new SmallDisks(ensemble.servers);
    ensemble.startAll();
    await ensemble.serves();
    const zk = connect(ensemble.addresses);
    await zk.create("/load", null);
    await zk.close();
    const writer = await SteadyWriter.start(ensemble.addresses, "w");
    const moreWrites = async (): Promise<void> => {
      const enough = writer.acknowledged.size + MORE_WRITES;
      await until("more writes", () => writer.acknowledged.size >= enough, { timeoutMs: 30_000 });
    };

    for (const victim of [await ensemble.leader(), (await ensemble.followers())[0]!]) {
      await moreWrites();
      fillDisk(filesOf(victim));
      await ended(victim);
      expect(victim.log).toMatch(/ ERROR the server stops: ENOSPC: .*\(log\/log\.[0-9a-f]+, byte \d+\)/);
      await moreWrites();
      freeDisk(filesOf(victim));
      victim.start();
      await ensemble.serves();
    }

    await moreWrites();
    for (const server of ensemble.servers) fillDisk(filesOf(server));
    // The last server to have room cannot commit alone, so it need not notice that it has none.
    await until("a quorum to end", () => ensemble.running.length <= 1, { timeoutMs: 30_000 });
    for (const server of ensemble.servers) freeDisk(filesOf(server));
    ensemble.startAll();
    await ensemble.serves();
    await moreWrites();
    await writer.stop();
    for (const server of ensemble.servers)
      expect(differences([writer], await loadOf(server)), `on server ${server.id}`).toEqual({ lost: [], invented: [] });
    await writer.zk.close();
  },
);
