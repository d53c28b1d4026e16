/** A client of the legal world, with the server's half of its connection: who waits for what, in the order of the wire. */
import type { Change, ClientStat, Outcome, ZnodeTree } from "../../spec/models/znode-tree.ts";
import { formatSessionId, type SessionId } from "../../spec/vocabulary.ts";
import type { Line, Result, StatRecord, Where } from "../histories/format.ts";
import type { LegalServer, LegalWorld } from "./legal-world.ts";
import { type Asked, type Knowledge, writeOfAsked } from "./requests.ts";

export interface Pending {
  readonly id: number;
  readonly xid: number;
  readonly asked: Asked;
  /** 0: the server has not taken it. Of a write: its zxid; of a sync: up to where the server must have applied. */
  zxid: number;
}

/** A reply or an event on its way to the client. */
interface Message {
  readonly pending: Pending | null;
  readonly line: (where: Where, t: number) => Line;
  readonly zxid: number;
  readonly learned?: () => void;
}

type Kind = "data" | "exist" | "child" | "persistent" | "persistentRecursive";

export class LegalClient implements Knowledge {
  readonly proc: number;
  readonly versions = new Map<string, number>();
  queue: readonly string[] = [];
  pendingRead: string | null = null;
  session = 0n as SessionId;
  sessionOpen = false;
  server: LegalServer | null = null;
  lastZxid = 0;
  readonly #world: LegalWorld;
  #conn = 0;
  #xid = 0;
  #values = 0;
  /** Asked for and not answered by the server. */
  #waiting: Pending[] = [];
  #inbox: Message[] = [];
  /** Writes that were sent on a connection that broke: the leader may still get them, until the client is back. */
  #late: Pending[] = [];
  /** What the server of this connection watches for it, and what the client knows it has left: "kind path". */
  readonly #served = new Set<string>();
  readonly #left = new Set<string>();

  constructor(world: LegalWorld, proc: number) {
    this.#world = world;
    this.proc = proc;
  }

  get connected(): boolean {
    return this.server !== null;
  }

  get underway(): number {
    return this.#waiting.length + this.#inbox.filter(({ pending }) => pending !== null).length;
  }

  nextValue(): number {
    return ++this.#values;
  }

  ask(asked: Asked): void {
    const pending = { id: this.#world.nextId(), xid: ++this.#xid, asked, zxid: 0 };
    this.#waiting.push(pending);
    const { op, args } = asked;
    const t = this.#world.tick();
    this.#world.line({ kind: "invoke", t, id: pending.id, xid: pending.xid, ...this.#where(), op, args });
  }

  // ---- the connection

  connect(server: LegalServer): void {
    if (!this.sessionOpen) this.#newSession();
    this.#late = [];
    this.server = server;
    this.#conn++;
    const timeoutMs = this.#world.timeoutMs;
    this.#note("connected", { timeoutMs, lastZxidSeen: this.lastZxid });
    this.#setWatches(server);
  }

  disconnect(): void {
    const arrive = this.#world.random.below(this.#inbox.length + 1);
    for (let i = 0; i < arrive; i++) this.receive();
    const { random } = this.#world;
    const lost = [...this.#inbox.flatMap(({ pending }) => pending ?? []), ...this.#waiting];
    const unsent = this.#waiting.filter(({ zxid, asked }) => zxid === 0 && writeOfAsked(asked) !== null);
    this.#late = unsent.slice(0, random.below(unsent.length + 1));
    for (const { id, xid } of lost) {
      const t = this.#world.tick();
      this.#world.line({ kind: "info", t, id, xid, zxid: -1, ...this.#where(), err: "CONNECTIONLOSS" });
    }
    this.#waiting = [];
    this.#inbox = [];
    this.#served.clear();
    this.pendingRead = null;
    this.#note("disconnected", {});
    this.#world.fault("cut", `The connection of p${this.proc} breaks.`);
    this.server = null;
  }

  /** The leader gets a write of the connection that broke. */
  lateWrite(): void {
    const pending = this.#late.shift();
    const write = pending === undefined ? null : writeOfAsked(pending.asked);
    if (pending === undefined || write === null || !this.sessionOpen || this.#world.random.chance(0.3)) {
      this.#late = [];
      return;
    }
    this.#world.commit(write, this.session, pending.xid);
    if (write.op === "closeSession") this.sessionOpen = false;
  }

  #newSession(): void {
    if (this.session !== 0n) this.#note("expired", {});
    this.session = this.#world.newSession();
    this.sessionOpen = true;
    this.#conn = 0;
    this.#xid = 0;
    this.lastZxid = 0;
    this.#left.clear();
  }

  // ---- the server's half

  /** Takes requests in order: writes go to the leader, a read is answered when all before it are. */
  serve(): void {
    if (this.server === null) return;
    for (const pending of this.#waiting) {
      if (pending.zxid > 0) continue;
      if (!this.sessionOpen) break;
      const write = writeOfAsked(pending.asked);
      if (write !== null) {
        pending.zxid = this.#world.commit(write, this.session, pending.xid).zxid;
        // Nothing that is asked for after it is served any more.
        if (write.op === "closeSession") this.sessionOpen = false;
      } else if (pending.asked.op === "sync") pending.zxid = Math.max(1, this.#world.lastZxid);
    }
    this.#answerReads();
  }

  /** Before the server applies a txn: the reads ahead of it see the tree without it. */
  readBefore(zxid: number): void {
    if (this.#waiting.some((pending) => pending.zxid === zxid && pending.asked.op !== "sync")) this.#answerReads();
  }

  /** The server has applied a txn: events, then the reply if it was this client's, then reads that waited for it. */
  applied(zxid: number, outcome: Outcome, changes: readonly Change[]): void {
    for (const change of changes) this.#trigger(change, zxid);
    const [head] = this.#waiting;
    if (head !== undefined && head.zxid === zxid && writeOfAsked(head.asked) !== null) {
      this.#waiting.shift();
      this.#reply(head, zxid, outcome.err ?? multiError(outcome), resultOf(head.asked, outcome), outcome);
    }
    this.#answerReads();
  }

  #answerReads(): void {
    const server = this.server!;
    if (!this.sessionOpen && !this.#waiting.some(({ asked }) => asked.op === "closeSession")) return;
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const zxid = this.#world.zxidOf(server);
      if (head.asked.op === "sync") {
        if (head.zxid === 0 || zxid < head.zxid) return;
        this.#waiting.shift();
        this.#reply(head, zxid, null, {}, null);
      } else if (writeOfAsked(head.asked) === null) {
        this.#waiting.shift();
        this.#read(head, server.tree, zxid);
      } else return;
    }
  }

  #read(pending: Pending, tree: ZnodeTree, zxid: number): void {
    const { op, args } = pending.asked;
    const { path = "", watch = false } = args as { path?: string; watch?: boolean };
    const stat = tree.stat(path);
    if (op === "addWatch") {
      this.#served.add(`${(args as { mode: Kind }).mode} ${path}`);
      return this.#reply(pending, zxid, null, {}, null);
    }
    if (stat === null) {
      if (watch && op === "exists") this.#served.add(`data ${path}`);
      return this.#reply(pending, zxid, "NONODE", null, null);
    }
    if (watch) this.#served.add(`${op === "getChildren" ? "child" : "data"} ${path}`);
    const record = statRecord(stat);
    if (op === "getChildren")
      return this.#reply(pending, zxid, null, { children: tree.children(path), stat: record }, null);
    if (op === "exists") return this.#reply(pending, zxid, null, { stat: record }, null);
    this.#reply(pending, zxid, null, { data: tree.nodes.get(path)!.data, stat: record }, null);
  }

  #trigger({ kind, path }: Change, zxid: number): void {
    const used: string[] = [];
    if (kind !== "childrenChanged") used.push(`data ${path}`);
    if (kind === "childrenChanged" || kind === "deleted") used.push(`child ${path}`);
    let told = this.#served.has(`persistent ${path}`);
    for (const watch of used) told = this.#served.delete(watch) || told;
    for (const watch of this.#served) {
      const root = watch.startsWith("persistentRecursive ") ? watch.slice("persistentRecursive ".length) : null;
      told ||= root !== null && kind !== "childrenChanged" && (path === root || path.startsWith(`${root}/`));
    }
    if (told) this.#event(kind, path, zxid, zxid);
  }

  #setWatches(server: LegalServer): void {
    const { tree } = server;
    for (const watch of this.#left) {
      const [kind, path] = watch.split(" ") as [Kind, string];
      const node = tree.nodes.get(path);
      const missed = (type: Change["kind"]): void => this.#event(type, path, -1, this.#world.zxidOf(server));
      if (kind === "data" && node === undefined) missed("deleted");
      else if (kind === "data" && node!.mzxid > this.lastZxid) missed("dataChanged");
      else if (kind === "exist" && node !== undefined) missed("created");
      else if (kind === "child" && node === undefined) missed("deleted");
      else if (kind === "child" && node!.pzxid > this.lastZxid) missed("childrenChanged");
      else this.#served.add(`${kind === "exist" ? "data" : kind} ${path}`);
    }
  }

  // ---- what the client gets

  /** The next message arrives. False: there is none. */
  receive(): boolean {
    const message = this.#inbox.shift();
    if (message === undefined) return false;
    this.#world.line(message.line(this.#where(), this.#world.tick()));
    this.lastZxid = Math.max(this.lastZxid, message.zxid);
    message.learned?.();
    return true;
  }

  #reply(pending: Pending, zxid: number, err: string | null, res: Result | null, outcome: Outcome | null): void {
    const { id, xid } = pending;
    const results = outcome?.results?.map((result) => result.err ?? "OK");
    this.#inbox.push({
      pending,
      zxid,
      line: (where, t) => {
        if (err === null) return { kind: "ok", t, id, xid, zxid, ...where, res: res! };
        const failed = results === undefined ? {} : { res: { results } };
        return { kind: "fail", t, id, xid, zxid, ...where, err, ...failed };
      },
      learned: () => this.#learn(pending, err, res),
    });
  }

  #event(type: Change["kind"], path: string, zxid: number, _cause: number): void {
    this.#inbox.push({
      pending: null,
      zxid: 0,
      line: (where, t) => ({ kind: "event", t, ...where, type, path, zxid }),
      learned: () => this.#told(type, path),
    });
  }

  /** The client's half of its watches, as client libraries keep it. */
  #told(type: Change["kind"], path: string): void {
    const used =
      type === "childrenChanged" ? ["child"] : type === "deleted" ? ["data", "exist", "child"] : ["data", "exist"];
    for (const kind of used) this.#left.delete(`${kind} ${path}`);
  }

  #learn({ asked }: Pending, err: string | null, res: Result | null): void {
    const { path, watch, mode } = asked.args as { path?: string; watch?: boolean; mode?: string };
    const { stat, children } = (res ?? {}) as { stat?: StatRecord; children?: readonly string[] };
    if (path !== undefined && stat !== undefined) this.versions.set(path, stat.version);
    if (path === "/q" && children !== undefined) this.queue = children;
    if (asked.op === "addWatch") this.#left.add(`${mode} ${path}`);
    else if (watch === true && err === null) this.#left.add(`${asked.op === "getChildren" ? "child" : "data"} ${path}`);
    else if (watch === true && asked.op === "exists") this.#left.add(`exist ${path}`);
    if (asked.op === "closeSession") this.#closed();
  }

  #closed(): void {
    for (const { id, xid } of this.#waiting) {
      const t = this.#world.tick();
      this.#world.line({ kind: "info", t, id, xid, zxid: -1, ...this.#where(), err: "SESSIONEXPIRED" });
    }
    this.#waiting = [];
    this.#inbox = [];
    this.#served.clear();
    this.sessionOpen = false;
    this.pendingRead = null;
    this.#note("closed", {});
    this.session = 0n as SessionId;
    this.server = null;
  }

  #where(): Where {
    return { proc: this.proc, session: formatSessionId(this.session), conn: this.#conn, server: this.server?.id ?? 0 };
  }

  #note(
    state: "connected" | "disconnected" | "expired" | "closed",
    facts: { timeoutMs?: number; lastZxidSeen?: number },
  ): void {
    this.#world.line({ kind: "conn", t: this.#world.tick(), ...this.#where(), state, ...facts });
  }
}

/** Of a multi: the first error among its results. */
export function multiError(outcome: Outcome): string | null {
  return outcome.results?.find(({ err }) => err !== null)?.err ?? null;
}

/** What a success answers. */
export function resultOf(asked: Asked, outcome: Outcome): Result {
  const stat = outcome.stat === undefined ? {} : { stat: statRecord(outcome.stat) };
  switch (asked.op) {
    case "create":
      return { path: outcome.path ?? asked.args.path, ...stat };
    case "setData":
    case "setACL":
      return stat as Result;
    case "multi":
      return {
        results: (outcome.results ?? []).map(({ path, stat: after }) => ({
          ...(path === undefined ? {} : { path }),
          ...(after === undefined ? {} : { stat: statRecord(after) }),
        })),
      };
    default:
      return {};
  }
}

export function statRecord(stat: ClientStat): StatRecord {
  return { ...stat, ephemeralOwner: formatSessionId(stat.ephemeralOwner as SessionId) };
}
