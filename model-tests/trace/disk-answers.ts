/**
 * What the disk itself has answered, below the storage and its facts: a group of the log is durable when its fsync is done, an
 * epoch or a snapshot when its fsynced file has got its name.
 */
import { formatZxid, NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import type { Refuse } from "./durable.ts";

interface Asked {
  readonly operation: "disk.write" | "disk.rename";
  readonly file: string;
  readonly sync: boolean;
  /** What had been handed to the log by then: the group holds no more. */
  readonly upTo: Zxid;
}

export class DiskAnswers {
  readonly #forceSync: boolean;
  readonly #refuse: Refuse;
  readonly #asked = new Map<number, Asked>();
  readonly #names = new Set<string>();
  /** Files whose last answered write was fsynced. */
  readonly #synced = new Set<string>();
  #logged: Zxid = NO_ZXID;

  constructor(forceSync: boolean, refuse: Refuse) {
    this.#forceSync = forceSync;
    this.#refuse = refuse;
  }

  ask(id: number, operation: Asked["operation"], file: string, sync: boolean, upTo: Zxid): void {
    this.#asked.set(id, { operation, file, sync, upTo });
    if (operation !== "disk.rename") return;
    if (this.#synced.delete(temporaryOf(file))) return;
    this.#refuse("disk-answered", `a file is renamed to ${file}`, "its fsync first");
  }

  done(id: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return; // a read, a removal: nothing rests on it
    this.#asked.delete(id);
    const { operation, file, sync, upTo } = asked;
    if (operation === "disk.rename") this.#names.add(file);
    else if (file.startsWith("log/")) {
      if ((sync || !this.#forceSync) && upTo > this.#logged) this.#logged = upTo;
    } else if (sync) this.#synced.add(isSnapshot(file) ? SNAPSHOT_IN_MAKING : file);
  }

  /** LOG_APPENDED. */
  logged(upTo: Zxid): void {
    if (upTo <= this.#logged) return;
    const reached = `an fsync of the log, which reached ${formatZxid(this.#logged)}`;
    this.#refuse("disk-answered", `LOG_APPENDED up to ${formatZxid(upTo)}`, reached);
  }

  /** A file is complete under its name. */
  named(file: string): void {
    if (!this.#names.delete(file))
      this.#refuse("disk-answered", `${file} is said to be written`, "its rename, answered");
  }

  /** It is going to be written anew. */
  forget(file: string): void {
    this.#names.delete(file);
  }
}

/** Only one snapshot is written at a time. */
const SNAPSHOT_IN_MAKING = "snapshot";

function isSnapshot(file: string): boolean {
  return file.startsWith("snap/snapshot");
}

function temporaryOf(file: string): string {
  return isSnapshot(file) ? SNAPSHOT_IN_MAKING : `${file}.tmp`;
}
