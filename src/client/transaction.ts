/** A multi, built step by step: all of it happens, or none. */
import { assert } from "../runtime/assert.ts";
import type { CreateOptions, Data, TransactionOp } from "./operations.ts";
import type { MultiResult } from "./replies.ts";

export class Transaction {
  readonly #ops: TransactionOp[] = [];
  readonly #commit: (ops: readonly TransactionOp[]) => Promise<readonly MultiResult[]>;
  #committed = false;

  constructor(commit: (ops: readonly TransactionOp[]) => Promise<readonly MultiResult[]>) {
    this.#commit = commit;
  }

  create(path: string, data: Data = null, options: CreateOptions = {}): this {
    return this.#add({ type: "create", path, data, options });
  }

  delete(path: string, version = -1): this {
    return this.#add({ type: "delete", path, version });
  }

  setData(path: string, data: Data, version = -1): this {
    return this.#add({ type: "setData", path, data, version });
  }

  /** The other ops happen only if the node has this version. */
  check(path: string, version: number): this {
    return this.#add({ type: "check", path, version });
  }

  /** Results in the order of the ops. See `ZooKeeper.multi` for what it rejects with. */
  commit(): Promise<readonly MultiResult[]> {
    assert(!this.#committed, "A transaction is committed once.");
    this.#committed = true;
    return this.#commit(this.#ops);
  }

  #add(op: TransactionOp): this {
    this.#ops.push(op);
    return this;
  }
}
