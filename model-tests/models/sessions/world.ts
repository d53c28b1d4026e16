/** How the parts of the session models move together. Every method returns the state after; none changes one. */

import { makeZxid, type SessionId, type Zxid } from "../../../spec/vocabulary.ts";
import { ErrorCode } from "../../../src/protocol/error-codes.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import { OpCode, Xid } from "../../../src/protocol/opcodes.ts";
import { encodeTxn, makeTxn, type TxnBody } from "../../../src/protocol/txn.ts";
import { hashOf } from "../../checker/fingerprint.ts";
import { OPEN } from "../../support/raw-requests.ts";
import { databases } from "../replay/replay-rules.ts";
import {
  ClientCore,
  type ClientEvent,
  type ClientOutput,
  OPERATIONS,
  type Operation,
  SESSION_TIMEOUT_MS,
} from "./client-part.ts";
import { LeaderCore, type LeaderEvent, type LeaderOutput, TICK_MS, txnOf } from "./leader-part.ts";
import { ReplayedPart } from "./replayed-part.ts";
import { type PlainRequest, ServerCore, type ServerEvent, type ServerOutput, type ServerView } from "./server-part.ts";
import { isConnectRequest, patched, SESSION_AT, type SessionRules } from "./session-rules.ts";
import type { ClientState, LogEntry, ServerState, SessionState, Wire } from "./world-state.ts";

/** A client that the model does not look at: it writes through the leader. */
export const OTHER_SESSION = "f1";
const OTHER_OWNER = 3;
export const TIMEOUT_TICKS = SESSION_TIMEOUT_MS / TICK_MS;

const BASE: readonly TxnBody[] = [
  { type: OpCode.createSession, timeOut: 40_000 },
  ...["/a", "/b"].map((path, i) => {
    return {
      type: OpCode.create2,
      path,
      data: Buffer.from(""),
      acl: OPEN,
      ephemeral: false,
      parentCVersion: i + 1,
    } as const;
  }),
];

export class SessionWorld {
  readonly #rules: SessionRules;
  readonly #clients: readonly ReplayedPart<ClientEvent, ClientOutput>[];
  readonly #servers: readonly ReplayedPart<ServerEvent, ServerOutput>[];
  readonly #leader: ReplayedPart<LeaderEvent, LeaderOutput>;
  readonly #views = new Map<string, ServerView>();
  readonly #intruder: number;
  readonly scripts: readonly string[];

  /** `intruder`: the last client uses the first one's session. */
  constructor(rules: SessionRules, scripts: readonly string[], intruder: boolean) {
    this.#intruder = intruder ? scripts.length - 1 : -1;
    this.#rules = rules;
    this.scripts = scripts;
    this.#clients = scripts.map((_, i) => new ReplayedPart(() => new ClientCore((i % 2) + 1, rules.send)));
    // A part holds one live core, and makes the next when that one is done with.
    const emptied = () => databases(rules.database, 2);
    this.#servers = [1, 2].map((id) => {
      const empty = emptied();
      return new ReplayedPart(() => new ServerCore(id, rules.hand, empty()));
    });
    const empty = emptied();
    this.#leader = new ReplayedPart(() => new LeaderCore(rules.tracker, empty()));
  }

  initial(): SessionState {
    const log = BASE.map((body, i): LogEntry => {
      const txn = makeTxn(BigInt(`0x${OTHER_SESSION}`) as SessionId, 0, makeZxid(1, i + 1), 1000, body, null);
      const writer = new JuteWriter();
      encodeTxn(writer, txn);
      return logged(writer.take().toString("hex"), OTHER_OWNER, OTHER_OWNER, null);
    });
    const servers = this.#servers.map((part): ServerState => {
      let state = part.initial;
      for (const { hex } of log) state = part.step(state, { type: "commit", hex }).next;
      return { part: state, applied: log.length, toLeader: [] };
    });
    const lead = this.#leader.step(this.#leader.initial, { type: "lead", log: log.map(({ hex }) => hex), now: 0 });
    let state: SessionState = {
      clients: this.#clients.map(({ initial }, i) => ({ ...NEW_CLIENT(initial), honest: i !== this.#intruder })),
      servers,
      leader: lead.next,
      log,
      committed: log.length,
      wires: [],
      epoch: 1,
      now: 0,
      ledSince: 0,
      heard: {},
      owners: { [OTHER_SESSION]: OTHER_OWNER },
      spent: { breaks: 0, leaders: 0, others: 0, torn: 0 },
    };
    for (const i of this.#clients.keys()) state = this.tell(state, i, { type: "start" });
    return state;
  }

  // ---- clients

  tell(before: SessionState, i: number, event: ClientEvent): SessionState {
    const part = this.#clients[i] as ReplayedPart<ClientEvent, ClientOutput>;
    const { next, outputs } = part.step(clientOf(before, i).part, event);
    let state = withClient(before, i, { part: next });
    for (const output of outputs) state = this.#clientSays(state, i, output);
    return state;
  }

  #clientSays(state: SessionState, i: number, output: ClientOutput): SessionState {
    const client = clientOf(state, i);
    switch (output.type) {
      case "connect": {
        const wire: Wire = { ...NEW_WIRE, socket: freeSocket(state), client: i, server: output.server - 1 };
        return withClient({ ...state, wires: [...state.wires, wire] }, i, { lastEvent: 0 });
      }
      case "write": {
        const hex = client.honest ? output.hex : this.#rules.hears(stolen(output.hex, clientOf(state, 0).session));
        return withWire(state, wireOf(state, i), ({ up }) => ({ up: [...up, hex] }));
      }
      case "drop":
        return this.cut(state, i);
      case "phase":
        return withClient(state, i, { phase: output.phase });
      case "session":
        return withClient(state, i, { session: output.id });
      case "asked":
        return withClient(state, i, { waiting: client.waiting + 1 });
      case "reply":
        return withClient(state, i, { waiting: client.waiting - 1, ...this.#seen(state, i, output) });
      case "event":
        return withClient(state, i, this.#notified(state, client, output.kind, output.path, output.zxid));
    }
  }

  #seen(state: SessionState, i: number, reply: { op: number; err: number; zxid: number; xid: number }) {
    const { zxid, err, xid } = reply;
    const toldMoved = clientOf(state, i).toldMoved || err === ErrorCode.SESSIONMOVED;
    if (zxid <= 0) return { toldMoved };
    const client = clientOf(state, i);
    let { watches } = client;
    // A persistent watch is not told what happened while it was away.
    if (xid === Xid.setWatches) {
      watches = watches.map((watch) => (watch.kind === "persistent" ? { ...watch, since: zxid } : watch));
    }
    const late = watches.some(({ path, since }) =>
      this.changes(state).some((c) => c.path === path && c.zxid > since && c.zxid <= zxid),
    );
    // Xids count the calls.
    const operation = OPERATIONS[(this.scripts[i] as string)[xid - 1] ?? ""];
    if (err === 0 && operation !== undefined) watches = registered(watches, operation, zxid);
    return {
      seenZxid: Math.max(client.seenZxid, zxid),
      wentBack: client.wentBack || zxid < client.seenZxid,
      watches,
      late: client.late || late,
      toldMoved,
    };
  }

  #notified(state: SessionState, client: ClientState, kind: string, path: string, zxid: number): Partial<ClientState> {
    const due = client.watches.find((watch) => watch.path === path);
    const change =
      due && this.changes(state).find((c) => c.path === path && c.zxid > due.since && (zxid < 0 || c.zxid === zxid));
    const order = {
      lastEvent: Math.max(client.lastEvent, zxid),
      disordered: client.disordered || (zxid > 0 && zxid < client.lastEvent),
    };
    if (due === undefined || change === undefined) return { surplus: true, ...order };
    const watches = client.watches.flatMap((watch) => {
      if (watch !== due) return [watch];
      return watch.kind === "data" ? [] : [{ ...watch, since: change.zxid }];
    });
    return { ...order, watches, wrongKind: client.wrongKind || kind !== "NodeDataChanged" };
  }

  /** The client's side of its connection is gone. */
  cut(state: SessionState, i: number): SessionState {
    const socket = wireOf(state, i);
    return socket === null ? state : withWire(state, socket, () => ({ cut: true, down: [] }));
  }

  // ---- servers

  serve(before: SessionState, s: number, event: ServerEvent): SessionState {
    const server = serverOf(before, s);
    const part = this.#servers[s] as ReplayedPart<ServerEvent, ServerOutput>;
    const { next, outputs } = part.step(server.part, event);
    let state = withServer(before, s, { part: next });
    for (const output of this.#rules.order(outputs)) state = this.#serverSays(state, s, output);
    return state;
  }

  #serverSays(state: SessionState, s: number, output: ServerOutput): SessionState {
    switch (output.type) {
      case "write":
        return withWire(state, output.socket, ({ down, answered, cut }) => {
          const xid = Buffer.from(output.hex, "hex").readInt32BE(4);
          // The first frame answers the handshake; events answer nothing.
          const reply = answered.length > 0 ? [xid] : [HANDSHAKE];
          const isEvent = answered.length > 0 && xid === Xid.notification;
          return {
            down: cut ? [] : this.#rules.enqueue(down, output.hex),
            answered: isEvent ? answered : [...answered, ...reply],
          };
        });
      case "end":
        return this.serve(
          withWire(state, output.socket, () => ({ ended: true })),
          s,
          { type: "closed", socket: output.socket },
        );
      case "submit":
        return this.#toLeader(state, s, output.request);
      case "revalidate": {
        if (this.#rules.revalidation === "own tree") {
          const valid = this.viewOf(state, s).sessions.includes(output.session);
          return this.serve(state, s, { ...output, type: "revalidated", valid });
        }
        return this.#toLeader(state, s, { session: output.session, timeout: output.timeout });
      }
      case "touch": {
        const { next, outputs } = this.#leader.step(state.leader, output);
        const accepted = outputs.some((answer) => answer.type === "touched" && answer.accepted);
        return {
          ...state,
          leader: next,
          heard: accepted ? { ...state.heard, [output.session]: state.now } : state.heard,
        };
      }
    }
  }

  #toLeader(state: SessionState, s: number, item: ServerState["toLeader"][number]): SessionState {
    return withServer(state, s, { toLeader: [...serverOf(state, s).toLeader, item] });
  }

  /** What a server's tree shows; parts with equal views have equal trees. */
  viewOf(state: SessionState, s: number): ServerView {
    const { view, hash } = serverOf(state, s).part;
    const known = this.#views.get(hash);
    if (known !== undefined) return known;
    const parsed = (JSON.parse(view) as [ServerView])[0];
    this.#views.set(hash, parsed);
    return parsed;
  }

  // ---- the leader

  /** The leader takes the oldest of what a server sent it. */
  lead(before: SessionState, s: number): SessionState {
    const [item, ...rest] = serverOf(before, s).toLeader;
    if (item === undefined) return before;
    const state = withServer(before, s, { toLeader: rest });
    if ("cxid" in item) return this.submit(state, item, null);
    const owner = s + 1;
    const { next, outputs } = this.#leader.step(state.leader, { type: "revalidate", ...item, owner });
    const valid = outputs.some((answer) => answer.type === "valid" && answer.valid);
    const after = { ...state, leader: next };
    const known = valid
      ? {
          ...after,
          owners: { ...state.owners, [item.session]: owner },
          heard: { ...state.heard, [item.session]: state.now },
        }
      : after;
    return this.serve(known, s, { type: "revalidated", valid, ...item });
  }

  submit(state: SessionState, request: PlainRequest, expired: LogEntry["expired"]): SessionState {
    const { session } = request;
    const last = txnOf((state.log.at(-1) as LogEntry).hex).zxid;
    const first = makeZxid(state.epoch, 1);
    const zxid = (last < first ? first : last + 1) as Zxid;
    const { next, outputs } = this.#leader.step(state.leader, { type: "submit", request, zxid });
    const [txn] = outputs;
    if (txn?.type !== "txn") return state;
    const opens = request.op === OpCode.createSession;
    const owners =
      opens || state.owners[session] === undefined ? { ...state.owners, [session]: request.owner } : state.owners;
    const heard = opens ? { ...state.heard, [session]: state.now } : state.heard;
    const entry = logged(txn.hex, expired === null ? request.owner : 0, owners[session] as number, expired);
    return { ...state, leader: next, owners, heard, log: [...state.log, entry] };
  }

  commit(state: SessionState): SessionState {
    const { hex } = state.log[state.committed] as LogEntry;
    return {
      ...state,
      leader: this.#leader.step(state.leader, { type: "commit", hex }).next,
      committed: state.committed + 1,
    };
  }

  apply(state: SessionState, s: number): SessionState {
    const { applied } = serverOf(state, s);
    const { hex } = state.log[applied] as LogEntry;
    return this.serve(withServer(state, s, { applied: applied + 1 }), s, { type: "commit", hex });
  }

  /** The link to the leader breaks inside a packet: the server comes back and asks for what it has not. */
  tear(before: SessionState, s: number): SessionState {
    const { applied } = serverOf(before, s);
    const state = { ...before, spent: { ...before.spent, torn: before.spent.torn + 1 } };
    const restarted = this.serve(withServer(state, s, { toLeader: [] }), s, { type: "restart" });
    if (!this.#rules.tornPacketCounts) return restarted;
    const { hex } = state.log[applied] as LogEntry;
    return this.serve(withServer(restarted, s, { applied: applied + 1 }), s, { type: "skip", hex });
  }

  tick(before: SessionState): SessionState {
    const now = before.now + 1;
    const { next, outputs } = this.#leader.step(before.leader, { type: "tick", now });
    let state: SessionState = { ...before, now, leader: next };
    for (const output of outputs) {
      if (output.type !== "expired") continue;
      const { session } = output;
      const expired = { silentTicks: now - (state.heard[session] ?? 0), ledTicks: now - state.ledSince };
      const request = { session, cxid: 0, op: OpCode.closeSession, body: "", owner: OTHER_OWNER };
      state = this.submit(state, request, expired);
    }
    return state;
  }

  /** Another server leads, with everything that is committed and the first `kept` of what is not. */
  changeLeader(before: SessionState, kept: number): SessionState {
    const log = before.log.slice(0, before.committed + kept);
    const { now } = before;
    const led = this.#rules.leaderForgetsTime ? 0 : now;
    const lead = this.#leader.step(this.#leader.initial, { type: "lead", log: log.map(({ hex }) => hex), now: led });
    let state: SessionState = {
      ...before,
      log,
      committed: log.length,
      leader: lead.next,
      epoch: before.epoch + 1,
      ledSince: now,
      // Until somebody writes for it, nobody owns a session.
      owners: { [OTHER_SESSION]: OTHER_OWNER },
      spent: { ...before.spent, leaders: before.spent.leaders + 1 },
    };
    for (const s of state.servers.keys()) {
      const applied = Math.min(serverOf(state, s).applied, log.length);
      state = this.serve(withServer(state, s, { toLeader: [], applied }), s, { type: "restart" });
    }
    return state;
  }

  /** Committed changes of data. */
  changes({ log, committed }: SessionState): readonly { readonly path: string; readonly zxid: number }[] {
    return log.slice(0, committed).filter(({ kind, path }, at) => kind === "write" && path !== "" && at >= BASE.length);
  }
}

export const HANDSHAKE = 0;
const NEW_WIRE = { open: false, up: [], down: [], cut: false, ended: false, asked: [], answered: [] } as const;

/** A ConnectRequest with another one's session, and no password. */
function stolen(hex: string, session: string): string {
  return isConnectRequest(hex) && session !== "0" ? patched(hex, SESSION_AT, session.padStart(16, "0")) : hex;
}

/** Numbers are used again: what their connections were is forgotten. */
function freeSocket({ wires }: SessionState): number {
  let socket = 1;
  while (wires.some((wire) => wire.socket === socket)) socket++;
  return socket;
}

function NEW_CLIENT(part: ClientState["part"]): ClientState {
  return {
    part,
    phase: "connecting",
    session: "0",
    called: 0,
    waiting: 0,
    seenZxid: 0,
    wentBack: false,
    watches: [],
    late: false,
    lastEvent: 0,
    disordered: false,
    toldMoved: false,
    honest: true,
    surplus: false,
    wrongKind: false,
  };
}

function registered(
  watches: ClientState["watches"],
  { watch, path }: Operation,
  since: number,
): ClientState["watches"] {
  if (watch === undefined || watches.some((known) => known.path === path && known.kind === watch)) return watches;
  return [...watches, { path, kind: watch, since }];
}

export function clientOf(state: SessionState, i: number): ClientState {
  return state.clients[i] as ClientState;
}

export function serverOf(state: SessionState, s: number): ServerState {
  return state.servers[s] as ServerState;
}

/** The connection that the client holds. */
export function wireOf({ wires }: SessionState, i: number): number | null {
  return wires.find(({ client, cut }) => client === i && !cut)?.socket ?? null;
}

export function withClient(state: SessionState, i: number, change: Partial<ClientState>): SessionState {
  return { ...state, clients: state.clients.map((client, at) => (at === i ? { ...client, ...change } : client)) };
}

export function withServer(state: SessionState, s: number, change: Partial<ServerState>): SessionState {
  return { ...state, servers: state.servers.map((server, at) => (at === s ? { ...server, ...change } : server)) };
}

export function withWire(
  state: SessionState,
  socket: number | null,
  change: (wire: Wire) => Partial<Wire>,
): SessionState {
  return { ...state, wires: state.wires.map((wire) => (wire.socket === socket ? { ...wire, ...change(wire) } : wire)) };
}

/** What a log entry is to the properties of sessions. */
export function kindOf({ type }: TxnBody): LogEntry["kind"] {
  if (type === OpCode.error) return "error";
  if (type === OpCode.createSession) return "open";
  return type === OpCode.closeSession ? "close" : "write";
}

function logged(hex: string, via: number, owner: number, expired: LogEntry["expired"]): LogEntry {
  const { zxid, sessionId, cxid, body } = txnOf(hex);
  const path = "path" in body ? body.path : "";
  const ephemeral = "ephemeral" in body && body.ephemeral;
  const key = hashOf(JSON.stringify([hex, via, owner, expired]));
  const kind = kindOf(body);
  return { hex, key, zxid, session: sessionId.toString(16), cxid, kind, path, ephemeral, via, owner, expired };
}
