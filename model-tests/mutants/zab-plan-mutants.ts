/** M19: known bugs of the choice between DIFF, TRUNC and SNAP, and of the log that a DIFF is read from. */

import type { SyncPlan } from "../../spec/ensemble/sync-plan.ts";
import { lastZxid } from "../../spec/invariants/zab-view.ts";
import { ZERO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import { HistorySender, type HistorySenderPorts } from "../../src/ensemble/history-sender.ts";
import type { Mutant } from "../checker/check.ts";
import { ModelDisk } from "../models/zab/model-disk.ts";
import { MC10, syncTable, type TableParts, tableBoundsText } from "../models/zab/sync-table.ts";

type Wrong = (reported: Zxid, committed: readonly Zxid[], lastProcessed: Zxid) => SyncPlan | null;

/** Production's sender with another plan for some cases. */
function planning(wrong: Wrong): typeof HistorySender {
  return class extends HistorySender {
    readonly #known: HistorySenderPorts;

    constructor(...[link, ports]: ConstructorParameters<typeof HistorySender>) {
      super(link, ports);
      this.#known = ports;
    }

    protected override plan(reported: Zxid): SyncPlan {
      const { committedLog, lastProcessed } = this.#known;
      return wrong(reported, committedLog.zxids(), lastProcessed()) ?? super.plan(reported);
    }
  };
}

/** A leader that has just loaded its data has no window. Its end is then taken for 0, … */
const endIsZero = planning((reported, committed, upTo) =>
  committed.length === 0 && reported !== upTo && reported > 0 ? { kind: "TRUNC", to: ZERO_ZXID, upTo } : null,
);

/** … or its beginning: whatever the learner has lies within. */
const beginningIsZero = planning((reported, committed, upTo) =>
  committed.length === 0 && reported < upTo ? { kind: "DIFF", after: reported, upTo } : null,
);

/** The log is read over its holes. */
class HolesPassedOver extends ModelDisk {
  override stretch(from: Zxid, to: Zxid): ReturnType<ModelDisk["stretch"]> {
    const { log } = this.state;
    const start = log.findLastIndex(([zxid]) => zxid <= from);
    if (start === -1) return { txns: [], complete: false };
    return { txns: log.slice(start).filter(([zxid]) => zxid <= to), complete: true };
  }
}

/** Holes within an epoch are seen, those between two epochs are not: a snapshot that came from a leader stands for them. */
class HolesBetweenEpochs extends ModelDisk {
  override stretch(from: Zxid, to: Zxid): ReturnType<ModelDisk["stretch"]> {
    return new ModelDisk({ ...this.state, snapshots: [] }, null as never).stretch(from, to);
  }
}

/** Holes are seen when the txns before them are sent already. */
class HolesMetOnTheWay extends ModelDisk {
  override stretch(from: Zxid, to: Zxid): ReturnType<ModelDisk["stretch"]> {
    const txns = this.wholeUntil(this.state.log, from, to);
    return { txns, complete: lastZxid(txns) >= to };
  }
}

interface PlanMutant extends Pick<Mutant, "name" | "story" | "killer"> {
  readonly parts: Partial<TableParts>;
}

const VARIANTS: readonly PlanMutant[] = [
  {
    name: "M19 an empty window ends at zero",
    story: "ZOOKEEPER-3526: the learner is told to truncate everything, and gets nothing for it.",
    parts: { HistorySender: endIsZero },
    killer: "I1 ProcessConsistency",
  },
  {
    name: "M19 an empty window begins at zero",
    story: "ZOOKEEPER-4352: the learner is told that it lacks nothing but what is in the window.",
    parts: { HistorySender: beginningIsZero },
    killer: "I1 ProcessConsistency",
  },
  {
    name: "M19 the log is read over its holes",
    story: "ZOOKEEPER-2846: txns that a snapshot stood for are missing in what the learner is sent.",
    parts: { Disk: HolesPassedOver },
    killer: "Z10 NothingUnexpected",
  },
  {
    name: "M19 the log is read over a hole between epochs",
    story: "The last txns of an epoch came in a snapshot; the next epoch's first txn seems to follow.",
    parts: { Disk: HolesBetweenEpochs },
    killer: "I1 ProcessConsistency",
  },
  {
    name: "M19 a hole is met on the way",
    story:
      "A learner is sent what a deposed leader had logged alone, as committed, before the hole behind it breaks the connection.",
    parts: { Disk: HolesMetOnTheWay },
    killer: "I1 ProcessConsistency",
  },
];

export const PLAN_MUTANTS: readonly Mutant[] = VARIANTS.map(({ parts, ...mutant }) => ({
  ...mutant,
  bounds: tableBoundsText(MC10),
  depth: 5,
  load: async () => syncTable(MC10, { HistorySender, Disk: ModelDisk, ...parts }),
}));
