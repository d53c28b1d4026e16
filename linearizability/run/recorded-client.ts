/**
 * A client whose every operation, reply, watch event and change of connection is in the history, in the order of the wire. The
 * operations of the ZooKeeper object are wrapped in place, so that recipes which take one are recorded too.
 */
import { formatSessionId } from "../../spec/vocabulary.ts";
import {
  type ClientObserver,
  type ConnectionInfo,
  connect,
  ErrorCode,
  OpCode,
  type ReplyInfo,
  type RequestInfo,
  type WatchedEvent,
  type ZooKeeper,
  ZooKeeperError,
} from "../../src/client/index.ts";
import type { Random } from "../cluster/random.ts";
import type { Arguments, Connection, Line, Operation, Result, WatchEvent, Where } from "../histories/format.ts";
import { CLIENT_OPERATIONS } from "./client-operations.ts";
import type { Recorder } from "./recorder.ts";

export interface RecordedClientOptions {
  readonly recorder: Recorder;
  /** Connect string. */
  readonly addresses: string;
  readonly timeoutMs: number;
  readonly random: Random;
  /** Server id of an address. */
  readonly serverOf: (address: string) => number;
}

/** What is being called right now: the observer hears of its request before the call returns. */
interface Call {
  readonly t: number;
  readonly op: Operation["op"];
  readonly args: Arguments;
  pending: Pending | null;
}

/** An operation without an answer. */
interface Pending {
  readonly id: number;
  /** The client's own: nobody waits for it. */
  readonly own: boolean;
  /** Generation and server of the connection it went out on; null while it waits for one. */
  sent: { readonly conn: number; readonly server: number } | null;
  /** Set when the reply has come and only its value is missing. */
  fill: ((outcome: { readonly res: Result } | { readonly error: unknown }) => void) | null;
}

const EVENTS: Readonly<Partial<Record<WatchedEvent["type"], WatchEvent["type"]>>> = {
  NodeCreated: "created",
  NodeDeleted: "deleted",
  NodeDataChanged: "dataChanged",
  NodeChildrenChanged: "childrenChanged",
};

const OWN_OPERATIONS: ReadonlyMap<number, Operation["op"]> = new Map([
  [OpCode.setWatches, "setWatches"],
  [OpCode.setWatches2, "setWatches"],
  [OpCode.closeSession, "closeSession"],
]);

const CODE_NAMES = new Map<number, string>([
  ...Object.entries(ErrorCode).map(([name, code]) => [code, name] as const),
  // The client's own, for what it was asked after its end.
  [-116, "CLOSING"],
]);

/**
 * Soon back after a fault, and no storm of attempts where servers cannot keep up: each attempt that a client gives up leaves a
 * session behind, which takes two txns.
 */
const BACKOFF = { firstMs: 20, longestMs: 2000 };

export class RecordedClient {
  readonly zk: ZooKeeper;
  /** Lane in the history. */
  readonly proc: number;
  readonly #recorder: Recorder;
  readonly #serverOf: (address: string) => number;
  /** By xid; the client's own setWatches share one, and are answered in order. */
  readonly #pending = new Map<number, Pending[]>();
  #call: Call | null = null;
  #server = 0;

  constructor(options: RecordedClientOptions) {
    const { recorder, addresses, timeoutMs, random } = options;
    this.#recorder = recorder;
    this.#serverOf = options.serverOf;
    this.proc = recorder.nextProc();
    const observer: ClientObserver = {
      requested: (request) => this.#requested(request),
      replied: (reply) => this.#replied(reply),
      notified: (event, zxid, connection) => this.#notified(event, zxid, connection),
      stateChanged: (state, connection) => this.#stateChanged(state, connection),
    };
    const environment = { monotonicMs: () => performance.now(), random: () => random.next() };
    this.zk = connect(addresses, { timeoutMs, environment, observer, backoff: BACKOFF });
    for (const wrap of CLIENT_OPERATIONS) wrap(this.zk, (op, args, call, result) => this.#run(op, args, call, result));
  }

  /** It can still be used: neither expired nor closed. */
  get alive(): boolean {
    const { state } = this.zk;
    return state === "connecting" || state === "connected" || state === "disconnected";
  }

  #run<T>(op: Operation["op"], args: Arguments, call: () => Promise<T>, result: (value: T) => Result): Promise<T> {
    const outer = this.#call;
    const current: Call = { t: this.#recorder.now(), op, args, pending: null };
    this.#call = current;
    let promise: Promise<T>;
    try {
      promise = call();
    } finally {
      this.#call = outer;
    }
    const { pending } = current;
    // Refused by the client itself: nothing was asked of anybody.
    if (pending === null) return promise;
    // First in line: what the application does on the answer comes after the answer.
    promise.then(
      (value) => pending.fill?.({ res: result(value) }),
      (error: unknown) => pending.fill?.({ error }),
    );
    return promise;
  }

  // ---- what the observer hears

  #requested({ xid, op, sessionId, generation, server }: RequestInfo): void {
    const call = this.#call;
    const own = OWN_OPERATIONS.get(op);
    const name = own ?? call?.op;
    if (name === undefined) throw new Error(`A request with opcode ${op} that nobody called`);
    const id = this.#recorder.nextId();
    const args = own === "setWatches" ? { relativeZxid: this.zk.lastZxid } : own === undefined ? call!.args : {};
    const t = own === undefined ? call!.t : this.#recorder.now();
    const serving = own !== undefined || this.zk.state === "connected";
    const sent = serving ? { conn: generation, server: this.#serverOf(server) } : null;
    const pending: Pending = { id, own: own !== undefined, sent, fill: null };
    const waiting = this.#pending.get(xid);
    if (waiting === undefined) this.#pending.set(xid, [pending]);
    else waiting.push(pending);
    if (own === undefined) call!.pending = pending;
    const where = this.#where({ sessionId, generation, server });
    this.#recorder.write({ kind: "invoke", t, id, xid, ...where, op: name, args });
  }

  #replied({ xid, sessionId, generation, server, err, zxid }: ReplyInfo): void {
    const waiting = this.#pending.get(xid);
    const pending = waiting?.shift();
    if (waiting === undefined || pending === undefined) throw new Error(`A reply to ${xid}, which was not asked`);
    if (waiting.length === 0) this.#pending.delete(xid);
    const { id } = pending;
    const answered = this.#where({ sessionId, generation, server });
    const completion = { t: this.#recorder.now(), id, xid, zxid };
    if (zxid < 0) {
      // No reply. What never went out did not happen; of the rest nobody knows.
      const { sent } = pending;
      const where = sent === null ? answered : { ...answered, conn: sent.conn, server: sent.server };
      const kind = sent === null ? "fail" : "info";
      this.#recorder.write({ kind, ...completion, ...where, err: errorName(err) });
      return;
    }
    if (err !== ErrorCode.OK) {
      this.#recorder.write({ kind: "fail", ...completion, ...answered, err: errorName(err) });
      return;
    }
    const fill = this.#recorder.reserve();
    const ok = (res: Result): void => fill({ kind: "ok", ...completion, ...answered, res });
    if (pending.own) return ok({});
    pending.fill = (outcome) => {
      if ("res" in outcome) ok(outcome.res);
      else fill({ kind: "fail", ...completion, ...answered, ...failure(outcome.error) } as Line);
    };
  }

  #notified(event: WatchedEvent, zxid: number, connection: ConnectionInfo): void {
    const type = EVENTS[event.type];
    if (type === undefined || event.path === null) return;
    const where = this.#where(connection);
    this.#recorder.write({ kind: "event", t: this.#recorder.now(), ...where, type, path: event.path, zxid });
  }

  #stateChanged(state: string, connection: ConnectionInfo): void {
    if (state === "closing") return;
    const where = this.#where(connection);
    const line: Connection = { kind: "conn", t: this.#recorder.now(), ...where, state: state as Connection["state"] };
    if (state !== "connected") {
      this.#recorder.write(line);
      return;
    }
    const { sessionTimeoutMs: timeoutMs, lastZxid: lastZxidSeen } = this.zk;
    this.#recorder.write({ ...line, timeoutMs, lastZxidSeen });
    // Everything that waited goes out now.
    for (const waiting of this.#pending.values())
      for (const pending of waiting) pending.sent ??= { conn: where.conn, server: where.server };
  }

  #where({ sessionId, generation, server }: ConnectionInfo): Where {
    if (server !== "") this.#server = this.#serverOf(server);
    const session = formatSessionId(sessionId);
    return { proc: this.proc, session, conn: generation, server: server === "" ? 0 : this.#server };
  }
}

export function errorName(code: number): string {
  return CODE_NAMES.get(code) ?? String(code);
}

function failure(error: unknown): { readonly err: string; readonly res?: { readonly results: readonly string[] } } {
  if (!(error instanceof ZooKeeperError)) throw error;
  const err = errorName(error.code);
  return error.results === null ? { err } : { err, res: { results: error.results.map(errorName) } };
}
