/**
 * Storage on a real disk: checksum, group commit, snapshot and recovery of a big tree, replay of a long log.
 * `node build/bench/micro/storage.bench.js [directory] [znodes]`
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { diskDirs, NodeDisk } from "../../src/host/disk.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { encodeTxn, makeTxn, type Txn } from "../../src/protocol/txn.ts";
import { ADLER_START, adler32 } from "../../src/storage/adler32.ts";
import type { DiskEffect } from "../../src/storage/disk-io.ts";
import { Storage } from "../../src/storage/storage.ts";
import { DEFAULT_STORAGE_CONFIG, type StorageFact } from "../../src/storage/storage-facts.ts";
import { Database } from "../../src/tree/database.ts";

const OPEN = [{ perms: 31, scheme: "world", id: "anyone" }];
const root = mkdtempSync(join(process.argv[2] ?? tmpdir(), "storage-bench-"));
const znodes = Number(process.argv[3] ?? 1_000_000);

/** One server's storage, as its host runs it. */
class Rig {
  readonly database = new Database();
  readonly storage: Storage;
  readonly #disk: NodeDisk;
  readonly #asked: DiskEffect[] = [];
  onFact: (fact: StorageFact) => void = () => {};

  constructor(dir: string) {
    this.storage = new Storage({
      database: this.database,
      effects: () => this.#asked,
      fact: (fact) => this.onFact(fact),
      report: () => {},
      environment: {
        monotonicMs: () => performance.now(),
        wallMs: () => Date.now(),
        random: Math.random,
        sha1: () => Buffer.alloc(20),
      },
      config: { ...DEFAULT_STORAGE_CONFIG, epochFiles: false },
    });
    this.#disk = new NodeDisk(diskDirs(dir, dir), (input) => {
      this.storage.input(input);
      this.pump();
    });
  }

  pump(): void {
    for (const effect of this.#asked.splice(0)) this.#disk.perform(effect);
  }

  async until(type: StorageFact["type"], act: () => void): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.onFact = (fact) => {
        if (fact.type === type) resolve();
        else if (fact.type === "STORAGE_FAILED") reject(new Error(fact.message));
      };
    });
    act();
    this.pump();
    await done;
  }

  close(): Promise<void> {
    return this.#disk.close();
  }
}

function createTxn(zxid: number, path: string, bytes: number): Txn {
  const data = Buffer.alloc(bytes, zxid);
  const body = { type: OpCode.create, path, data, acl: OPEN, ephemeral: false, parentCVersion: -1 } as const;
  return makeTxn(1n as SessionId, 0, zxid as Zxid, 1_700_000_000_000, body, null);
}

function entryOf(txn: Txn): Buffer {
  const writer = new JuteWriter();
  encodeTxn(writer, txn);
  return writer.take();
}

function tell(name: string, result: string): void {
  process.stdout.write(`${name.padEnd(44)} ${result}\n`);
}

function benchAdler(bytes: number): void {
  const data = Buffer.alloc(2 ** 21, 0x5a);
  const rounds = Math.ceil(2 ** 29 / bytes);
  let sum = ADLER_START;
  const started = performance.now();
  for (let i = 0; i < rounds; i++) {
    const from = (i * 104) % 2 ** 20;
    sum = adler32(sum, data, from, from + bytes);
  }
  const ms = performance.now() - started;
  tell(`Adler-32 over ${bytes} bytes at a time`, `${Math.round((rounds * bytes) / ms / 1000)} MB/s (${sum})`);
}

/** Each of `outstanding` writers appends again when its txn is durable. */
async function benchAppends(outstanding: number, bytes: number, count: number): Promise<void> {
  const dir = join(root, "append");
  rmSync(dir, { recursive: true, force: true });
  const rig = new Rig(dir);
  await rig.until("RECOVERED", () => rig.storage.recover());
  const entries = Array.from({ length: count }, (_, i) => entryOf(createTxn(i + 1, `/a/b/n${i}`, bytes)));
  const sentAt = new Float64Array(count + 1);
  const latencies: number[] = [];
  let sent = 0;
  let durable = 0;
  let groups = 0;
  const append = (): void => {
    const now = performance.now();
    for (; sent < count && sent - durable < outstanding; sent++) {
      sentAt[sent + 1] = now;
      rig.storage.append((sent + 1) as Zxid, entries[sent]!);
    }
    rig.storage.flush();
  };
  const started = performance.now();
  await new Promise<void>((resolve) => {
    rig.onFact = (fact) => {
      if (fact.type !== "LOG_APPENDED") return;
      groups++;
      const now = performance.now();
      while (durable < fact.upTo) latencies.push(now - sentAt[++durable]!);
      if (durable === count) resolve();
      else append();
    };
    append();
    rig.pump();
  });
  const ms = performance.now() - started;
  latencies.sort((a, b) => a - b);
  const at = (share: number): string => (latencies[Math.floor(latencies.length * share)] ?? 0).toFixed(2);
  const perSecond = Math.round((count / ms) * 1000);
  tell(
    `${outstanding} outstanding appends of ${bytes} bytes`,
    `${perSecond} txns/s, ${groups} groups, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`,
  );
  await rig.close();
}

async function benchSnapshot(): Promise<void> {
  const dir = join(root, "snapshot");
  const rig = new Rig(dir);
  await rig.until("RECOVERED", () => rig.storage.recover());
  let zxid = 0;
  for (; zxid < 1000; zxid++) rig.database.apply(createTxn(zxid + 1, `/dir${zxid}`, 100));
  for (; zxid < znodes; zxid++) rig.database.apply(createTxn(zxid + 1, `/dir${zxid % 1000}/node${zxid}`, 100));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  await rig.until("SNAPSHOT_TAKEN", () => rig.storage.snapshot("count"));
  const ms = performance.now() - started;
  delay.disable();
  await rig.close();
  const files = join(dir, "version-2");
  const bytes = Math.max(...readdirSync(files).map((name) => statSync(join(files, name)).size));
  tell(
    `snapshot of ${znodes} znodes`,
    `${Math.round(ms)} ms, ${Math.round(bytes / ms / 1000)} MB/s, event loop late by p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`,
  );
  await benchRecovery(dir, `loading ${znodes} znodes`);
}

async function benchReplay(): Promise<void> {
  const dir = join(root, "replay");
  const rig = new Rig(dir);
  await rig.until("RECOVERED", () => rig.storage.recover());
  const count = 500_000;
  for (let zxid = 1; zxid <= count; zxid++) {
    rig.storage.append(zxid as Zxid, entryOf(createTxn(zxid, `/node${zxid}`, 100)));
    if (zxid % 20_000 === 0) await rig.until("LOG_APPENDED", () => rig.storage.flush());
  }
  await rig.close();
  await benchRecovery(dir, `replaying ${count} creates`);
}

async function benchRecovery(dir: string, name: string): Promise<void> {
  const rig = new Rig(dir);
  const started = performance.now();
  await rig.until("RECOVERED", () => rig.storage.recover());
  tell(name, `${Math.round(performance.now() - started)} ms, ${rig.database.nodeCount} nodes`);
  await rig.close();
}

try {
  for (const bytes of [100, 1100, 2 ** 20]) benchAdler(bytes);
  await benchAppends(1, 100, 1000);
  await benchAppends(16, 100, 20_000);
  await benchAppends(256, 100, 200_000);
  await benchAppends(256, 1024, 100_000);
  await benchAppends(2000, 1024, 100_000);
  await benchSnapshot();
  await benchReplay();
} finally {
  rmSync(root, { recursive: true, force: true });
}
