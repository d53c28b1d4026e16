/** Disks for servers to start from: what an ensemble has left on them. */
import { type Epoch, makeZxid, type Zxid } from "../../../spec/vocabulary.ts";
import { randomFrom } from "../../simulator/clock.ts";
import { FakeDisk } from "../../simulator/fake-disk.ts";
import { createTxn, StorageHarness } from "../../simulator/storage-harness.ts";

export interface DiskContent {
  /** Txns 1…n of epoch 1. */
  readonly txns: number;
  readonly acceptedEpoch: Epoch;
  readonly currentEpoch: Epoch;
}

/** A fresh directory: what RECOVERED says of it. */
export const EMPTY: DiskContent = { txns: 0, acceptedEpoch: 0 as Epoch, currentEpoch: 0 as Epoch };
export const USED: DiskContent = { txns: 3, acceptedEpoch: 2 as Epoch, currentEpoch: 1 as Epoch };

export const lastZxidOf = ({ txns }: DiskContent): Zxid => (txns === 0 ? (0 as Zxid) : makeZxid(1, txns));

const made = new Map<DiskContent, FakeDisk>();

export function diskWith(content: DiskContent, epochFiles = true): FakeDisk {
  let disk = made.get(content);
  if (disk === undefined) {
    disk = content.txns === 0 ? new FakeDisk({ random: randomFrom(1) }) : writtenDisk(content);
    made.set(content, disk);
  }
  return epochFiles ? disk.clone(() => 0) : disk.clone(() => 0);
}

function writtenDisk({ txns, acceptedEpoch, currentEpoch }: DiskContent): FakeDisk {
  const harness = StorageHarness.fresh();
  for (let counter = 1; counter <= txns; counter++) {
    const { zxid, entry, txn } = createTxn(makeZxid(1, counter));
    harness.storage.append(zxid, entry);
    harness.database.apply(txn);
  }
  harness.storage.flush();
  harness.storage.writeEpoch("acceptedEpoch", acceptedEpoch);
  harness.storage.writeEpoch("currentEpoch", currentEpoch);
  harness.settle();
  return harness.disk;
}
