/** One Storage on a fake disk, with everything it says written down: for tests of storage, not of whole servers. */

import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import type { Txn, TxnBody } from "../../src/protocol/txn.ts";
import { encodeTxn, makeTxn } from "../../src/protocol/txn.ts";
import type { Report } from "../../src/runtime/environment.ts";
import type { DiskEffect } from "../../src/storage/disk-io.ts";
import { Storage } from "../../src/storage/storage.ts";
import { DEFAULT_STORAGE_CONFIG, type StorageConfig, type StorageFact } from "../../src/storage/storage-facts.ts";
import { Database } from "../../src/tree/database.ts";
import { FakeDisk } from "./fake-disk.ts";

const OPEN = [{ perms: 31, scheme: "world", id: "anyone" }];
/** 2020-01-01: txns of tests must not depend on when they run. */
const BEGINNING_MS = 1_577_836_800_000;

/** Small enough to step over every boundary within a few txns. */
export const SMALL_STORAGE: StorageConfig = { ...DEFAULT_STORAGE_CONFIG, preAllocSizeBytes: 512, snapCount: 1000 };

export interface TestTxn {
  readonly zxid: Zxid;
  readonly entry: Buffer;
  readonly txn: Txn;
}

/** Creates /n<zxid in hex>, with `bytes` bytes of data. */
export function createTxn(zxid: number, bytes = 8): TestTxn {
  return testTxn(zxid, {
    type: OpCode.create,
    path: `/n${zxid.toString(16)}`,
    data: Buffer.alloc(bytes, zxid % 251),
    acl: OPEN,
    ephemeral: false,
    parentCVersion: -1,
  });
}

/** Sets the data of the node that txn `created` made. Its version is the zxid: any number does, so long as it differs. */
export function setDataTxn(zxid: number, created: number, bytes = 8): TestTxn {
  const path = `/n${created.toString(16)}`;
  return testTxn(zxid, { type: OpCode.setData, path, data: Buffer.alloc(bytes, zxid % 251), version: zxid % 2 ** 20 });
}

function testTxn(zxid: number, body: TxnBody): TestTxn {
  const txn = makeTxn(7n as SessionId, zxid % 1000, zxid as Zxid, BEGINNING_MS + (zxid % 2 ** 20), body, null);
  return { zxid: zxid as Zxid, entry: entryOf(txn), txn };
}

export function entryOf(txn: Txn): Buffer {
  const writer = new JuteWriter();
  encodeTxn(writer, txn);
  return writer.take();
}

/** mulberry32: small, seeded, good enough to decide which byte a write is torn at. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class StorageHarness {
  readonly disk: FakeDisk;
  readonly database: Database;
  readonly storage: Storage;
  readonly facts: StorageFact[] = [];
  readonly reports: Report[] = [];
  readonly replayed: Zxid[] = [];
  /** Effects as they were asked for. */
  readonly effects: DiskEffect[] = [];
  /** Milliseconds that every look at the clock takes: how slow the processor is. */
  msPerLook = 0;
  #nowMs = 0;

  constructor(disk: FakeDisk, config: Partial<StorageConfig> = {}, random: () => number = () => 0.5) {
    this.disk = disk;
    this.database = new Database();
    this.storage = new Storage({
      database: this.database,
      effects: () => ({
        push: (effect: DiskEffect) => {
          this.effects.push(effect);
          disk.perform(effect);
        },
      }),
      fact: (fact) => this.facts.push(fact),
      replayed: (txn) => this.replayed.push(txn.zxid),
      report: (report) => this.reports.push(report),
      environment: {
        monotonicMs: () => {
          this.#nowMs += this.msPerLook;
          return this.#nowMs;
        },
        wallMs: () => BEGINNING_MS,
        random,
        sha1: () => Buffer.alloc(20),
      },
      config: { ...SMALL_STORAGE, ...config },
    });
    disk.attach((input) => this.storage.input(input));
  }

  /** A server that has recovered from this disk, or failed to. */
  static started(disk: FakeDisk, config: Partial<StorageConfig> = {}): StorageHarness {
    const harness = new StorageHarness(disk, config);
    harness.storage.recover();
    harness.settle();
    return harness;
  }

  static fresh(config: Partial<StorageConfig> = {}, seed = 1): StorageHarness {
    return StorageHarness.started(new FakeDisk({ random: seeded(seed) }), config);
  }

  /** Lets the disk do all that it was asked for. */
  settle(): void {
    while (this.disk.step());
  }

  /** Appends and applies txns `from` to `to`, as a standalone server would. */
  log(from: number, to: number, bytes = 8): void {
    for (let zxid = from; zxid <= to; zxid++) {
      const { entry, txn } = createTxn(zxid, bytes);
      this.storage.append(txn.zxid, entry);
      this.database.apply(txn);
    }
  }

  /** `log`, flushed and durable. */
  logDurably(from: number, to: number, bytes = 8): void {
    this.log(from, to, bytes);
    this.storage.flush();
    this.settle();
  }

  takeSnapshot(): void {
    this.storage.snapshot("count");
    this.settle();
  }

  /** The process dies, the machine lives on. */
  restarted(config: Partial<StorageConfig> = {}): StorageHarness {
    this.disk.kill();
    return StorageHarness.started(this.disk, config);
  }

  last<T extends StorageFact["type"]>(type: T): Extract<StorageFact, { type: T }> | undefined {
    return this.facts.findLast((fact): fact is Extract<StorageFact, { type: T }> => fact.type === type);
  }

  get lastZxid(): number | undefined {
    return this.last("RECOVERED")?.lastZxid;
  }

  get failure(): string | undefined {
    const failed = this.last("STORAGE_FAILED");
    return failed === undefined ? undefined : `${failed.code} ${failed.file} ${failed.offset}`;
  }

  /** Codes of what the operator was told. */
  get told(): unknown[] {
    return this.reports.map((report) => report.data?.["code"]);
  }

  names(area: "log" | "snap" | "data"): string[] {
    return [...this.disk.files(area).keys()].sort();
  }

  /** What the tree says, in a form that two trees can be compared by. */
  get treeState(): string {
    return fingerprint(this.database);
  }
}

export function fingerprint(database: Database): string {
  const { digest, lastProcessedZxid, nodeCount, sessions } = database;
  return JSON.stringify({ digest, lastProcessedZxid, nodeCount, sessions: [...sessions].map(String) });
}

/** The tree after the txns of `createTxn` with these zxids. */
export function treeAfter(txns: readonly Txn[]): string {
  const database = new Database();
  for (const txn of txns) database.apply(txn);
  return fingerprint(database);
}
