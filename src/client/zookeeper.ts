/**
 * A ZooKeeper session as an application uses it. Every operation returns a promise; operations are sent, take effect and
 * are answered in the order of the calls, so there is no need to wait for one before calling the next.
 */
import type { Acl, SessionId, Zxid } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { type MultiOp, writeMultiRequest } from "../protocol/multi.ts";
import { AddWatchMode, type CreateFlags, OpCode, WatcherType } from "../protocol/opcodes.ts";
import { CreateRequest, CreateTTLRequest, SetACLRequest } from "../protocol/records.ts";
import type { ClientPhase, ConnectionCore } from "./connection-core.ts";
import { BadArguments, CLOSING, errorFor } from "./errors.ts";
import {
  ANY_VERSION,
  type CreateOptions,
  createFlags,
  createOpCode,
  type Data,
  isSequential,
  isTtl,
  OPEN_ACL,
  pathProblem,
  type TransactionOp,
  toBytes,
  toMultiOp,
} from "./operations.ts";
import type { AclResult, ChildrenResult, CreateResult, DataResult, MultiResult, Stat } from "./replies.ts";
import { withChroot } from "./replies.ts";
import { Request } from "./request.ts";
import { Transaction } from "./transaction.ts";
import type { SessionState, WatchedEvent, WatchedEventType, Watcher, WatchKind } from "./watches.ts";

export type StateListener = (state: SessionState) => void;

/** What a core tells its owner. */
export interface CoreHooks {
  readonly deliver: (watchers: ReadonlySet<Watcher>, event: WatchedEvent) => void;
  readonly stateChanged: (state: SessionState) => void;
}

/** An authenticated identity of this connection, as the server sees it. */
export interface ClientInfo {
  readonly authScheme: string;
  readonly user: string;
}

const WATCHES_OF_TYPE = {
  children: { code: WatcherType.children, kinds: ["child"] },
  data: { code: WatcherType.data, kinds: ["data", "exist"] },
  any: { code: WatcherType.any, kinds: ["data", "exist", "child", "persistent", "recursive"] },
} as const satisfies Record<string, { code: number; kinds: readonly WatchKind[] }>;

/** The last event of a watch that was removed. */
const REMOVED: Readonly<Record<WatchKind, WatchedEventType>> = {
  data: "DataWatchRemoved",
  exist: "DataWatchRemoved",
  child: "ChildWatchRemoved",
  persistent: "PersistentWatchRemoved",
  recursive: "PersistentWatchRemoved",
};

/**
 * Operations reject with a ZooKeeperError (errors.ts). ConnectionLoss leaves open whether the operation happened; the
 * client reconnects by itself, with its session and its watches. SessionExpired, AuthFailed and ClientClosed are final:
 * connect anew.
 */
export class ZooKeeper {
  readonly #core: ConnectionCore;
  readonly #listeners = new Set<StateListener>();

  /** Applications call `connect` (index.ts); tests and simulators bring a core with their own I/O. */
  constructor(createCore: (hooks: CoreHooks) => ConnectionCore) {
    this.#core = createCore({
      // Microtasks, as for promises: what the application sees is in the order of the wire.
      deliver: (watchers, event) => {
        for (const watcher of watchers) queueMicrotask(() => watcher(event));
      },
      stateChanged: (state) => {
        for (const listener of this.#listeners) queueMicrotask(() => listener(state));
      },
    });
    this.#core.start();
  }

  // ---- the session

  get state(): ClientPhase {
    return this.#core.phase;
  }

  /** 0n before there is one. */
  get sessionId(): SessionId {
    return this.#core.connection.sessionId;
  }

  /** Together with the id it lets another client take the session up (`ClientOptions.session`). */
  get sessionPassword(): Buffer {
    return this.#core.password;
  }

  /** What the server granted, ms. */
  get sessionTimeoutMs(): number {
    return this.#core.sessionTimeoutMs;
  }

  /** "host:port"; "" while there is no connection. */
  get server(): string {
    return this.#core.connection.server;
  }

  /** Counts the connections that served this session, from 1. */
  get generation(): number {
    return this.#core.connection.generation;
  }

  get chroot(): string {
    return this.#core.stream.chroot;
  }

  /** zxid of the latest reply. */
  get lastZxid(): Zxid {
    return this.#core.stream.lastZxid;
  }

  /** Xid of the operation called last: how a recorder ties a call to what its observer sees. */
  get lastXid(): number {
    return this.#core.stream.lastXid;
  }

  /** @returns how to stop listening */
  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once a server serves the session (at once, if one does); rejects when none ever will. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const { state } = this;
        if (state === "connected" || state === "readOnly") resolve();
        else if (state === "expired") reject(errorFor(ErrorCode.SESSIONEXPIRED, null));
        else if (state === "authFailed") reject(errorFor(ErrorCode.AUTHFAILED, null));
        else if (state === "closing" || state === "closed") reject(errorFor(CLOSING, null));
        else return false;
        return true;
      };
      if (settle()) return;
      const stop = this.onState(() => {
        if (settle()) stop();
      });
    });
  }

  /**
   * Ends the session: its ephemeral nodes are gone when this resolves, if a server could be told. Operations called before
   * are still answered; later ones reject with ClientClosed. Never rejects.
   */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.state === "closed") {
        resolve();
        return;
      }
      const stop = this.onState((state) => {
        if (state !== "Closed") return;
        stop();
        resolve();
      });
      this.#core.close();
    });
  }

  /** Adds an identity to this and every later connection, as `("digest", "user:password")`. A refusal ends the client. */
  addAuth(scheme: string, auth: Data): Promise<void> {
    const request = new Request(OpCode.auth, null);
    const promise = request.promise<void>();
    this.#core.addAuth(scheme, toBytes(auth), request);
    return promise;
  }

  // ---- reads

  /** @param watcher one event: the node was created, deleted, or its data changed */
  exists(path: string, watcher?: Watcher): Promise<Stat | null> {
    return this.#read(OpCode.exists, path, watcher, "data");
  }

  /** @param watcher one event: the node was deleted, or its data changed */
  getData(path: string, watcher?: Watcher): Promise<DataResult> {
    return this.#read(OpCode.getData, path, watcher, "data");
  }

  /** @param watcher one event: the node was deleted, or a child came or went */
  getChildren(path: string, watcher?: Watcher): Promise<readonly string[]> {
    return this.#read(OpCode.getChildren, path, watcher, "child");
  }

  /** @param watcher one event: the node was deleted, or a child came or went */
  getChildren2(path: string, watcher?: Watcher): Promise<ChildrenResult> {
    return this.#read(OpCode.getChildren2, path, watcher, "child");
  }

  getAcl(path: string): Promise<AclResult> {
    return this.#onPath(new Request(OpCode.getACL, path), path);
  }

  /** All nodes below the path. */
  getAllChildrenNumber(path: string): Promise<number> {
    return this.#onPath(new Request(OpCode.getAllChildrenNumber, path), path);
  }

  /** This session's ephemeral nodes whose path starts with the prefix. */
  getEphemerals(prefix = "/"): Promise<readonly string[]> {
    return this.#onPath(new Request(OpCode.getEphemerals, prefix), prefix);
  }

  whoAmI(): Promise<readonly ClientInfo[]> {
    const request = new Request(OpCode.whoAmI, null);
    return this.#request<readonly ClientInfo[]>(request, () => {});
  }

  /** After this, reads of this session see everything that was acknowledged to anyone before it. */
  sync(path: string): Promise<void> {
    return this.#onPath(new Request(OpCode.sync, path), path);
  }

  // ---- writes

  /** @returns the path, for a sequential node with its number */
  create(path: string, data: Data = null, options: CreateOptions = {}): Promise<string> {
    const flags = createFlags(options);
    // Containers and TTL nodes are answered with a Stat, asked for or not.
    if (typeof flags !== "string" && createOpCode(flags, false) !== OpCode.create) {
      return this.create2(path, data, options).then((created) => created.path);
    }
    return this.#create(path, data, options, flags, false);
  }

  create2(path: string, data: Data = null, options: CreateOptions = {}): Promise<CreateResult> {
    return this.#create(path, data, options, createFlags(options), true);
  }

  delete(path: string, version = ANY_VERSION): Promise<void> {
    return this.#versioned(new Request(OpCode.delete, path), path, version);
  }

  setData(path: string, data: Data, version = ANY_VERSION): Promise<Stat> {
    const problem = pathProblem(path);
    if (problem !== null) return Promise.reject(new BadArguments(path, problem));
    const bytes = toBytes(data);
    const request = new Request(OpCode.setData, path);
    const promise = request.promise<Stat>();
    const writer = this.#core.open(request);
    if (writer !== null) {
      writer.ustring(withChroot(path, this.chroot));
      writer.buffer(bytes);
      writer.int(version);
      this.#core.seal(request);
    }
    return promise;
  }

  /** @param version compared with `Stat.aversion` */
  setAcl(path: string, acl: readonly Acl[], version = ANY_VERSION): Promise<Stat> {
    const problem = pathProblem(path);
    if (problem !== null) return Promise.reject(new BadArguments(path, problem));
    const serverPath = withChroot(path, this.chroot);
    return this.#request<Stat>(new Request(OpCode.setACL, path), (writer) =>
      SetACLRequest.write(writer, { path: serverPath, acl, version }),
    );
  }

  /** Rejects with BadVersion or NoNode. Costs a transaction, as it has to be ordered among the writes. */
  check(path: string, version: number): Promise<void> {
    return this.multi([{ type: "check", path, version }]).then(() => {});
  }

  /** All ops or none. If one fails, the error carries its code, and in `results` the code of each op. */
  multi(ops: readonly TransactionOp[]): Promise<readonly MultiResult[]> {
    const wire: MultiOp[] = [];
    for (const op of ops) {
      const converted = toMultiOp(op, this.chroot);
      if (typeof converted === "string") return Promise.reject(new BadArguments(op.path, converted));
      wire.push(converted);
    }
    return this.#request(new Request(OpCode.multi, null), (writer) => writeMultiRequest(writer, wire));
  }

  /** A multi, built step by step. */
  transaction(): Transaction {
    return new Transaction((ops) => this.multi(ops));
  }

  // ---- watches

  /** A watch that stays: on one node and its children, or (`recursive`) on everything from the path down. */
  addWatch(path: string, watcher: Watcher, { recursive = false } = {}): Promise<void> {
    const mode = recursive ? AddWatchMode.persistentRecursive : AddWatchMode.persistent;
    const request = new Request(OpCode.addWatch, path, watcher, recursive ? "recursive" : "persistent");
    return this.#versioned(request, path, mode);
  }

  /**
   * Forgets watches on a path: all of the type, or only this watcher's. Each gets a last event that says so.
   * Rejects with NoWatcher if there is none.
   */
  removeWatches(path: string, type: keyof typeof WATCHES_OF_TYPE = "any", watcher?: Watcher): Promise<void> {
    const { code, kinds } = WATCHES_OF_TYPE[type];
    const { watches } = this.#core.stream;
    const serverPath = withChroot(path, this.chroot);
    if (!watches.has(serverPath, kinds, watcher)) return Promise.reject(errorFor(ErrorCode.NOWATCHER, path));
    const forget = (): void => {
      for (const [removed, kind] of watches.remove(serverPath, kinds, watcher)) {
        const event: WatchedEvent = { type: REMOVED[kind], state: "SyncConnected", path };
        queueMicrotask(() => removed(event));
      }
    };
    if (watches.othersThan(serverPath, kinds, watcher)) {
      // The server keeps one watch for all of us, and somebody still needs it.
      forget();
      return Promise.resolve();
    }
    return this.#versioned<void>(new Request(OpCode.removeWatches, path), path, code).then(forget);
  }

  // ---- frames

  #read<T>(op: number, path: string, watcher: Watcher | undefined, kind: WatchKind): Promise<T> {
    const problem = pathProblem(path);
    if (problem !== null) return Promise.reject(new BadArguments(path, problem));
    const request = watcher === undefined ? new Request(op, path) : new Request(op, path, watcher, kind);
    const promise = request.promise<T>();
    const writer = this.#core.open(request);
    if (writer !== null) {
      writer.ustring(withChroot(path, this.chroot));
      writer.bool(watcher !== undefined);
      this.#core.seal(request);
    }
    return promise;
  }

  #onPath<T>(request: Request, path: string): Promise<T> {
    const problem = pathProblem(path);
    if (problem !== null) return Promise.reject(new BadArguments(path, problem));
    return this.#request(request, (writer) => writer.ustring(withChroot(path, this.chroot)));
  }

  /** Records of a path and an int. */
  #versioned<T>(request: Request, path: string, version: number): Promise<T> {
    const problem = pathProblem(path);
    if (problem !== null) return Promise.reject(new BadArguments(path, problem));
    return this.#request(request, (writer) => {
      writer.ustring(withChroot(path, this.chroot));
      writer.int(version);
    });
  }

  #create<T>(
    path: string,
    data: Data,
    { acl = OPEN_ACL, ttlMs = 0 }: CreateOptions,
    flags: CreateFlags | string,
    withStat: boolean,
  ): Promise<T> {
    if (typeof flags === "string") return Promise.reject(new BadArguments(path, flags));
    const problem = pathProblem(path, isSequential(flags));
    if (problem !== null) return Promise.reject(new BadArguments(path, problem));
    const record = { path: withChroot(path, this.chroot), data: toBytes(data), acl, flags };
    return this.#request(new Request(createOpCode(flags, withStat), path), (writer) => {
      if (isTtl(flags)) CreateTTLRequest.write(writer, { ...record, ttl: ttlMs });
      else CreateRequest.write(writer, record);
    });
  }

  #request<T>(request: Request, write: (writer: JuteWriter) => void): Promise<T> {
    const promise = request.promise<T>();
    const writer = this.#core.open(request);
    if (writer !== null) {
      write(writer);
      this.#core.seal(request);
    }
    return promise;
  }
}
