/** Equal history, equal tree: digests in the log, in snapshots, and as the servers themselves reported them. */
import { readFileSync } from "node:fs";
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import { OperatingError } from "../../../src/runtime/errors.ts";
import { SnapshotParser } from "../../../src/storage/snapshot-reader.ts";
import { Database } from "../../../src/tree/database.ts";
import type { History } from "../../histories/history.ts";
import type { Findings } from "../violation.ts";
import type { MergedLog } from "./merged-log.ts";

/**
 * A snapshot that came from a leader while it went on may hold parts of so many txns after the one it is named for, and says so
 * nowhere; once they are replayed, it is exact.
 */
const FUZZY_TXNS = 20_000;

/** Replays G through the production tree, which keeps a digest, and compares. */
export function checkDigests(history: History, log: MergedLog | null, findings: Findings): void {
  checkReported(history, findings);
  if (log !== null && log.gaps.length === 0 && log.count > 0) new DigestReplay(log, findings).run();
}

/** Servers at the same zxid must have said the same. */
function checkReported({ digests }: History, findings: Findings): void {
  const first = new Map<number, (typeof digests)[number]>();
  for (const digest of digests) {
    const other = first.get(digest.zxid);
    if (other === undefined) first.set(digest.zxid, digest);
    else if (other.digest !== digest.digest) {
      findings.add({
        property: "I10 digests agree",
        rule: "digests",
        anomaly: "servers with different trees",
        summary: `At ${formatZxid(digest.zxid as Zxid)} server ${other.server} has digest ${other.digest}, server ${digest.server} ${digest.digest}.`,
        expected: other.digest,
        actual: digest.digest,
        ops: [],
        line: digest.line,
        zxid: digest.zxid,
      });
    }
  }
}

class DigestReplay {
  readonly #log: MergedLog;
  readonly #findings: Findings;

  constructor(log: MergedLog, findings: Findings) {
    this.#log = log;
    this.#findings = findings;
  }

  run(): void {
    const wanted = this.#snapshotDigests();
    // Servers can be told to keep no digests: then there is nothing to compare, and no tree to build for it.
    if (wanted.size === 0 && !this.#hasDigests()) return;
    const database = new Database({ extendedTypes: true });
    let differs = false;
    for (let row = 0; row < this.#log.count; row++) {
      const txn = this.#log.txn(row);
      database.apply(txn);
      if (!differs && txn.digest !== null && !database.agreesWith(txn.digest)) {
        differs = true;
        this.#findings.add({
          property: "I10 digests agree",
          rule: "digests",
          anomaly: "digest in the log differs",
          summary: `Txn ${formatZxid(txn.zxid)} was logged with a digest that the tree does not have after it.`,
          ops: [],
          line: -1,
          zxid: txn.zxid,
        });
      }
      for (const { name, digest } of wanted.get(txn.zxid) ?? []) {
        if (database.agreesWith(digest)) continue;
        this.#findings.add({
          property: "I9 snapshots restore the tree",
          rule: "digests",
          anomaly: "snapshot with another tree",
          summary: `${name}, brought up to ${formatZxid(txn.zxid)}, is not the tree of the log there.`,
          ops: [],
          line: -1,
          zxid: txn.zxid,
        });
      }
    }
  }

  #hasDigests(): boolean {
    for (let row = 0; row < this.#log.count; row++) if (this.#log.txn(row).digest !== null) return true;
    return false;
  }

  /** The newest snapshot of each server, loaded and brought to where it is no longer fuzzy. */
  #snapshotDigests(): Map<number, { name: string; digest: Database["digest"] }[]> {
    const wanted = new Map<number, { name: string; digest: Database["digest"] }[]>();
    for (const { name, snapshots, final } of this.#log.logs) {
      const newest = snapshots.findLast(({ zxid, compression }) => zxid > 0 && compression === "none");
      if (newest === undefined || !final) continue;
      const restored = this.#restore(newest.path, newest.zxid);
      if (restored === null) continue;
      wanted.set(restored.zxid, [
        ...(wanted.get(restored.zxid) ?? []),
        { name: `${newest.name} of ${name}`, digest: restored.digest },
      ]);
    }
    return wanted;
  }

  /** null: it is not whole, which is no fault in a run that breaks disks; or the log does not reach so far. */
  #restore(path: string, zxid: Zxid): { zxid: Zxid; digest: Database["digest"] } | null {
    const database = new Database({ extendedTypes: true });
    try {
      const parser = new SnapshotParser(database);
      parser.push(readFileSync(path));
      const settled = Math.max(parser.end()?.zxid ?? zxid, zxid);
      const from = this.#log.find(zxid);
      const named = this.#log.find(settled);
      if (from < 0 || named < 0) return null;
      const to = Math.min(named + FUZZY_TXNS, this.#log.count - 1);
      for (let row = from + 1; row <= to; row++) database.apply(this.#log.txn(row));
      return { zxid: this.#log.zxids[to] as Zxid, digest: database.digest };
    } catch (error) {
      if (error instanceof OperatingError) return null;
      throw error;
    }
  }
}
