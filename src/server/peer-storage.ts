/**
 * What the peer chart has asked of the disk, and what it is told when that is done: recovery, epochs, truncation, a received
 * snapshot, and the quiet that ends a role.
 */
import type { PeerEvent } from "../../spec/peer/setup.ts";
import { type Epoch, formatZxid, type Zxid } from "../../spec/vocabulary.ts";
import type { Reporter } from "../runtime/environment.ts";
import type { StorageFact } from "../storage/storage-facts.ts";
import type { LoggedTxn, Replica } from "./replica.ts";

export interface PeerStorageOptions {
  readonly replica: Replica;
  readonly report: Reporter;
  peer(event: PeerEvent): void;
  appended(upTo: Zxid): void;
  snapshotTaken(): void;
  /** The tree was loaded anew: what no txn put there must be put there again. */
  reloaded(): void;
  /** This server's history is not what its leader takes it for. */
  misjudged(reason: string): void;
}

export class PeerStorage {
  readonly #options: PeerStorageOptions;
  /** The chart waits for the disk to be quiet. */
  #settling = false;
  #uncommitted: readonly LoggedTxn[] = [];
  #epochWrites = 0;
  /** A TRUNC is being carried out: recovery ends it. */
  #truncatingTo: Zxid | null = null;
  #reloading = false;
  #receivedSnapshot: Zxid | null = null;

  constructor(options: PeerStorageOptions) {
    this.#options = options;
  }

  recover(): void {
    const { replica } = this.#options;
    this.#reloading = true;
    replica.committedLog.clear();
    replica.storage.recover();
  }

  writeEpoch(kind: "acceptedEpoch" | "currentEpoch", epoch: Epoch): void {
    this.#epochWrites++;
    this.#options.replica.storage.writeEpoch(kind, epoch);
  }

  truncate(zxid: Zxid): void {
    const { replica, report } = this.#options;
    report({ level: "warn", message: "truncating the log", data: { to: formatZxid(zxid) } });
    this.#truncatingTo = zxid;
    this.#reloading = true;
    replica.committedLog.clear();
    replica.storage.truncate(zxid);
  }

  /** The tree in memory came from the leader. */
  takeSnapshot(zxid: Zxid): void {
    const { replica, reloaded } = this.#options;
    replica.database.lastProcessedZxid = zxid;
    replica.reloaded(zxid);
    reloaded();
    this.#receivedSnapshot = zxid;
    replica.storage.snapshot("sync");
  }

  /** `uncommitted`: what the role that ends has logged and not applied. */
  settle(uncommitted: readonly LoggedTxn[]): void {
    this.#uncommitted = uncommitted;
    this.#settling = true;
    this.#options.replica.storage.flush();
    this.#settleIfQuiet();
  }

  fact(fact: StorageFact): void {
    const { replica, peer } = this.#options;
    switch (fact.type) {
      case "RECOVERED":
        this.#recovered(fact);
        break;
      case "LOG_APPENDED":
        replica.appended(fact.upTo);
        this.#options.appended(fact.upTo);
        break;
      case "EPOCH_WRITTEN":
        this.#epochWrites--;
        peer(
          fact.kind === "acceptedEpoch"
            ? { type: "ACCEPTED_EPOCH_WRITTEN", epoch: fact.epoch }
            : { type: "CURRENT_EPOCH_WRITTEN", epoch: fact.epoch },
        );
        break;
      case "SNAPSHOT_TAKEN":
        this.#options.snapshotTaken();
        if (fact.zxid === this.#receivedSnapshot) {
          this.#receivedSnapshot = null;
          peer({ type: "SNAPSHOT_TAKEN", zxid: fact.zxid });
        }
        break;
      case "STORAGE_FAILED": {
        const { code, message, file, offset } = fact;
        peer({ type: "STORAGE_FAILED", code, message: `${message} (${file}, byte ${offset})` });
        break;
      }
    }
    this.#settleIfQuiet();
  }

  #recovered({ lastZxid, acceptedEpoch, currentEpoch }: Extract<StorageFact, { type: "RECOVERED" }>): void {
    const { replica, peer, reloaded, misjudged } = this.#options;
    this.#reloading = false;
    replica.reloaded(lastZxid);
    reloaded();
    const truncatingTo = this.#truncatingTo;
    this.#truncatingTo = null;
    if (truncatingTo === null) return peer({ type: "RECOVERED", lastZxid, acceptedEpoch, currentEpoch });
    if (lastZxid === truncatingTo) return peer({ type: "LOG_TRUNCATED", lastZxid, currentEpoch });
    // What the leader will send follows a txn that this server never had. Its true position gets it a better plan.
    misjudged(`asked to truncate to ${formatZxid(truncatingTo)}, but the log ends at ${formatZxid(lastZxid)}`);
  }

  /** Memory and disk say the same again: the server may be voted for with what it has. */
  #settleIfQuiet(): void {
    const { replica, peer } = this.#options;
    if (!this.#settling || this.#epochWrites > 0 || this.#reloading || !replica.logIsQuiet) return;
    this.#settling = false;
    replica.fastForward(this.#uncommitted);
    this.#uncommitted = [];
    peer({ type: "SETTLED", lastZxid: replica.database.lastProcessedZxid });
  }
}
