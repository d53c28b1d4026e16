/**
 * This server's copy of the replicated state, and the way every committed txn takes into it: tree, committed log, clients.
 * Roles decide when a txn is committed; the replica decides nothing.
 */
import { NO_ZXID, type Zxid } from "../../spec/vocabulary.ts";
import type { CommittedLog } from "../ensemble/committed-log.ts";
import type { ClientService } from "../pipeline/client-service.ts";
import { decodeTxn, type Txn } from "../protocol/txn.ts";
import { assert } from "../runtime/assert.ts";
import type { Reporter } from "../runtime/environment.ts";
import type { Tracer } from "../runtime/tracer.ts";
import type { Storage } from "../storage/storage.ts";
import type { Database } from "../tree/database.ts";

export interface LoggedTxn {
  readonly zxid: Zxid;
  readonly entry: Buffer;
}

export class Replica {
  readonly database: Database;
  readonly storage: Storage;
  readonly committedLog: CommittedLog;
  readonly service: ClientService;
  readonly #report: Reporter;
  readonly #tracer: Tracer | null;
  readonly #appliedTxns: (txn: Txn) => void;
  #lastLogged: Zxid = NO_ZXID;
  #durableUpTo: Zxid = NO_ZXID;
  #digestMismatchTold = false;

  constructor(options: {
    database: Database;
    storage: Storage;
    service: ClientService;
    committedLog: CommittedLog;
    report: Reporter;
    /** Counts. */
    applied: (txn: Txn) => void;
    tracer?: Tracer | null;
  }) {
    this.database = options.database;
    this.storage = options.storage;
    this.service = options.service;
    this.committedLog = options.committedLog;
    this.#report = options.report;
    this.#tracer = options.tracer ?? null;
    this.#appliedTxns = options.applied;
  }

  /** A copy of an entry that lives as long as the committed log remembers it. */
  keep(zxid: Zxid, entry: Buffer): Buffer {
    return this.committedLog.memory.keep(zxid, entry);
  }

  /** Into the log; durable when `appended` has reached it. */
  log(zxid: Zxid, entry: Buffer): void {
    assert(zxid > this.#lastLogged, "The log only grows.");
    this.#lastLogged = zxid;
    if (this.#tracer !== null) this.#tracer.logged(zxid);
    this.storage.append(zxid, entry);
  }

  appended(upTo: Zxid): void {
    this.#durableUpTo = upTo;
  }

  /** Nothing that was handed to the log is still on its way to the disk. */
  get logIsQuiet(): boolean {
    return this.#durableUpTo >= this.#lastLogged;
  }

  /** Recovery or a snapshot from the leader has replaced the tree. */
  reloaded(lastZxid: Zxid): void {
    this.#lastLogged = lastZxid;
    this.#durableUpTo = lastZxid;
  }

  /**
   * The tree is what the txns up to now make it. Until a learner has applied what was committed when it was synchronized, its
   * tree may show later txns too: a snapshot is taken while the tree changes.
   */
  exact(exact: boolean): void {
    this.database.exact = exact;
  }

  deliver(zxid: Zxid, entry: Buffer): Txn {
    const txn = decodeTxn(entry);
    assert(txn.zxid === zxid, "An entry is the txn it is announced as.");
    this.deliverTxn(txn, entry);
    return txn;
  }

  /** Applies a committed txn; watches fire before anybody is answered. */
  deliverTxn(txn: Txn, entry: Buffer): void {
    assert(txn.zxid > this.database.lastProcessedZxid, "Commits come in zxid order, each once.");
    if (this.#tracer !== null) this.#tracer.applied(txn.zxid);
    const result = this.database.apply(txn);
    this.committedLog.add(txn.zxid, entry);
    this.#appliedTxns(txn);
    if (
      this.database.exact &&
      txn.digest !== null &&
      !this.#digestMismatchTold &&
      !this.database.agreesWith(txn.digest)
    ) {
      // As in Apache ZooKeeper a mismatch is told, once, and not fatal: some of its own versions write wrong digests.
      this.#digestMismatchTold = true;
      this.#report({
        level: "error",
        message: "the tree differs from its leader's: digest mismatch",
        data: { zxid: `0x${txn.zxid.toString(16)}`, type: txn.type },
      });
    }
    this.service.committed(txn, result);
    if (this.storage.snapshotDue) this.storage.snapshot("count");
  }

  /**
   * The role that logged these has ended without their commit. They are part of this server's history, exactly as after a
   * restart that replays the log (ZOOKEEPER-2845).
   */
  fastForward(logged: readonly LoggedTxn[]): void {
    for (const { zxid, entry } of logged) {
      if (zxid > this.database.lastProcessedZxid) this.deliver(zxid, entry);
    }
  }
}
