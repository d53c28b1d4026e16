/** Operations on their way: what was asked, and who waits for the answer. */
import type { ZooKeeperError } from "./errors.ts";
import type { Watcher, WatchKind } from "./watches.ts";

type Resolve = (value: unknown) => void;
type Reject = (error: ZooKeeperError) => void;

function nobody(): void {}

// Promises are made by the hundred thousand a second: one shared executor instead of a closure for each.
let latestResolve: Resolve = nobody;
let latestReject: Reject = nobody;
function capture(resolve: Resolve, reject: Reject): void {
  latestResolve = resolve;
  latestReject = reject;
}

export class Request {
  readonly op: number;
  /** The client's path; null for operations without one. */
  readonly path: string | null;
  /** Set when the reply says that the server watches. `exist` is decided by the reply. */
  readonly watcher: Watcher | null;
  readonly watchKind: WatchKind | null;
  /** 0 until the core has taken it. */
  xid = 0;
  resolve: Resolve = nobody;
  reject: Reject = nobody;

  constructor(op: number, path: string | null, watcher: Watcher | null = null, watchKind: WatchKind | null = null) {
    this.op = op;
    this.path = path;
    this.watcher = watcher;
    this.watchKind = watchKind;
  }

  /** For operations that somebody waits for; the core's own do without. */
  promise<T>(): Promise<T> {
    const promise = new Promise<unknown>(capture);
    this.resolve = latestResolve;
    this.reject = latestReject;
    return promise as Promise<T>;
  }
}

/** Requests in the order they were made, which is the order of their replies. */
export class RequestQueue {
  #items: Request[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(request: Request): void {
    this.#items.push(request);
  }

  /** Puts requests before all others: setWatches goes out before what waited for the connection. */
  prepend(requests: readonly Request[]): void {
    if (requests.length > 0) this.#items = [...requests, ...this.takeAll()];
  }

  first(): Request | undefined {
    return this.#items[this.#head];
  }

  shift(): void {
    this.#head++;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#items.length) {
      // Taking from the front of a long array costs its length; so it is done once for many.
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  takeAll(): Request[] {
    const all = this.#head === 0 ? this.#items : this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return all;
  }
}
