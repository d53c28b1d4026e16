/**
 * The znode tree as a sequential reference model: what one client after the other would see (ZooKeeper programmer's guide,
 * PrepRequestProcessor, DataTree). Plain Maps and strings, no thought of speed: production is tested against it, and
 * histories of real clusters are replayed through it.
 *
 * Left out: permissions (ACLs are stored, not checked), quotas, digests.
 */
import type { Acl, SessionId } from "../vocabulary.ts";

export type ZnodeError =
  | "BADARGUMENTS"
  | "BADVERSION"
  | "NOCHILDRENFOREPHEMERALS"
  | "NODEEXISTS"
  | "NONODE"
  | "NOTEMPTY"
  /** In a failed multi: not tried, because an earlier op failed. */
  | "RUNTIMEINCONSISTENCY";

export type CreateMode =
  | "persistent"
  | "persistentSequential"
  | "ephemeral"
  | "ephemeralSequential"
  | "container"
  | { readonly ttlMs: number };

/** `version` -1 matches any. */
export type SubWrite =
  | {
      readonly op: "create";
      readonly path: string;
      readonly data: string | null;
      readonly acl: readonly Acl[];
      readonly mode: CreateMode;
    }
  | { readonly op: "delete"; readonly path: string; readonly version: number }
  | { readonly op: "setData"; readonly path: string; readonly data: string | null; readonly version: number }
  | { readonly op: "check"; readonly path: string; readonly version: number };

export type Write =
  | SubWrite
  | { readonly op: "setACL"; readonly path: string; readonly acl: readonly Acl[]; readonly version: number }
  | { readonly op: "multi"; readonly ops: readonly SubWrite[] }
  | { readonly op: "createSession"; readonly timeoutMs: number }
  | { readonly op: "closeSession" };

/** Whose write, and what the leader gave it. `time`: ms since 1970. */
export interface Stamp {
  readonly session: SessionId;
  readonly zxid: number;
  readonly time: number;
}

/** What a client sees of a node's state. */
export interface ClientStat {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  readonly ephemeralOwner: bigint;
  readonly dataLength: number;
  readonly numChildren: number;
}

export interface Outcome {
  /** null: done. Of a multi always null, its results tell. */
  readonly err: ZnodeError | null;
  /** Of a create: with its sequence number. */
  readonly path?: string;
  /** Of a create, setData or setACL: right after it. */
  readonly stat?: ClientStat;
  /** Of a multi. */
  readonly results?: readonly Outcome[];
}

/** What watchers could be told of, in the order in which it happens. */
export interface Change {
  readonly kind: "created" | "deleted" | "dataChanged" | "childrenChanged";
  readonly path: string;
}

export interface ModelNode {
  readonly data: string | null;
  readonly acl: readonly Acl[];
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  /** Creates of children; what clients see counts deletes, too. */
  readonly cversion: number;
  readonly aversion: number;
  /** "container", a TTL, the session of an ephemeral, or none. */
  readonly owner: SessionId | "container" | { readonly ttlMs: number } | null;
  /** Names. */
  readonly children: Set<string>;
}

const OPEN: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];
const READ_ONLY: readonly Acl[] = [{ perms: 1, scheme: "world", id: "anyone" }];
const PROTECTED = new Set(["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"]);

export class ZnodeTree {
  /** By path. */
  readonly nodes = new Map<string, ModelNode>();
  /** Timeouts in ms. */
  readonly sessions = new Map<SessionId, number>();
  /** Of the last write. */
  changes: Change[] = [];
  /** What the last write replaced, newest last: how a multi that fails takes back what it has done. */
  #before: [path: string, node: ModelNode | null][] = [];

  constructor() {
    for (const path of PROTECTED) this.#put(path, makeNode("", OPEN, null, 0, 0));
    this.#put("/zookeeper/config", { ...makeNode("", READ_ONLY, null, 0, 0), aversion: -1 });
  }

  clone(): ZnodeTree {
    const copy = new ZnodeTree();
    copy.nodes.clear();
    for (const [path, node] of this.nodes) copy.nodes.set(path, { ...node, children: new Set(node.children) });
    for (const [session, timeoutMs] of this.sessions) copy.sessions.set(session, timeoutMs);
    return copy;
  }

  children(path: string): string[] {
    return [...(this.nodes.get(path)?.children ?? [])];
  }

  ephemeralsOf(session: SessionId): string[] {
    return [...this.nodes].filter(([, node]) => node.owner === session).map(([path]) => path);
  }

  stat(path: string): ClientStat | null {
    const node = this.nodes.get(path);
    if (node === undefined) return null;
    const numChildren = node.children.size;
    return {
      czxid: node.czxid,
      mzxid: node.mzxid,
      pzxid: node.pzxid,
      ctime: node.ctime,
      mtime: node.mtime,
      version: node.version,
      cversion: node.cversion * 2 - numChildren,
      aversion: node.aversion,
      ephemeralOwner: typeof node.owner === "bigint" ? node.owner : 0n,
      dataLength: utf8Length(node.data ?? ""),
      numChildren,
    };
  }

  write(write: Write, stamp: Stamp): Outcome {
    this.changes = [];
    this.#before = [];
    switch (write.op) {
      case "multi":
        return this.#multi(write.ops, stamp);
      case "setACL":
        return this.#setAcl(write.path, write.acl, write.version);
      case "createSession":
        this.sessions.set(stamp.session, write.timeoutMs);
        return { err: null };
      case "closeSession":
        for (const path of this.ephemeralsOf(stamp.session)) this.#remove(path, stamp.zxid);
        this.sessions.delete(stamp.session);
        return { err: null };
      default:
        return this.#subWrite(write, stamp);
    }
  }

  #subWrite(write: SubWrite, stamp: Stamp): Outcome {
    switch (write.op) {
      case "create":
        return this.#create(write, stamp);
      case "delete":
        return this.#delete(write.path, write.version, stamp);
      case "setData":
        return this.#setData(write.path, write.data, write.version, stamp);
      case "check":
        return { err: this.#versionError(write.path, write.version, "version") };
    }
  }

  #create(write: SubWrite & { op: "create" }, stamp: Stamp): Outcome {
    if (!hasParent(write.path)) return { err: "BADARGUMENTS" };
    const parentPath = parentOf(write.path);
    const parent = this.nodes.get(parentPath);
    if (parent === undefined) return { err: "NONODE" };
    const suffix = isSequential(write.mode) ? String(parent.cversion).padStart(10, "0") : "";
    const path = write.path + suffix;
    if (!isPath(path)) return { err: "BADARGUMENTS" };
    if (this.nodes.has(path)) return { err: "NODEEXISTS" };
    if (typeof parent.owner === "bigint") return { err: "NOCHILDRENFOREPHEMERALS" };
    const owner = ownerOf(write.mode, stamp.session);
    this.#put(path, makeNode(write.data, write.acl, owner, stamp.zxid, stamp.time));
    this.#put(parentPath, { ...parent, cversion: parent.cversion + 1, pzxid: stamp.zxid });
    this.changes.push({ kind: "created", path }, { kind: "childrenChanged", path: parentPath });
    return { err: null, path, stat: this.stat(path)! };
  }

  #delete(path: string, version: number, stamp: Stamp): Outcome {
    if (!hasParent(path) || PROTECTED.has(path)) return { err: "BADARGUMENTS" };
    const err = this.nodes.has(path) ? this.#versionError(path, version, "version") : "NONODE";
    if (err !== null) return { err };
    if (this.nodes.get(path)!.children.size > 0) return { err: "NOTEMPTY" };
    this.#remove(path, stamp.zxid);
    return { err: null };
  }

  #setData(path: string, data: string | null, version: number, stamp: Stamp): Outcome {
    const err = this.#versionError(path, version, "version");
    if (err !== null) return { err };
    const node = this.nodes.get(path)!;
    this.#put(path, { ...node, data, version: node.version + 1, mzxid: stamp.zxid, mtime: stamp.time });
    this.changes.push({ kind: "dataChanged", path });
    return { err: null, stat: this.stat(path)! };
  }

  #setAcl(path: string, acl: readonly Acl[], version: number): Outcome {
    const err = this.#versionError(path, version, "aversion");
    if (err !== null) return { err };
    const node = this.nodes.get(path)!;
    this.#put(path, { ...node, acl, aversion: node.aversion + 1 });
    return { err: null, stat: this.stat(path)! };
  }

  /** All or nothing. Later ops see what earlier ones did. */
  #multi(ops: readonly SubWrite[], stamp: Stamp): Outcome {
    const results: Outcome[] = [];
    for (const op of ops) {
      const outcome = this.#subWrite(op, stamp);
      results.push(outcome);
      if (outcome.err === null) continue;
      for (const [path, node] of this.#before.toReversed()) this.#put(path, node);
      this.changes = [];
      const before = results.slice(0, -1).map((): Outcome => ({ err: null }));
      const after = ops.slice(results.length).map((): Outcome => ({ err: "RUNTIMEINCONSISTENCY" }));
      return { err: null, results: [...before, outcome, ...after] };
    }
    return { err: null, results };
  }

  #versionError(path: string, expected: number, field: "version" | "aversion"): ZnodeError | null {
    const node = this.nodes.get(path);
    if (node === undefined) return isPath(path) ? "NONODE" : "BADARGUMENTS";
    return expected === -1 || expected === node[field] ? null : "BADVERSION";
  }

  #remove(path: string, zxid: number): void {
    const parent = this.nodes.get(parentOf(path))!;
    this.#put(path, null);
    this.#put(parentOf(path), { ...parent, pzxid: zxid });
    this.changes.push({ kind: "deleted", path }, { kind: "childrenChanged", path: parentOf(path) });
  }

  /** Copies of a node share the set of its children. */
  #put(path: string, node: ModelNode | null): void {
    this.#before.push([path, this.nodes.get(path) ?? null]);
    const siblings = path === "/" ? null : this.nodes.get(parentOf(path))!.children;
    siblings?.[node === null ? "delete" : "add"](path.slice(path.lastIndexOf("/") + 1));
    if (node === null) this.nodes.delete(path);
    else this.nodes.set(path, node);
  }
}

/** `/a/b` → `/a`, `/a` → `/`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

function makeNode(
  data: string | null,
  acl: readonly Acl[],
  owner: ModelNode["owner"],
  zxid: number,
  time: number,
): ModelNode {
  const fresh = { version: 0, cversion: 0, aversion: 0, children: new Set<string>() };
  return { data, acl, owner, czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time, ...fresh };
}

function ownerOf(mode: CreateMode, session: SessionId): ModelNode["owner"] {
  if (typeof mode === "object" || mode === "container") return mode;
  return mode === "ephemeral" || mode === "ephemeralSequential" ? session : null;
}

function isSequential(mode: CreateMode): boolean {
  return mode === "persistentSequential" || mode === "ephemeralSequential";
}

function utf8Length(text: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text.charCodeAt(at) > 0x7f) return new TextEncoder().encode(text).length;
  }
  return text.length;
}

/** All that is asked of a path before its parent is looked up. */
function hasParent(path: string): boolean {
  return path.includes("/") && !path.includes("\0");
}

/** PathUtils.validatePath. */
function isPath(path: string): boolean {
  if (path === "/") return true;
  const [first, ...names] = path.split("/");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  const forbidden = /[\u0000-\u001f\u007f-\u009f\ud800-\uf8ff\ufff0-\uffff]/;
  return first === "" && names.every((name) => name !== "" && name !== "." && name !== "..") && !forbidden.test(path);
}
