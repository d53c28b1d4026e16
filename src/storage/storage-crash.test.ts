/**
 * Storage against a disk that loses power at any effect: whatever was acknowledged is there afterwards, nothing that was never
 * appended is, and the tree is exactly that of the txns that survived.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeDisk } from "../../model-tests/simulator/fake-disk.ts";
import {
  createTxn,
  StorageHarness,
  seeded,
  setDataTxn,
  type TestTxn,
  treeAfter,
} from "../../model-tests/simulator/storage-harness.ts";
import { type Epoch, makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import type { EpochKind } from "./storage-facts.ts";

type Op =
  | { readonly op: "create" | "setData"; readonly count: number; readonly bytes: number }
  | { readonly op: "flush" | "snapshot" | "purge" | "newEpoch" | "currentEpoch" | "crash" | "kill" | "fullDisk" }
  | { readonly op: "disk"; readonly steps: number }
  | { readonly op: "truncate"; readonly back: number };

const plain = (op: "flush" | "snapshot" | "purge" | "newEpoch" | "currentEpoch" | "crash" | "kill" | "fullDisk") =>
  fc.constant<Op>({ op });
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom("create" as const, "setData" as const),
      count: fc.integer({ min: 1, max: 3 }),
      bytes: fc.constantFrom(0, 8, 60, 700),
    }),
  },
  { weight: 6, arbitrary: plain("flush") },
  { weight: 8, arbitrary: fc.record({ op: fc.constant("disk" as const), steps: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 4, arbitrary: plain("snapshot") },
  { weight: 1, arbitrary: plain("purge") },
  { weight: 1, arbitrary: plain("newEpoch") },
  { weight: 1, arbitrary: plain("currentEpoch") },
  { weight: 2, arbitrary: plain("crash") },
  { weight: 1, arbitrary: plain("kill") },
  { weight: 1, arbitrary: plain("fullDisk") },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("truncate" as const), back: fc.integer({ min: 0, max: 25 }) }) },
);

const NODES_AT_FIRST = 100;

/** What the operations so far allow the disk to hold. */
class Expected {
  /** Appended and not cut off again, oldest first. */
  history: TestTxn[] = [];
  /** Recovery must reach at least this. */
  acked = 0;
  /** Highest value acknowledged, and highest asked for. */
  readonly epochs: Record<EpochKind, { acked: number; asked: number }> = {
    acceptedEpoch: { acked: 0, asked: 0 },
    currentEpoch: { acked: 0, asked: 0 },
  };

  get last(): number {
    return this.history.at(-1)?.zxid ?? 0;
  }

  cutAfter(zxid: number): void {
    this.history = this.history.filter((txn) => txn.zxid <= zxid);
    this.acked = Math.min(this.acked, zxid);
  }
}

class Run {
  readonly disk: FakeDisk;
  readonly expected = new Expected();
  readonly #msPerLook: number;
  #server: StorageHarness;
  #heard = 0;
  recoveries = 0;

  constructor(seed: number, msPerLook: number) {
    this.disk = new FakeDisk({ random: seeded(seed) });
    this.#msPerLook = msPerLook;
    this.#server = this.#start();
    this.#recoverFully();
    // Enough nodes that a snapshot takes several slices, and is fuzzy.
    for (let i = 0; i < NODES_AT_FIRST; i++) this.#append("create", 0);
    this.#server.storage.flush();
    for (let i = 0; i < 3; i++) this.perform({ op: "disk", steps: 1 });
  }

  perform(op: Op): void {
    switch (op.op) {
      case "create":
      case "setData":
        for (let i = 0; i < op.count; i++) this.#append(op.op, op.bytes);
        break;
      case "flush":
        this.#server.storage.flush();
        break;
      case "disk":
        for (let i = 0; i < op.steps && this.disk.step(); i++) this.#hear();
        break;
      case "snapshot":
        if (this.#ready) this.#server.storage.snapshot("count");
        break;
      case "purge":
        if (this.#ready) this.#server.storage.purge();
        break;
      case "newEpoch":
        this.#writeEpoch("acceptedEpoch", this.expected.epochs.acceptedEpoch.asked + 1);
        break;
      case "currentEpoch":
        this.#writeEpoch("currentEpoch", this.expected.epochs.acceptedEpoch.acked);
        break;
      case "truncate":
        this.#truncate(op.back);
        break;
      case "fullDisk":
        this.disk.fault = (effect) => (effect.type === "disk.write" ? { code: "ENOSPC", torn: true } : null);
        break;
      case "crash":
        this.disk.crash();
        this.#comeBack();
        break;
      case "kill":
        this.disk.kill();
        this.#comeBack();
        break;
    }
    this.#hear();
  }

  end(): void {
    this.perform({ op: "crash" });
    while (this.#server.last("RECOVERED") === undefined) {
      expect(this.disk.pending).toBeGreaterThan(0);
      this.perform({ op: "disk", steps: 1 });
    }
  }

  get #ready(): boolean {
    const { facts } = this.#server;
    return facts.some((fact) => fact.type === "RECOVERED") && !this.#recovering && this.#server.failure === undefined;
  }

  #recovering = true;

  #start(): StorageHarness {
    const server = new StorageHarness(this.disk, { snapRetainCount: 3 });
    server.msPerLook = this.#msPerLook;
    server.storage.recover();
    this.#heard = 0;
    this.#recovering = true;
    return server;
  }

  #comeBack(): void {
    this.disk.fault = null;
    this.#server = this.#start();
  }

  #recoverFully(): void {
    while (this.#recovering) {
      expect(this.disk.step()).toBe(true);
      this.#hear();
    }
  }

  #append(op: "create" | "setData", bytes: number): void {
    if (!this.#ready) return;
    const { last, epochs } = this.expected;
    const epoch = epochs.acceptedEpoch.acked;
    const zxid = makeZxid(epoch, 0) > last ? makeZxid(epoch, 1) : ((last + 1) as Zxid);
    // Nodes that were created early: a snapshot that is being written has not come to all of them yet.
    const txn = op === "create" ? createTxn(zxid, bytes) : setDataTxn(zxid, 1 + (zxid % NODES_AT_FIRST), bytes);
    this.expected.history.push(txn);
    this.#server.storage.append(zxid, txn.entry);
    this.#server.database.apply(txn.txn);
  }

  #writeEpoch(kind: EpochKind, epoch: number): void {
    if (!this.#ready) return;
    this.expected.epochs[kind].asked = Math.max(this.expected.epochs[kind].asked, epoch);
    this.#server.storage.writeEpoch(kind, epoch as Epoch);
  }

  #truncate(back: number): void {
    if (!this.#ready) return;
    const zxid = this.expected.history.at(-1 - back)?.zxid ?? (0 as Zxid);
    // From now on what comes after may be there, until TRUNC is done, but need not.
    this.expected.acked = Math.min(this.expected.acked, zxid);
    this.#recovering = true;
    this.#server.storage.truncate(zxid);
  }

  #hear(): void {
    const { facts } = this.#server;
    for (; this.#heard < facts.length; this.#heard++) {
      const fact = facts[this.#heard]!;
      switch (fact.type) {
        case "LOG_APPENDED":
          expect(fact.upTo).toBeLessThanOrEqual(this.expected.last);
          // What is flushed on the way to a TRUNC is not promised any more.
          if (!this.#recovering) this.expected.acked = Math.max(this.expected.acked, fact.upTo);
          break;
        case "EPOCH_WRITTEN":
          this.expected.epochs[fact.kind].acked = fact.epoch;
          break;
        case "RECOVERED":
          this.#recovered(fact);
          break;
        case "STORAGE_FAILED":
          expect(fact.code).toBe("ENOSPC");
          expect(this.disk.fault).not.toBeNull();
          // Nothing is acknowledged behind a failure.
          expect(this.#heard).toBe(facts.length - 1);
          break;
        case "SNAPSHOT_TAKEN":
          break;
      }
    }
  }

  #recovered(fact: { lastZxid: Zxid; currentEpoch: Epoch; acceptedEpoch: Epoch }): void {
    const { expected } = this;
    this.recoveries++;
    this.#recovering = false;
    expect(fact.lastZxid).toBeGreaterThanOrEqual(expected.acked);
    expect([0, ...expected.history.map((txn) => txn.zxid)]).toContain(fact.lastZxid);
    expected.cutAfter(fact.lastZxid);
    expected.acked = fact.lastZxid;
    expect(this.#server.treeState).toBe(treeAfter(expected.history.map(({ txn }) => txn)));
    for (const kind of ["acceptedEpoch", "currentEpoch"] as const) {
      const epoch = expected.epochs[kind];
      expect(fact[kind]).toBeGreaterThanOrEqual(epoch.acked);
      expect(fact[kind]).toBeLessThanOrEqual(Math.max(epoch.asked, expected.epochs.acceptedEpoch.asked));
      epoch.acked = epoch.asked = fact[kind];
    }
  }
}

test("after a crash at any effect, recovery yields a prefix that holds everything acknowledged", () => {
  let recoveries = 0;
  fc.assert(
    fc.property(
      fc.array(anyOp, { minLength: 5, maxLength: 60, size: "max" }),
      fc.nat(),
      fc.constantFrom(0, 1),
      (ops, seed, msPerLook) => {
        const run = new Run(seed, msPerLook);
        for (const op of ops) run.perform(op);
        run.end();
        recoveries += run.recoveries;
      },
    ),
    { numRuns: 150 },
  );
  expect(recoveries).toBeGreaterThan(300);
});
