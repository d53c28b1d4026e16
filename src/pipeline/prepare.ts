import type { Zxid } from "../../spec/vocabulary.ts";
import type { Txn } from "../protocol/txn.ts";
import type { Environment } from "../runtime/environment.ts";
import type { SessionTracker } from "../session/session-tracker.ts";
import type { Database } from "../tree/database.ts";
import type { ServingConfig } from "./serving-config.ts";
import type { WriteRequest } from "./upstream.ts";

export interface Prepared {
  readonly txn: Txn;
  /** Header, record and digest: what goes into the log and into PROPOSAL. */
  readonly entry: Buffer;
}

/** Turns requests into txns against the tree as it will be (PrepRequestProcessor). Leader and standalone only. */
export class Prepare {
  constructor(database: Database, tracker: SessionTracker, config: ServingConfig, environment: Environment) {
    void [database, tracker, config, environment];
  }

  /** Always yields a txn, an error txn included. `timeMs`: wall clock, becomes ctime and mtime. */
  prepare(request: WriteRequest, zxid: Zxid, timeMs: number): Prepared {
    void [request, zxid, timeMs];
    throw new Error("not yet");
  }

  /** The database has applied everything up to `zxid`. */
  applied(zxid: Zxid): void {
    void zxid;
  }

  /** Forgets what is pending: leadership ended, or the database was replaced. */
  reset(): void {}
}
