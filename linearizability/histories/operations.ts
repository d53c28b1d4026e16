/**
 * The operations of a history as columns: a million of them fit in a few hundred megabytes, and a pass over one column is fast.
 * Everything else of a history is objects (history.ts). `read-history.ts` fills them, both checkers read them.
 */
import type { Arguments, CreateMode, Operation, Result, StatRecord, SubOperation, SubResult } from "./format.ts";

export type OpName = Operation["op"];

/** Values of `Operations.op`. Up to closeSession they are writes, up to getACL reads. */
export const OPS = [
  "create",
  "delete",
  "setData",
  "setACL",
  "multi",
  "closeSession",
  "getData",
  "exists",
  "getChildren",
  "getACL",
  "sync",
  "addWatch",
  "removeWatches",
  "setWatches",
] as const satisfies readonly OpName[];

export const Op = {
  create: 0,
  delete: 1,
  setData: 2,
  setACL: 3,
  multi: 4,
  closeSession: 5,
  getData: 6,
  exists: 7,
  getChildren: 8,
  getACL: 9,
  sync: 10,
  addWatch: 11,
  removeWatches: 12,
  setWatches: 13,
} as const satisfies Record<OpName, number>;

export function isWrite(op: number): boolean {
  return op <= Op.closeSession;
}

export function isRead(op: number): boolean {
  return op >= Op.getData && op <= Op.getACL;
}

/** How an operation ended. `info`: nobody knows, or it has no completion at all. */
export const Outcome = { info: 0, ok: 1, fail: 2 } as const;

export const MODES = [
  "persistent",
  "ephemeral",
  "persistentSequential",
  "ephemeralSequential",
  "container",
  "persistentWithTTL",
  "persistentSequentialWithTTL",
] as const satisfies readonly CreateMode[];

/** What does not fit a column: multi, lists of children, ACLs, kinds of watches. */
export interface Extra {
  readonly ops?: readonly SubOperation[];
  /** Of a multi: what each op answered, or the code of each. */
  readonly results?: readonly (SubResult | string)[];
  readonly children?: readonly string[];
  readonly acl?: readonly { readonly perms: number; readonly scheme: string; readonly id: string }[];
  /** Of addWatch: its mode. Of removeWatches: its type. */
  readonly watches?: "persistent" | "persistentRecursive" | "children" | "data" | "any";
  readonly ttlMs?: number;
}

/** Where the fields of a Stat are in a row of `Operations.stats`; ephemeralOwner is an index of `sessions`. */
export const STAT_FIELDS = [
  "czxid",
  "mzxid",
  "pzxid",
  "ctime",
  "mtime",
  "version",
  "cversion",
  "aversion",
  "ephemeralOwner",
  "dataLength",
  "numChildren",
] as const;
export const STAT_WIDTH = STAT_FIELDS.length;
const OWNER_AT = 8;

const NOTHING: Extra = {};

/** Session ids by index. Index 0 is "none". */
export class SessionNames {
  readonly ids: bigint[] = [0n];
  readonly #indexes = new Map<string, number>([["0x0", 0]]);

  /** Of a formatSessionId text. */
  index(text: string): number {
    if (text === "0x0") return 0;
    const known = this.#indexes.get(text);
    if (known !== undefined) return known;
    const index = this.ids.length;
    this.ids.push(BigInt.asIntN(64, BigInt(text)));
    this.#indexes.set(text, index);
    return index;
  }

  indexOf(id: bigint): number {
    return this.index(this.text(id));
  }

  text(id: bigint): string {
    return `0x${BigInt.asUintN(64, id).toString(16)}`;
  }
}

export class Operations {
  readonly sessions: SessionNames = new SessionNames();
  count = 0;
  /** The id on the lines. */
  id: Int32Array = new Int32Array(0);
  proc: Int32Array = new Int32Array(0);
  /** Index into `sessions`; that of the completion where there is one. */
  session: Int32Array = new Int32Array(0);
  conn: Int32Array = new Int32Array(0);
  server: Int32Array = new Int32Array(0);
  xid: Int32Array = new Int32Array(0);
  /** A value of `Op`. */
  op: Uint8Array = new Uint8Array(0);
  /** A value of `Outcome`. */
  outcome: Uint8Array = new Uint8Array(0);
  /** Index into MODES. */
  mode: Uint8Array = new Uint8Array(0);
  /** 1: a watch is asked for. */
  watch: Uint8Array = new Uint8Array(0);
  version: Int32Array = new Int32Array(0);
  /** µs. */
  invoked: Float64Array = new Float64Array(0);
  /** µs; Infinity without an answer. */
  completed: Float64Array = new Float64Array(0);
  /** Line numbers, from 0. */
  invokeLine: Int32Array = new Int32Array(0);
  /** -1 without completion; that of an info is when the client gave up. */
  completeLine: Int32Array = new Int32Array(0);
  /** ReplyHeader.zxid, -1 without. */
  zxid: Float64Array = new Float64Array(0);
  /** Row of `stats`, -1 without. */
  stat: Int32Array = new Int32Array(0);
  readonly path: string[] = [];
  /** Of a create: the name it got. */
  readonly created: (string | null)[] = [];
  /** What is written, or what was read. */
  readonly data: (string | null)[] = [];
  /** "" while there is none. */
  readonly err: string[] = [];
  readonly extra: Extra[] = [];
  stats: Float64Array = new Float64Array(0);
  statCount = 0;

  constructor(capacity = 1024) {
    this.#grow(capacity);
  }

  get capacity(): number {
    return this.id.length;
  }

  /** A new operation that has been invoked. Returns its index. */
  add(op: number, args: Arguments): number {
    const given = args as Partial<AllArguments>;
    const mode = given.mode === undefined || op !== Op.create ? 0 : MODES.indexOf(given.mode as CreateMode);
    const i = this.addPlain(op, given.path ?? "", given.data ?? null, given.version ?? -1, mode, given.watch === true);
    this.extra[i] = extraOf(op, given);
    return i;
  }

  /** One that has no other arguments. `mode`: index into MODES. */
  addPlain(op: number, path: string, data: string | null, version: number, mode: number, watch: boolean): number {
    if (this.count === this.capacity) this.#grow(this.capacity * 2);
    const i = this.count++;
    this.op[i] = op;
    this.version[i] = version;
    this.mode[i] = mode;
    this.watch[i] = watch ? 1 : 0;
    this.completed[i] = Number.POSITIVE_INFINITY;
    this.completeLine[i] = -1;
    this.zxid[i] = -1;
    this.stat[i] = -1;
    this.path.push(path);
    this.created.push(null);
    this.data.push(data);
    this.err.push("");
    this.extra.push(NOTHING);
    return i;
  }

  /** Takes in what a success answered. */
  answer(i: number, res: Result): void {
    const { path, data, stat, children, acl, results } = res as Partial<AllResults>;
    if (path !== undefined) this.created[i] = path;
    if (data !== undefined) this.data[i] = data;
    if (stat !== undefined) {
      const row = STAT_FIELDS.map((field) => (field === "ephemeralOwner" ? 0 : stat[field]));
      row[OWNER_AT] = this.sessions.index(stat.ephemeralOwner);
      this.answerStat(i, row);
    }
    if (children !== undefined) this.extra[i] = { children };
    if (acl !== undefined) this.extra[i] = { acl };
    if (results !== undefined) this.extra[i] = { ...this.extra[i]!, results };
  }

  /** null without. Makes an object: for reports. */
  statOf(i: number): StatRecord | null {
    const row = this.stat[i]!;
    if (row < 0) return null;
    const at = row * STAT_WIDTH;
    const numbers = Object.fromEntries(STAT_FIELDS.map((field, j) => [field, this.stats[at + j]!]));
    const owner = this.sessions.text(this.sessions.ids[this.stats[at + OWNER_AT]!]!);
    return { ...(numbers as unknown as StatRecord), ephemeralOwner: owner };
  }

  /** The index of the operation whose lines have this id, for tests and tools. */
  find(id: number): number {
    return this.id.subarray(0, this.count).indexOf(id);
  }

  /** `values`: in the order of STAT_FIELDS, the owner as an index of `sessions`. */
  answerStat(i: number, values: ArrayLike<number>): void {
    const row = this.statCount++;
    const at = row * STAT_WIDTH;
    if (at + STAT_WIDTH > this.stats.length) {
      const grown = new Float64Array(Math.max(STAT_WIDTH * 256, this.stats.length * 2));
      grown.set(this.stats);
      this.stats = grown;
    }
    const { stats } = this;
    for (let field = 0; field < STAT_WIDTH; field++) stats[at + field] = values[field]!;
    this.stat[i] = row;
  }

  #grow(capacity: number): void {
    const longer = <T extends Int32Array | Uint8Array | Float64Array>(old: T): T => {
      const grown = new (old.constructor as new (length: number) => T)(capacity);
      grown.set(old);
      return grown;
    };
    this.id = longer(this.id);
    this.proc = longer(this.proc);
    this.session = longer(this.session);
    this.conn = longer(this.conn);
    this.server = longer(this.server);
    this.xid = longer(this.xid);
    this.op = longer(this.op);
    this.outcome = longer(this.outcome);
    this.mode = longer(this.mode);
    this.watch = longer(this.watch);
    this.version = longer(this.version);
    this.invoked = longer(this.invoked);
    this.completed = longer(this.completed);
    this.invokeLine = longer(this.invokeLine);
    this.completeLine = longer(this.completeLine);
    this.zxid = longer(this.zxid);
    this.stat = longer(this.stat);
  }
}

interface AllArguments {
  readonly path: string;
  readonly data: string | null;
  readonly version: number;
  readonly mode: string;
  readonly watch: boolean;
  readonly ops: readonly SubOperation[];
  readonly acl: NonNullable<Extra["acl"]>;
  readonly type: "children" | "data" | "any";
  readonly ttlMs: number;
}

interface AllResults {
  readonly path: string;
  readonly data: string | null;
  readonly stat: StatRecord;
  readonly children: readonly string[];
  readonly acl: NonNullable<Extra["acl"]>;
  readonly results: readonly SubResult[];
}

/** Most operations have none: they share one. */
function extraOf(op: number, { ops, acl, mode, type, ttlMs }: Partial<AllArguments>): Extra {
  if (ops !== undefined) return { ops };
  if (op === Op.addWatch) return { watches: mode as "persistent" };
  if (op === Op.removeWatches && type !== undefined) return { watches: type };
  if (acl !== undefined) return ttlMs === undefined ? { acl } : { acl, ttlMs };
  return ttlMs === undefined ? NOTHING : { ttlMs };
}
