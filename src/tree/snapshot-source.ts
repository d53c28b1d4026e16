import type { Zxid } from "../../spec/vocabulary.ts";
import type { Database } from "./database.ts";

export { TreeLoadError, TreeLoader } from "./tree-loader.ts";

const notYet = (): never => {
  throw new Error("not yet");
};

/** The snapshot body (sessions, ACL map, nodes, end marker) in slices, while the tree goes on changing. */
export class TreeSnapshotter {
  /** The database's lastProcessedZxid when the snapshot started: replay from the next one. */
  readonly zxid: Zxid;
  constructor(database: Database) {
    this.zxid = database.lastProcessedZxid;
  }
  /** The next bytes: about `budgetNodes` nodes or 1 MiB, whichever comes first; null after the end marker. */
  next(_budgetNodes: number): Buffer | null {
    return notYet();
  }
  /** Give up before the end: the database forgets this snapshot. Called by itself at the end. */
  close(): void {
    notYet();
  }
}
