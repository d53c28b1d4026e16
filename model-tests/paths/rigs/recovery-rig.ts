/** The recovery chart inside a real Storage: what is on the disk decides its path, and the disk may fail at any operation. */
import type { EventObject } from "xstate";
import type { Zxid } from "../../../spec/vocabulary.ts";
import type { DiskEffect, DiskInput } from "../../../src/storage/disk-io.ts";
import { logHeader } from "../../../src/storage/log-format.ts";
import { Storage } from "../../../src/storage/storage.ts";
import type { StorageFact } from "../../../src/storage/storage-facts.ts";
import { Database } from "../../../src/tree/database.ts";
import type { FakeDisk } from "../../simulator/fake-disk.ts";
import { SMALL_STORAGE, StorageHarness } from "../../simulator/storage-harness.ts";
import type { ChartEffect, ObservedStep, Reference, Rig } from "../replay.ts";

export interface DiskStory {
  /** snapshot.3: whole, cut off, changed in its middle, or not there. */
  readonly newest: "good" | "short" | "changed" | "none";
  readonly oldest: "good" | "none";
  /** log.1 and log.4 with txns 1 to 5: whole, torn at the end, changed in txn 4, a file without txns, or not there. */
  readonly logs: "whole" | "torn" | "changed" | "empty" | "none";
  readonly epochs: "good" | "none" | "nonsense" | "leftover";
  readonly truncateTo: Zxid | null;
  readonly epochFiles: boolean;
  readonly autoCreate: boolean;
  readonly trustEmptySnapshot: boolean;
}

let whole: FakeDisk | undefined;

function diskOf({ newest, oldest, logs, epochs }: DiskStory): FakeDisk {
  if (whole === undefined) {
    const harness = StorageHarness.fresh();
    harness.logDurably(1, 3);
    harness.takeSnapshot();
    harness.logDurably(4, 5);
    whole = harness.disk;
  }
  const disk = whole.clone(() => 0);
  const bytes = (area: "snap" | "log", file: string) => Buffer.from(disk.files(area).get(file) as Buffer);
  const third = bytes("snap", "snapshot.3");
  if (newest === "short") disk.put("snap", "snapshot.3", third.subarray(0, third.length >> 1));
  if (newest === "changed") disk.put("snap", "snapshot.3", flipped(third, third.length >> 1));
  if (newest === "none") disk.remove("snap", "snapshot.3");
  if (oldest === "none") disk.remove("snap", "snapshot.0");
  const last = bytes("log", "log.4");
  const end = last.lastIndexOf(0x42);
  if (logs === "torn") disk.put("log", "log.4", last.subarray(0, end - 3));
  if (logs === "changed") disk.put("log", "log.4", flipped(last, 40));
  if (logs === "none" || logs === "empty") for (const file of ["log.1", "log.4"]) disk.remove("log", file);
  if (logs === "empty") disk.put("log", "log.1", logHeader());
  if (epochs === "none") for (const kind of ["acceptedEpoch", "currentEpoch"]) disk.remove("snap", kind);
  if (epochs === "nonsense") disk.put("snap", "currentEpoch", Buffer.from("one"));
  if (epochs === "leftover") disk.put("snap", "currentEpoch.tmp", Buffer.from("0"));
  return disk;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

export class RecoveryRig implements Rig {
  readonly timers = null;
  readonly #story: DiskStory;
  readonly #disk: FakeDisk;
  readonly #storage: Storage;
  readonly #underWay: DiskEffect[] = [];
  readonly #steps: ObservedStep[] = [];
  readonly #outputs: string[] = [];
  #answer: DiskInput | null = null;

  constructor(story: DiskStory) {
    const { epochFiles, autoCreate, trustEmptySnapshot, truncateTo } = story;
    this.#story = story;
    this.#disk = diskOf(story);
    this.#disk.attach((input) => {
      this.#answer = input;
    });
    this.#storage = new Storage({
      database: new Database(),
      effects: () => ({ push: (effect: DiskEffect) => this.#asked(effect) }),
      fact: (fact) => this.#told(fact),
      report: () => {},
      environment: { monotonicMs: () => 0, wallMs: () => 0, random: () => 0.5, sha1: (bytes) => bytes },
      config: { ...SMALL_STORAGE, epochFiles, autoCreate, trustEmptySnapshot },
      stepped: (_chart, _from, event, to) => {
        if (event.type !== "xstate.init") this.#steps.push({ event: event as EventObject, to });
      },
    });
    if (truncateTo === null) this.#storage.recover();
    else this.#storage.truncate(truncateTo);
  }

  takeSteps(): ObservedStep[] {
    return this.#steps.splice(0);
  }

  takeOutputs(): string[] {
    return this.#outputs.splice(0);
  }

  /** Where no epoch file, or no log, is listed there is nothing to read. */
  mayFollow({ type }: EventObject): boolean {
    const { newest, logs } = this.#story;
    if (type === "EPOCHS_READ") return true;
    return logs === "none" && type === (newest === "short" || newest === "changed" ? "DATA_REFUSED" : "REPLAYED");
  }

  /** What a file holds is the disk's to say; `next` in recovery.test.ts says which event it must be. */
  payloadIsOpen(): boolean {
    return true;
  }

  /** Lets the disk answer until the chart hears of it; `DISK_FAILED`: the next operation fails. */
  cause(event: EventObject): string | null {
    // Nothing is being written at a start: that much has happened already.
    if (event.type === "WRITES_SETTLED") return this.#steps.length > 0 ? null : "something is still being written";
    while (this.#steps.length === 0) {
      const effect = this.#underWay.shift();
      if (effect === undefined) return "the disk is asked for nothing";
      if (event.type === "DISK_FAILED") {
        this.#storage.input({ type: "DISK_FAILED", id: effect.id, code: "EIO", message: "injected" });
        continue;
      }
      this.#disk.perform(effect);
      this.#disk.step();
      const answer = this.#answer;
      this.#answer = null;
      if (answer !== null) this.#storage.input(answer);
    }
    return null;
  }

  #asked(effect: DiskEffect): void {
    this.#underWay.push(effect);
    if (effect.type === "disk.truncate") this.#outputs.push(`cut truncate ${effect.file} ${effect.length}`);
    // Before an epoch is written, what an earlier writing of it left goes.
    if (effect.type === "disk.remove") this.#outputs.push(`removed ${effect.file}`);
  }

  #told(fact: StorageFact): void {
    if (fact.type === "RECOVERED") {
      this.#outputs.push(`fact RECOVERED ${fact.lastZxid} ${fact.currentEpoch} ${fact.acceptedEpoch}`);
    } else if (fact.type === "STORAGE_FAILED") this.#outputs.push(`fact STORAGE_FAILED ${fact.code} ${fact.file}`);
  }

  expected(effect: ChartEffect, _chart: Reference): readonly string[] {
    switch (effect.type) {
      case "recovery.recovered":
        return [`fact RECOVERED ${effect["lastZxid"]} ${effect["currentEpoch"]} ${effect["acceptedEpoch"]}`];
      case "recovery.failed": {
        const { code, file } = effect["failure"] as { code: string; file: string };
        return [`fact STORAGE_FAILED ${code} ${file}`];
      }
      case "recovery.cut": {
        const { kind, file, length } = effect["cut"] as { kind: string; file: string; length?: number };
        return kind === "truncateLog" ? [`cut truncate ${file} ${length}`] : [`removed ${file}`];
      }
      case "recovery.writeEpoch":
        return [`removed ${effect["kind"]}.tmp`];
      default:
        return [];
    }
  }
}
