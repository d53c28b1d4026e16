/** After the faults: every server is asked, after a sync, for all there is; and all must have the same tree. */

import { until } from "../../model-tests/support/until.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { Member } from "../cluster/member.ts";
import { attempt, type Stage } from "../workloads/stage.ts";
import type { RecordedClient } from "./recorded-client.ts";
import type { Recorder } from "./recorder.ts";

/** Nodes that are read on every server; parents come first. */
const MOST_NODES = 3000;
/** Servers remember the digest of every 128th txn: so many bring them past one. */
const FILLER = 130;
const CAUGHT_UP_WITHIN_MS = 20_000;

/** @returns findings, as sentences */
export async function finalPhase(cluster: Cluster, stage: Stage, recorder: Recorder): Promise<string[]> {
  const clients = await Promise.all(cluster.members.map((member) => onlyOn(cluster, stage, member)));
  const [first] = clients as [RecordedClient, ...RecordedClient[]];
  await attempt(() => first.zk.create("/final"));
  await Promise.all(Array.from({ length: FILLER }, (_, i) => attempt(() => first.zk.setData("/final", String(i)))));
  for (const client of clients) await readAll(client);
  for (const client of clients) await stage.close(client);
  const findings = await sameZxid(cluster);
  return [...findings, ...(await sameDigests(cluster, recorder))];
}

async function onlyOn(cluster: Cluster, stage: Stage, member: Member): Promise<RecordedClient> {
  const link = cluster.network.clientLinks.find(({ to }) => to === member.id);
  if (link === undefined) throw new Error(`No link to server ${member.id}`);
  const client = stage.open(stage.random(`final ${member.id}`), {
    timeoutMs: 10_000,
    addresses: `127.0.0.1:${link.port}`,
  });
  await client.zk.connected();
  return client;
}

async function readAll(client: RecordedClient): Promise<void> {
  const { zk } = client;
  await zk.sync("/");
  let level = ["/"];
  for (let read = 0; level.length > 0 && read < MOST_NODES; read += level.length) {
    const nodes = level.slice(0, MOST_NODES - read);
    const children = await Promise.all(
      nodes.map(async (path) => {
        const [names] = await Promise.all([attempt(() => zk.getChildren2(path)), attempt(() => zk.getData(path))]);
        const base = path === "/" ? "" : path;
        return (names?.children ?? []).map((name) => `${base}/${name}`);
      }),
    );
    level = children.flat().filter((path) => path !== "/zookeeper");
  }
}

async function sameZxid(cluster: Cluster): Promise<string[]> {
  const zxids = async () => Promise.all(cluster.members.map((member) => cluster.lastZxid(member)));
  try {
    await until("all servers at one zxid", async () => new Set(await zxids()).size === 1, {
      timeoutMs: CAUGHT_UP_WITHIN_MS,
    });
    return [];
  } catch {
    const said = (await zxids()).map(
      (zxid, index) => `server ${index + 1}: ${zxid === null ? "none" : `0x${zxid.toString(16)}`}`,
    );
    return [`The servers do not come to one zxid: ${said.join(", ")}.`];
  }
}

async function sameDigests(cluster: Cluster, recorder: Recorder): Promise<string[]> {
  const findings: string[] = [];
  const known = new Map<number, { readonly digest: string; readonly server: number }>();
  for (const member of cluster.members) {
    for (const [zxid, digest] of await cluster.digests(member)) {
      recorder.write({ kind: "digest", t: recorder.now(), server: member.id, zxid, digest });
      const other = known.get(zxid);
      if (other === undefined) known.set(zxid, { digest, server: member.id });
      else if (other.digest !== digest)
        findings.push(`Servers ${other.server} and ${member.id} differ in their tree at 0x${zxid.toString(16)}.`);
    }
  }
  return findings.slice(0, 3);
}
