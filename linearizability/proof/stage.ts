/**
 * A stage for histories that are told step by step: somebody asks, the leader orders, an answer comes or is lost. What is not
 * said otherwise is as a correct ensemble would have it, so that a story is legal unless its teller tampers with it.
 */
import { type Outcome, type Stamp, type Write, ZnodeTree } from "../../spec/models/znode-tree.ts";
import { formatSessionId, makeZxid, type SessionId } from "../../spec/vocabulary.ts";
import type { Txn } from "../../src/protocol/txn.ts";
import { HISTORY_FORMAT, HISTORY_VERSION, type Line, type WatchEvent, type Where } from "../histories/format.ts";
import { multiError, resultOf, statRecord } from "./legal-client.ts";
import { type Asked, writeOfAsked } from "./requests.ts";
import { txnOf } from "./txns.ts";

export const STARTED_AT = 1_700_000_000_000;
const EPOCH = 1;
const LINE_US = 1000;

/** A request under way. */
export interface Asking {
  readonly id: number;
  readonly xid: number;
  readonly actor: Actor;
  readonly conn: number;
  readonly asked: Asked;
  /** 0: the leader has not ordered it. */
  zxid: number;
  outcome: Outcome | null;
}

export class Actor {
  readonly proc: number;
  session = 0n as SessionId;
  /** The one before, once its client has been told that it is over. */
  former = 0n as SessionId;
  server = 0;
  conn = 0;
  xid = 0;
  lastZxid = 0;
  readonly waiting: Asking[] = [];

  constructor(proc: number) {
    this.proc = proc;
  }
}

export class Stage {
  readonly lines: Line[] = [];
  readonly txns: Txn[] = [];
  readonly actors = new Map<number, Actor>();
  readonly timeoutMs: number = 6000;
  /** The tree after each txn; the first is the one before all. */
  readonly #trees: ZnodeTree[] = [new ZnodeTree()];
  #t = 0;
  #ids = 0;
  #sessions = 0;

  constructor() {
    this.lines.push({ kind: "header", format: HISTORY_FORMAT, version: HISTORY_VERSION, startedAt: STARTED_AT });
  }

  get now(): number {
    return this.#t;
  }

  get last(): number {
    return this.txns.length === 0 ? 0 : makeZxid(EPOCH, this.txns.length);
  }

  actor(proc: number): Actor {
    let actor = this.actors.get(proc);
    if (actor === undefined) {
      actor = new Actor(proc);
      this.actors.set(proc, actor);
    }
    return actor;
  }

  tree(zxid: number): ZnodeTree {
    return this.#trees[Math.max(0, zxid - makeZxid(EPOCH, 0))] ?? this.#trees.at(-1)!;
  }

  wait(ms: number): void {
    this.#t += ms * 1000;
  }

  /** A new session if there is none, else a new connection of the old one. */
  connect(actor: Actor, server = 1): void {
    if (actor.session === 0n) {
      actor.session = (0x0100000000000000n + BigInt(++this.#sessions)) as SessionId;
      actor.conn = 0;
      actor.xid = 0;
      actor.lastZxid = 0;
      this.#commit({ op: "createSession", timeoutMs: this.timeoutMs }, actor.session, 0);
    }
    actor.conn++;
    actor.server = server;
    this.note(actor, "connected", { timeoutMs: this.timeoutMs, lastZxidSeen: actor.lastZxid });
    // Whoever serves the session has applied its creation.
    if (actor.lastZxid === 0) actor.lastZxid = this.last;
  }

  ask(actor: Actor, asked: Asked): Asking {
    if (actor.server === 0) this.connect(actor);
    const asking = { id: ++this.#ids, xid: ++actor.xid, actor, conn: actor.conn, asked, zxid: 0, outcome: null };
    actor.waiting.push(asking);
    const { op, args } = asked;
    this.line({ kind: "invoke", t: this.#tick(), id: asking.id, xid: asking.xid, ...whereOf(actor), op, args });
    return asking;
  }

  /** The leader orders a write, or takes note of a sync. */
  order(asking: Asking): void {
    const write = writeOfAsked(asking.asked);
    if (write === null) {
      asking.zxid = this.last;
      return;
    }
    asking.outcome = this.#commit(write, asking.actor.session, asking.xid);
    asking.zxid = this.last;
  }

  /** Reads see the tree at `at`, and the zxid of the newest txn where it is left out. */
  answer(asking: Asking, at = this.last): Line {
    const { actor, id, xid, asked } = asking;
    actor.waiting.splice(actor.waiting.indexOf(asking), 1);
    const write = writeOfAsked(asked) !== null;
    if (write && asking.zxid === 0) this.order(asking);
    const zxid = write ? asking.zxid : at;
    actor.lastZxid = Math.max(actor.lastZxid, zxid);
    const common = { t: this.#tick(), id, xid, zxid, ...whereOf(actor) };
    const err = write ? (asking.outcome!.err ?? multiError(asking.outcome!)) : this.#readError(asked, zxid);
    if (err !== null) {
      const results = asking.outcome?.results?.map((result) => result.err ?? "OK");
      const line: Line = { kind: "fail", ...common, err, ...(results === undefined ? {} : { res: { results } }) };
      return this.line(line);
    }
    const res = write ? resultOf(asked, asking.outcome!) : this.#readResult(asked, zxid);
    const line = this.line({ kind: "ok", ...common, res });
    if (asked.op === "closeSession") this.#gone(actor, "closed");
    return line;
  }

  /** The connection breaks: nobody learns what became of the requests under way. */
  lose(actor: Actor, why = "CONNECTIONLOSS"): void {
    for (const { id, xid } of actor.waiting.splice(0)) {
      this.line({ kind: "info", t: this.#tick(), id, xid, zxid: -1, ...whereOf(actor), err: why });
    }
    this.note(actor, "disconnected", {});
    actor.server = 0;
  }

  /** The leader closes a session that was not heard of. Its client does not know yet. */
  expire(actor: Actor): void {
    this.#commit({ op: "closeSession" }, actor.session === 0n ? actor.former : actor.session, 0);
  }

  /** The client is told that its session has expired. */
  told(actor: Actor): void {
    this.#gone(actor, "expired");
  }

  event(actor: Actor, type: WatchEvent["type"], path: string, zxid = this.last): Line {
    return this.line({ kind: "event", t: this.#tick(), ...whereOf(actor), type, path, zxid });
  }

  digest(server: number, digest: string, zxid = this.last): Line {
    return this.line({ kind: "digest", t: this.#tick(), server, zxid, digest });
  }

  note(
    actor: Actor,
    state: "connected" | "disconnected" | "expired" | "closed",
    facts: { readonly timeoutMs?: number; readonly lastZxidSeen?: number },
  ): void {
    this.line({ kind: "conn", t: this.#tick(), ...whereOf(actor), state, ...facts });
  }

  /** Everything that is under way stays unknown. */
  end(): Line[] {
    this.line({ kind: "end", t: this.#tick(), lines: this.lines.length + 1 });
    return this.lines;
  }

  line<T extends Line>(line: T): T {
    this.lines.push(line);
    return line;
  }

  #tick(): number {
    this.#t += LINE_US;
    return this.#t;
  }

  #gone(actor: Actor, state: "expired" | "closed"): void {
    for (const { id, xid } of actor.waiting.splice(0)) {
      this.line({ kind: "info", t: this.#tick(), id, xid, zxid: -1, ...whereOf(actor), err: "SESSIONEXPIRED" });
    }
    this.note(actor, state, {});
    actor.former = actor.session;
    actor.session = 0n as SessionId;
    actor.server = 0;
  }

  #commit(write: Write, session: SessionId, cxid: number): Outcome {
    const tree = this.#trees.at(-1)!.clone();
    const stamp: Stamp = {
      session,
      zxid: makeZxid(EPOCH, this.txns.length + 1),
      time: STARTED_AT + Math.floor(this.#t / 1000),
    };
    const owned = write.op === "closeSession" ? tree.ephemeralsOf(session) : [];
    const outcome = tree.write(write, stamp);
    this.#trees.push(tree);
    this.txns.push(txnOf(write, outcome, stamp, cxid, owned));
    return outcome;
  }

  #readError({ op, args }: Asked, zxid: number): string | null {
    if (op === "sync" || op === "addWatch" || op === "removeWatches") return null;
    return this.tree(zxid).nodes.has((args as { path: string }).path) ? null : "NONODE";
  }

  #readResult({ op, args }: Asked, zxid: number) {
    if (op === "sync" || op === "addWatch" || op === "removeWatches") return {};
    const tree = this.tree(zxid);
    const { path } = args as { path: string };
    const stat = statRecord(tree.stat(path)!);
    if (op === "exists") return { stat };
    if (op === "getChildren") return { children: tree.children(path), stat };
    const node = tree.nodes.get(path)!;
    return op === "getACL" ? { acl: node.acl, stat } : { data: node.data, stat };
  }
}

function whereOf({ proc, session, conn, server }: Actor): Where {
  return { proc, session: formatSessionId(session), conn, server };
}
