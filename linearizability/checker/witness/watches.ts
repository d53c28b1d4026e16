/**
 * Rule 9. A watch left at zxid r hears of the first change of its path after r: of the right kind, once, before any reply that
 * reflects it. After a reconnect the client sets its watches again, and what it missed is told before anything newer; only a
 * node that came and went meanwhile is missed by an exists-watch.
 */
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { Connection, WatchEvent } from "../../histories/format.ts";
import type { History, Noted } from "../../histories/history.ts";
import { Op, Outcome } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Findings, Property } from "../violation.ts";
import type { Timeline } from "./timeline.ts";
import { Watch, type WatchKind } from "./watch.ts";
import type { WatchedChanges } from "./watched-changes.ts";

export function checkWatches(history: History, timeline: Timeline, changes: WatchedChanges, findings: Findings): void {
  new WatchCheck(history, timeline, changes, findings).run();
}

/** One client, with the connection that serves it. */
class Client {
  session = 0;
  conn = 0;
  readonly watches = new Map<string, Watch>();
  /** Roots of recursive watches that cannot be judged: any event below may be theirs. */
  readonly unjudged = new Set<string>();
  /** Told too late so far: no event yet. */
  readonly overdue: Watch[] = [];
  /** Watches were set again on this connection, and no reply has come on it yet. */
  catchingUp = false;
  lastZxid = 0;
  /** The change that the last event on this connection told of. */
  told = 0;
  /** No watch is due before this zxid. */
  nextDue = Number.POSITIVE_INFINITY;
  /** The last events, to tell a second one from one that never was. */
  readonly recent: WatchEvent[] = [];
}

class WatchCheck {
  readonly #history: History;
  readonly #timeline: Timeline;
  readonly #changes: WatchedChanges;
  readonly #findings: Findings;
  readonly #clients = new Map<number, Client>();

  constructor(history: History, timeline: Timeline, changes: WatchedChanges, findings: Findings) {
    this.#history = history;
    this.#timeline = timeline;
    this.#changes = changes;
    this.#findings = findings;
  }

  run(): void {
    const { operations, events, connections } = this.#history;
    // What happened at each line: 0 nothing, or an index of one of the three lists.
    const ops = new Int32Array(this.#history.lines).fill(-1);
    for (let i = 0; i < operations.count; i++) {
      if (operations.completeLine[i]! >= 0 && operations.outcome[i] !== Outcome.info) {
        ops[operations.completeLine[i]!] = i;
      }
    }
    const notes = [...events, ...connections].sort((a, b) => a.line - b.line);
    let at = 0;
    for (let line = 0; line < ops.length; line++) {
      const i = ops[line]!;
      if (i >= 0) this.#reply(i, line);
      else if (notes[at]?.line === line) {
        const note = notes[at++]!;
        if (note.kind === "event") this.#event(note);
        else this.#connection(note);
      }
    }
    for (const client of this.#clients.values()) this.#connectionOver(client);
  }

  #client(proc: number, session: number, conn: number): Client {
    let client = this.#clients.get(proc);
    if (client === undefined) {
      client = new Client();
      this.#clients.set(proc, client);
    }
    if (client.session !== session && session !== 0) {
      this.#connectionOver(client);
      client.watches.clear();
      client.session = session;
      client.conn = conn;
      client.lastZxid = 0;
      client.told = 0;
      client.catchingUp = false;
      client.nextDue = Number.POSITIVE_INFINITY;
    } else if (conn > client.conn) {
      this.#reconnected(client, conn, client.lastZxid);
    }
    return client;
  }

  // ---- connections

  #connection({ proc, session, conn, state, lastZxidSeen }: Noted<Connection>): void {
    const index = this.#history.operations.sessions.index(session);
    if (state === "connecting" || index === 0) return;
    const known = this.#clients.get(proc);
    if ((state === "connected" || state === "readOnly") && known?.session === index && conn > known.conn) {
      this.#reconnected(known, conn, Math.max(known.lastZxid, lastZxidSeen ?? 0));
      return;
    }
    const client = this.#client(proc, index, conn);
    if (state === "disconnected" || state === "expired" || state === "closed") this.#connectionOver(client);
    if (state === "expired" || state === "closed") client.watches.clear();
  }

  /** What is still overdue when a connection ends was lost on it. */
  #connectionOver(client: Client): void {
    for (const watch of client.overdue) this.#lost(watch);
    client.overdue.length = 0;
  }

  #reconnected(client: Client, conn: number, relativeZxid: number): void {
    this.#connectionOver(client);
    client.conn = conn;
    client.catchingUp = client.watches.size > 0;
    client.told = 0;
    client.nextDue = Number.NEGATIVE_INFINITY;
    for (const watch of client.watches.values()) watch.setAgain(relativeZxid);
  }

  // ---- replies

  #reply(i: number, line: number): void {
    const { operations } = this.#history;
    const zxid = operations.zxid[i]!;
    if (zxid <= 0) return;
    const client = this.#client(operations.proc[i]!, operations.session[i]!, operations.conn[i]!);
    // An answer of an earlier connection, written down late, says nothing about this one.
    if (operations.conn[i]! < client.conn) return;
    if (zxid < client.told) this.#older(i, client, line);
    if (client.catchingUp) this.#caughtUp(client, zxid, i);
    else if (zxid >= client.nextDue) this.#checkDue(client, zxid, i);
    client.lastZxid = Math.max(client.lastZxid, zxid);
    this.#register(client, i, zxid);
  }

  #register(client: Client, i: number, zxid: number): void {
    const { operations } = this.#history;
    const ok = operations.outcome[i] === Outcome.ok;
    switch (operations.op[i]!) {
      case Op.getData:
        if (ok) this.#leave(client, i, "data", zxid);
        return;
      case Op.exists:
        if (ok || operations.err[i] === "NONODE") this.#leave(client, i, ok ? "data" : "exist", zxid);
        return;
      case Op.getChildren:
        if (ok) this.#leave(client, i, "child", zxid);
        return;
      case Op.addWatch:
        if (ok) this.#leave(client, i, operations.extra[i]!.watches as WatchKind, zxid);
        return;
      case Op.removeWatches:
        if (ok) this.#remove(client, i);
        return;
      case Op.closeSession:
        client.watches.clear();
        // What the close itself has changed need not be told any more.
        for (const watch of client.overdue) if (watch.due < zxid) this.#lost(watch);
        client.overdue.length = 0;
    }
  }

  #leave(client: Client, i: number, kind: WatchKind, zxid: number): void {
    const { operations } = this.#history;
    if (operations.watch[i] !== 1 && operations.op[i] !== Op.addWatch) return;
    const path = operations.path[i]!;
    const key = `${kind} ${path}`;
    // A second registration adds nothing: one event for both.
    if (client.watches.has(key)) return;
    if (!this.#changes.isCertain(path, kind === "persistentRecursive")) {
      if (kind === "persistentRecursive") client.unjudged.add(path === "/" ? "/" : `${path}/`);
      return;
    }
    const changes = kind === "persistentRecursive" ? this.#changes.below(path) : this.#changes.of(path);
    const watch = new Watch(kind, path, i, changes, zxid);
    client.watches.set(key, watch);
    client.nextDue = Math.min(client.nextDue, watch.due);
  }

  #remove(client: Client, i: number): void {
    const { operations } = this.#history;
    const type = operations.extra[i]!.watches;
    for (const [key, watch] of client.watches) {
      if (watch.path !== operations.path[i]) continue;
      const table = watch.kind === "child" ? "children" : "data";
      if (type === "any" || type === table) client.watches.delete(key);
    }
  }

  /** Whatever is due by this reply must have been told before it. */
  #checkDue(client: Client, zxid: number, i: number): void {
    client.nextDue = Number.POSITIVE_INFINITY;
    for (const [key, watch] of client.watches) {
      if (watch.due <= zxid) {
        watch.overdueBy = i;
        client.overdue.push(watch.asOverdue());
        if (watch.isPersistent) watch.skipTo(zxid);
        else client.watches.delete(key);
      }
      client.nextDue = Math.min(client.nextDue, watch.due);
    }
  }

  /** The first reply of a new connection: the watches had been set again before it, at some zxid up to this one. */
  #caughtUp(client: Client, zxid: number, i: number): void {
    client.catchingUp = false;
    for (const watch of client.watches.values()) watch.caughtUp(zxid);
    this.#checkDue(client, zxid, i);
  }

  // ---- events

  #event(event: Noted<WatchEvent>): void {
    const index = this.#history.operations.sessions.index(event.session);
    const client = this.#client(event.proc, index, event.conn);
    if (event.conn < client.conn) return;
    if (!this.#changes.isCertain(event.path, false) || this.#matchOverdue(client, event)) return;
    let matched = Number.POSITIVE_INFINITY;
    for (const watch of client.watches.values()) matched = Math.min(matched, watch.tells(event, client.catchingUp));
    if (matched === Number.POSITIVE_INFINITY) {
      if ([...client.unjudged].some((below) => `${event.path}/`.startsWith(below))) return;
      return this.#unexpected(client, event);
    }
    for (const [key, watch] of client.watches) {
      if (watch.tells(event, client.catchingUp) !== matched) continue;
      if (watch.isPersistent) watch.advance();
      else client.watches.delete(key);
    }
    this.#checkOrder(client, event, matched);
    client.recent.push(event);
    if (client.recent.length > 64) client.recent.shift();
  }

  /** An event that comes after a reply that reflects it. */
  #matchOverdue(client: Client, event: Noted<WatchEvent>): boolean {
    const at = client.overdue.findIndex((watch) => watch.tells(event, false) !== Number.POSITIVE_INFINITY);
    if (at < 0) return false;
    const [watch] = client.overdue.splice(at, 1);
    this.#add("W1 event before reply", "event after the reply that reflects it", event.line, watch!.due, event.path, {
      ops: [watch!.overdueBy, watch!.op, ...this.#writer(watch!.due)],
      summary: `${this.#name(watch!.overdueBy)} came before the event ${describeEvent(event)}, though its zxid reflects that change at ${hex(watch!.due)}.`,
    });
    return true;
  }

  #checkOrder(client: Client, event: Noted<WatchEvent>, zxid: number): void {
    if (!client.catchingUp && zxid < client.told) {
      this.#add("W2 events in order", "events out of order", event.line, zxid, event.path, {
        ops: this.#writer(zxid),
        summary: `${describeEvent(event)} tells of ${hex(zxid)} after an event that told of ${hex(client.told)}.`,
      });
    }
    client.told = Math.max(client.told, zxid);
    const [writer] = this.#writer(zxid);
    if (writer !== undefined && event.t < this.#history.operations.invoked[writer]!) {
      this.#add("C6 no read of what never was", "event from the future", event.line, zxid, event.path, {
        ops: [writer],
        summary: `${describeEvent(event)} came before its cause was asked for: ${this.#name(writer)}.`,
      });
    }
  }

  /** A reply, after an event, from before the change that the event told of. */
  #older(i: number, client: Client, line: number): void {
    this.#add("W2 events in order", "reply from before an event", line, client.told, undefined, {
      ops: [i, ...this.#writer(client.told)],
      summary: `${this.#name(i)} has zxid ${hex(this.#history.operations.zxid[i]!)}, after an event on this connection had told of ${hex(client.told)}.`,
    });
  }

  #unexpected(client: Client, event: Noted<WatchEvent>): void {
    const same = ({ type, path, zxid }: WatchEvent) =>
      type === event.type && path === event.path && (zxid === event.zxid || zxid < 0);
    const watching = [...client.watches.values()].filter((watch) => watch.concerns(event));
    const ops = watching.map(({ op }) => op);
    const { line, zxid, path } = event;
    // With its cause's zxid an event is known again, though a persistent watch goes on waiting.
    if (watching.length > 0 && !(zxid > 0 && client.recent.some(same))) {
      const due = watching[0]!.due;
      const expected = watching[0]!.describeNext();
      this.#add("W5 the right kind of event", "event of the wrong kind", line, zxid, path, {
        ops: [...ops, ...this.#writer(due)],
        summary: `${describeEvent(event)} came, but what happened first after the watch was left is ${expected}.`,
      });
    } else if (client.recent.some(same)) {
      this.#add("W3 one event per change", "event told twice", line, zxid, path, {
        ops,
        summary: `${describeEvent(event)} came again, though no watch was left meanwhile.`,
      });
    } else {
      this.#add("W3 one event per change", "event without a watch", line, zxid, path, {
        ops,
        summary: `${describeEvent(event)} came, though no watch waits for it.`,
      });
    }
  }

  #lost(watch: Watch): void {
    const { completeLine } = this.#history.operations;
    this.#add("W4 no lost event", "lost event", completeLine[watch.overdueBy]!, watch.due, watch.path, {
      ops: [watch.overdueBy, watch.op, ...this.#writer(watch.due)],
      summary: `${this.#name(watch.overdueBy)} reflects ${watch.describeNext()}, but the watch left by ${this.#name(watch.op)} was never told.`,
    });
  }

  #add(
    property: Property,
    anomaly: string,
    line: number,
    zxid: number,
    path: string | undefined,
    { ops, summary }: { readonly ops: readonly number[]; readonly summary: string },
  ): void {
    const where = path === undefined ? {} : { path };
    this.#findings.add({ property, rule: "9 watches", anomaly, summary, ops, line, zxid, ...where });
  }

  /** The operation that caused the change, if it was recorded. */
  #writer(zxid: number): number[] {
    const { zxids, op, count } = this.#timeline;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (zxids[middle]! < zxid) low = middle + 1;
      else high = middle;
    }
    return zxids[low] === zxid && op[low]! >= 0 ? [op[low]!] : [];
  }

  #name(i: number): string {
    return describeOp(this.#history.operations, i);
  }
}

export function describeEvent({ proc, type, path }: WatchEvent): string {
  return `p${proc}: event ${type} ${path}`;
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
