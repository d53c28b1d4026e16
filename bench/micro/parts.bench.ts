/** What single parts cost: codec, tree, commit point, session expiry. `node build/bench/micro/parts.bench.js [part of a name]` */
import { commitPoint } from "../../spec/quorum.ts";
import { makeZxid, type ServerId, type SessionId, type Zxid } from "../../spec/vocabulary.ts";
import { JuteReader } from "../../src/protocol/jute-reader.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { GetDataRequest, SetDataRequest } from "../../src/protocol/records.ts";
import { decodeTxn, encodeTxn, makeTxn } from "../../src/protocol/txn.ts";
import { SessionTracker } from "../../src/session/session-tracker.ts";
import { Database } from "../../src/tree/database.ts";
import { dataOf, nodePath, OPEN_ACL, ROOT } from "../load/requests.ts";

const only = process.argv[2] ?? "";
const value = dataOf(1024);
const TICK_MS = 2000;

/** CPU time of this process so far: on a busy machine the clock says nothing about the code. */
function cpuNs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Runs `work` so often that its CPU time can be trusted, after as many runs to get warm; prints the time of one. */
function measure(name: string, times: number, work: (i: number) => void): void {
  if (!name.includes(only)) return;
  for (let i = 0; i < times; i++) work(i);
  const started = cpuNs();
  for (let i = 0; i < times; i++) work(i);
  const ns = (cpuNs() - started) / times;
  process.stdout.write(`${name.padEnd(52)} ${ns >= 1000 ? `${(ns / 1000).toFixed(2)} µs` : `${ns.toFixed(1)} ns`}\n`);
}

function bytesOf(write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  write(writer);
  return writer.take();
}

// ---- codec

const getData = bytesOf((writer) => GetDataRequest.write(writer, { path: nodePath(7), watch: false }));
const setData = bytesOf((writer) => SetDataRequest.write(writer, { path: nodePath(7), data: value, version: -1 }));
measure("codec: read a getData request", 1_000_000, () => void GetDataRequest.read(new JuteReader(getData)));
measure("codec: read a setData request of 1 KB", 1_000_000, () => void SetDataRequest.read(new JuteReader(setData)));

const setTxn = (zxid: Zxid, index: number, version: number) => {
  const body = { type: OpCode.setData, path: nodePath(index), data: value, version } as const;
  return makeTxn(1n as SessionId, 1, zxid, 1, body, null);
};
const writer = new JuteWriter();
const txn = setTxn(makeZxid(1, 1), 7, 1);
measure("codec: encode a setData txn of 1 KB", 500_000, () => {
  writer.truncate(0);
  encodeTxn(writer, txn);
});
const entry = bytesOf((w) => encodeTxn(w, txn));
measure("codec: decode a setData txn of 1 KB", 500_000, () => void decodeTxn(entry));

// ---- tree: the cost of a znode must not grow with their number

for (const nodes of [1000, 1_000_000]) {
  if (!"tree".startsWith(only.slice(0, 4))) continue;
  const database = new Database();
  let counter = 0;
  const create = (path: string) => {
    const body = {
      type: OpCode.create,
      path,
      data: null,
      acl: OPEN_ACL,
      ephemeral: false,
      parentCVersion: -1,
    } as const;
    database.apply(makeTxn(1n as SessionId, 1, makeZxid(1, ++counter), 1, body, null));
  };
  create(ROOT);
  for (let i = 0; i < nodes; i++) create(nodePath(i));
  const paths = Array.from({ length: 4096 }, (_, i) => nodePath((i * 7919) % nodes));
  const count = nodes.toLocaleString("en-US");
  measure(`tree: lookup among ${count}`, 1_000_000, (i) => void database.tree.get(paths[i % 4096] as string));
  measure(`tree: apply setData of 1 KB among ${count}`, 200_000, (i) => {
    database.apply(setTxn(makeZxid(1, ++counter), (i * 7919) % nodes, i));
  });
}

// ---- commit point

for (const servers of [3, 5]) {
  const voters = Array.from({ length: servers }, (_, i) => (i + 1) as ServerId);
  const acks = new Map(voters.map((id) => [id, makeZxid(1, id * 10)]));
  const at = (id: ServerId) => acks.get(id);
  measure(`commit point of ${servers} servers`, 2_000_000, () => void commitPoint({ voters }, at));
}

// ---- sessions: touching and expiring one must not depend on how many there are

for (const sessions of [1000, 100_000, 1_000_000]) {
  const tracker = new SessionTracker({ tickTimeMs: TICK_MS });
  const ids = Array.from({ length: sessions }, (_, i) => BigInt(i + 1) as SessionId);
  tracker.restart(
    ids.map((id) => [id, 30_000] as const),
    0,
  );
  const count = sessions.toLocaleString("en-US");
  let nowMs = 0;
  measure(`sessions: touch one of ${count}`, Math.max(sessions, 500_000), (i) => {
    if (i % 1000 === 0) nowMs += 1;
    tracker.touch(ids[i % sessions] as SessionId, 30_000, nowMs);
  });
  measure(`sessions: look for expired ones, ${count} alive`, 100_000, () => void tracker.expire(nowMs));
  if (!"sessions".startsWith(only.slice(0, 8))) continue;
  const started = cpuNs();
  const expired = tracker.expire(nowMs + 60_000).length;
  const ns = (cpuNs() - started) / expired;
  process.stdout.write(
    `${`sessions: expire one of ${expired.toLocaleString("en-US")}`.padEnd(52)} ${ns.toFixed(1)} ns\n`,
  );
}
