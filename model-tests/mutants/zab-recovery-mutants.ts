/** Known bugs of what a server is left with when a role ends, when it truncates, and when it starts again. */

import { type History, lastZxid } from "../../spec/invariants/zab-view.ts";
import { type Epoch, NO_EPOCH, type Zxid } from "../../spec/vocabulary.ts";
import { Member } from "../models/zab/member.ts";
import { ModelDisk, type Recovered } from "../models/zab/model-disk.ts";
import type { ZabMutant } from "./zab-mutants.ts";

/** M08: a role's last writes are not waited for. */
class ImpatientMember extends Member {
  protected override get logIsQuiet(): boolean {
    return true;
  }
}

/** M15: what was logged and not committed is left out of the tree. */
class UnreplayedMember extends Member {
  protected override fastForward(): History {
    return [];
  }
}

/** M10: an append that fails is passed over; the server goes on with what it has in memory. */
class LeakyDisk extends ModelDisk {
  static override readonly mayLoseAppends = true;
}

/** M13: a snapshot gets its name before it is whole, and what a crash leaves of it is loaded. */
class PartialSnapshotDisk extends ModelDisk {
  override crash(kept: number): void {
    const { snapshot, snapshots } = this.state;
    super.crash(kept);
    if (snapshot !== null && !snapshot.cutting)
      this.now = { ...this.now, snapshots: [...snapshots, snapshot.tree.slice(1)] };
  }
}

/** M16: TRUNC takes one txn too many with it, and says it did not. */
class GreedyDisk extends ModelDisk {
  override recover(): Recovered | null {
    const { truncateTo } = this.state;
    const recovered = super.recover();
    if (truncateTo === null || recovered === null) return recovered;
    const { log } = this.state;
    if (lastZxid(log) === truncateTo) this.now = { ...this.now, log: log.slice(0, -1) };
    return recovered;
  }
}

/** M18: the log cannot be cut, and nobody looks. */
class StubbornDisk extends ModelDisk {
  override recover(): Recovered | null {
    const { log, truncateTo } = this.state;
    const recovered = super.recover();
    if (truncateTo !== null) this.now = { ...this.now, log };
    return recovered;
  }
}

/** Of our own: the log cannot be cut, and a server that is asked for it tries again with the next leader. */
class UncutDisk extends ModelDisk {
  override recover(): Recovered | null {
    this.now = { ...this.now, truncateTo: null };
    return super.recover();
  }
}

/** M20: an empty directory is taken for a server that has never had anything. */
class TrustingDisk extends ModelDisk {
  static override readonly autoCreate = true;
}

/** M20 over a restart: nothing on the disk says that history was lost, so a snapshot that comes next is taken for one. */
class ForgetfulDisk extends ModelDisk {
  override recover(): Recovered | null {
    const recovered = super.recover();
    if (this.now.currentEpoch === NO_EPOCH) this.now = { ...this.now, currentEpoch: 0 as Epoch };
    return recovered;
  }
}

/** Of our own: what a role logged and did not commit is applied when the next one begins to serve. */
class LateMember extends Member {
  protected override fastForward(logged: History): History {
    return logged;
  }

  protected override perform(effect: Parameters<Member["perform"]>[0]): void {
    super.perform(effect);
    if (effect.type === "learner.open") this.tree = [...this.tree, ...this.state.uncommitted];
  }
}

/** Of our own: a restart forgets the last txn that was durable. */
class ShortReplayDisk extends ModelDisk {
  override recover(): Recovered | null {
    const recovered = super.recover();
    if (recovered === null || recovered.replayed.length === 0) return recovered;
    const cut = (history: History): History => history.slice(0, -1);
    const tree = cut(recovered.tree);
    const fact = { ...recovered.fact, lastZxid: lastZxid(tree) as Zxid };
    this.now = { ...this.now, log: cut(this.now.log) };
    return { fact, tree, replayed: cut(recovered.replayed) };
  }
}

export const RECOVERY_MUTANTS: readonly ZabMutant[] = [
  {
    name: "a log that cannot be cut",
    story: "The server looks for a leader that asks nothing of the kind, and there is none.",
    parts: { Disk: UncutDisk },
    bounds: { epochs: 3 },
    killer: "L1 AllInStep",
    depth: 19,
    only: true,
  },
  {
    name: "M08 the log goes on writing for a role that has ended",
    story: "ZOOKEEPER-4712: what it writes late lands behind the next leader's history.",
    parts: { Member: ImpatientMember },
    bounds: { serving: 2 },
    killer: "I7 MemoryLeDisk",
    depth: 5,
    only: true,
  },
  {
    name: "M10 a failed append is passed over",
    story: "ZOOKEEPER-4882: the txn is in memory and not in the log, and after it the log goes on.",
    parts: { Disk: LeakyDisk },
    bounds: { serving: 2, txns: 2 },
    killer: "I8 LogContinuity",
    depth: 4,
    only: true,
  },
  {
    name: "M13 what a crash leaves of a snapshot is loaded",
    story: "ZOOKEEPER-2872: it is named after the last txn and lacks another; nothing brings that one back.",
    parts: { Disk: PartialSnapshotDisk },
    bounds: { serving: 2, txns: 2, epochs: 1 },
    killer: "I10 DigestAgreement",
    depth: 19,
    only: true,
  },
  {
    name: "M15 logged txns are not replayed when a role ends",
    story: "ZOOKEEPER-2845: the server votes with less than its log holds, and keeps a txn its leader does not know.",
    parts: { Member: UnreplayedMember },
    bounds: { serving: 2, epochs: 3 },
    killer: "I1 ProcessConsistency",
    depth: 14,
    only: true,
  },
  {
    name: "M16 truncation cuts too much",
    story: "ZOOKEEPER-1154, -1156: a server that rejoins with txns of a dead epoch loses committed ones with them.",
    parts: { Disk: GreedyDisk },
    bounds: { serving: 2, history: 1, epochs: 3 },
    killer: "I4 CommittedLogDurability",
    depth: 25,
    only: true,
  },
  {
    name: "M18 a truncation that fails is ignored",
    story: "ZOOKEEPER-3701: the server goes on upon a log that still holds what was to be cut.",
    parts: { Disk: StubbornDisk },
    bounds: { serving: 2 },
    killer: "I1 ProcessConsistency",
    depth: 14,
    only: true,
  },
  {
    name: "M20 a server that lost its disk votes",
    story: "ZOOKEEPER-261, -2325: with its empty history it helps somebody into the lead who lacks a committed txn.",
    parts: { Disk: TrustingDisk },
    bounds: { serving: 2, crashes: 0, breaks: 1, wipes: 1 },
    killer: "I3 LeaderLogCompleteness",
    depth: 14,
    only: true,
  },
  {
    name: "M20 a lost history leaves no mark",
    story: "The snapshot that a leader sends gives the vote back, before NEWLEADER is acknowledged.",
    parts: { Disk: ForgetfulDisk },
    bounds: { serving: 2, crashes: 0, breaks: 1, wipes: 1 },
    killer: "I7 MemoryLeDisk",
    depth: 2,
    only: true,
  },
  {
    name: "uncommitted txns are applied in the next role",
    story: "They were proposed in an older epoch than what this server has applied by then.",
    parts: { Member: LateMember },
    bounds: { serving: 2, txns: 2 },
    killer: "Z7 PrefixConsistency",
    depth: 22,
    only: true,
  },
  {
    name: "a restart forgets the last durable txn",
    story: "A replay that stops one record early, and cuts it off as torn.",
    parts: { Disk: ShortReplayDisk },
    bounds: { serving: 2 },
    killer: "I4 CommittedStaysLogged",
    depth: 7,
    only: true,
  },
];
