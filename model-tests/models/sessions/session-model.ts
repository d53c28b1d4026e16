/**
 * MC6 (sessions), MC7 (a client's requests) and MC8 (watches) are one model under different bounds: production's
 * ConnectionCore, ClientService, SessionTracker, Prepare and Database of clients, two followers and a leader, with the
 * packets between them. Connections are first in first out and break anywhere; what a client sent before a break may still
 * be read by its old server. Client and follower talk frame by frame, leader and follower txn by txn.
 */

import { CLIENT_INVARIANTS, type ClientWorld } from "../../../spec/invariants/client.invariants.ts";
import { SESSION_INVARIANTS, type SessionWorld as SessionView } from "../../../spec/invariants/session.invariants.ts";
import { WATCH_INVARIANTS, type WatchWorld } from "../../../spec/invariants/watch.invariants.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import { always, type Model, type StateProperty } from "../../checker/model.ts";
import { type PlainStep, plainModel } from "../../checker/plain-model.ts";
import { OPERATIONS, type Operation } from "./client-part.ts";
import { PRODUCTION_SESSIONS, type SessionRules } from "./session-rules.ts";
import {
  clientOf,
  HANDSHAKE,
  OTHER_SESSION,
  SessionWorld,
  serverOf,
  TIMEOUT_TICKS,
  wireOf,
  withClient,
  withWire,
} from "./world.ts";
import { keyOf, type SessionState, type Wire } from "./world-state.ts";

export interface SessionBounds {
  /** Of each client: letters of OPERATIONS, X for close. */
  readonly scripts: readonly string[];
  /** Connections that break, in all. */
  readonly breaks: number;
  readonly ticks: number;
  readonly leaderChanges: number;
  /** Letters of OPERATIONS: what somebody else writes. */
  readonly others: string;
  /** Links to the leader that break inside a closeSession. */
  readonly torn: number;
  /** Requests reach the leader and are committed at once: only followers lag. */
  readonly swift: boolean;
  /** Clients, the last ones, that ask at once, and to and from which everything takes no time; none of their connections breaks. */
  readonly near: number;
  /** Txns by which a server may lag behind what is committed. */
  readonly lag: number;
  /** The last client tries to get the first one's session, without its password. */
  readonly intruder: boolean;
  /** The clients have their sessions from the start, and every server knows of them. */
  readonly connected: boolean;
}

export type View = SessionView & ClientWorld & WatchWorld;
type Invariant = { readonly name: string; holds(view: View): boolean };
export const ALL_INVARIANTS: readonly Invariant[] = [...SESSION_INVARIANTS, ...CLIENT_INVARIANTS, ...WATCH_INVARIANTS];

export interface SessionModelOptions {
  readonly name: string;
  readonly bounds: SessionBounds;
  readonly rules?: SessionRules;
  readonly sometimes?: readonly StateProperty<SessionState>[];
  /** Also whether the clients can always go on: for small bounds, as every step is kept. */
  readonly goesOn?: boolean;
  /** Only this invariant is looked at. */
  readonly only?: string | undefined;
}

/** A model that can be replayed: its bounds say who is in it. */
export interface SessionModel extends Model<SessionState> {
  readonly bounds: SessionBounds;
}

export function sessionModel(options: SessionModelOptions): SessionModel {
  const { name, bounds, rules = PRODUCTION_SESSIONS, only } = options;
  const world = new SessionWorld(rules, bounds.scripts, bounds.intruder);
  const views = new WeakMap<SessionState, View>();
  const viewOf = (state: SessionState): View => {
    const known = views.get(state);
    if (known !== undefined) return known;
    const made = view(world, state);
    views.set(state, made);
    return made;
  };
  const model = plainModel<SessionState>({
    name,
    initial: [initialOf(world, bounds)],
    key: keyOf,
    actions: [
      "Connect",
      "Call",
      "ClientReads",
      "ClientLoses",
      "Break",
      "ServerReads",
      "ServerLoses",
      "Lead",
      "Commit",
      "Apply",
      "OtherWrites",
      "Tick",
      "LeaderChange",
      "TornPacket",
    ],
    faults: ["Break", "Tick", "LeaderChange", "TornPacket"],
    steps: (state) => stepsOf(world, rules, bounds, state),
    properties: {
      always: ALL_INVARIANTS.filter((one) => only === undefined || one.name === only).map((one) =>
        always<SessionState>(one.name, (state) => one.holds(viewOf(state))),
      ),
      sometimes: options.sometimes ?? [],
      reachable: options.goesOn === true && (only === undefined || only === CLIENTS_GO_ON) ? [CLIENTS_CAN_WRITE] : [],
    },
    lanes: [...bounds.scripts.map((_, i) => `client ${i + 1}`), "server 1", "server 2", "leader"],
    facts: factsOf,
  });
  return { ...model, bounds };
}

export const ANY_LAG = 100;

export const CLIENTS_GO_ON = "ClientsGoOn";

/** S6: whatever server the leader takes for its own, a client that has not written yet can still do so. */
const CLIENTS_CAN_WRITE: StateProperty<SessionState> = {
  name: CLIENTS_GO_ON,
  applies: ({ clients }) => clients.every(({ called, phase }) => called === 0 && phase !== "expired"),
  holds: ({ clients, log }) =>
    clients.every((client) => log.some(({ session, kind }) => session === client.session && kind === "write")),
};

function* stepsOf(
  world: SessionWorld,
  rules: SessionRules,
  bounds: SessionBounds,
  state: SessionState,
): Generator<PlainStep<SessionState>> {
  const { clients, servers, wires, spent, log, committed } = state;
  const leaderLane = clients.length + servers.length;
  const step = (action: string, lane: number, next: SessionState, detail?: string): PlainStep<SessionState> => {
    const hurried = bounds.swift ? hurry(world, next) : next;
    return {
      action,
      lane,
      next: tidy(deliver(world, bounds, caughtUp(world, bounds, hurried))),
      ...(detail === undefined ? {} : { detail }),
    };
  };
  for (const i of clients.keys()) {
    const client = clientOf(state, i);
    if (hasCall(bounds, state, i)) {
      const letter = (bounds.scripts[i] as string)[client.called] as string;
      const what = letter === "X" ? "closeSession" : operationOf(letter).text;
      yield step("Call", i, called(world, bounds, state, i), what);
    }
    const socket = wireOf(state, i);
    const wire = wires.find((one) => one.socket === socket);
    if (wire === undefined) continue;
    const lane = i;
    if (!wire.open) {
      const opened = withWire(state, socket, () => ({ open: true }));
      const accepted = world.serve(opened, wire.server, { type: "accept", socket: wire.socket });
      yield step("Connect", lane, world.tell(accepted, i, { type: "connected" }), `to server ${wire.server + 1}`);
      continue;
    }
    const [frame, ...rest] = wire.down;
    if (frame !== undefined) {
      const read = withWire(state, socket, () => ({ down: rest }));
      yield step("ClientReads", lane, world.tell(read, i, { type: "data", hex: frame }), nameOf(frame, wire));
    } else if (wire.ended) {
      yield step("ClientLoses", lane, world.tell(world.cut(state, i), i, { type: "closed" }));
    }
    if (spent.breaks < bounds.breaks && !wire.ended && !isNear(bounds, i)) {
      const broken = { ...world.cut(state, i), spent: { ...spent, breaks: spent.breaks + 1 } };
      yield step(
        "Break",
        lane,
        world.tell(broken, i, { type: "closed" }),
        `${wire.down.length} frames lost on the way back`,
      );
    }
  }
  for (const wire of wires) {
    const lane = clients.length + wire.server;
    if (!wire.open || wire.ended) continue;
    const [frame, ...rest] = wire.up;
    if (frame !== undefined) {
      const asked = wire.asked.length === 0 ? HANDSHAKE : Buffer.from(frame, "hex").readInt32BE(4);
      const read = withWire(state, wire.socket, () => ({ up: rest, asked: [...wire.asked, asked] }));
      const next = world.serve(read, wire.server, { type: "data", socket: wire.socket, hex: frame });
      yield step("ServerReads", lane, next, wire.cut ? "what was under way" : undefined);
    }
    if (wire.cut) {
      const gone = { ...state, wires: wires.filter((other) => other !== wire) };
      yield step("ServerLoses", lane, world.serve(gone, wire.server, { type: "closed", socket: wire.socket }));
    }
  }
  for (const s of servers.keys()) {
    const lane = clients.length + s;
    const { applied, toLeader } = serverOf(state, s);
    if (toLeader.length > 0) yield step("Lead", leaderLane, world.lead(state, s), `what server ${s + 1} sent`);
    const entry = log[applied];
    if (entry !== undefined && (rules.appliesProposals || applied < committed)) {
      yield step("Apply", lane, world.apply(state, s), `${entry.kind} ${entry.path}`);
      if (spent.torn < bounds.torn && entry.kind === "close") yield step("TornPacket", lane, world.tear(state, s));
    }
  }
  if (committed < log.length) yield step("Commit", leaderLane, world.commit(state));
  const other = bounds.others[spent.others];
  if (other !== undefined) {
    const written = { ...state, spent: { ...spent, others: spent.others + 1 } };
    yield step(
      "OtherWrites",
      leaderLane,
      world.submit(written, otherRequest(operationOf(other), spent.others + 1), null),
      operationOf(other).text,
    );
  }
  if (state.now < bounds.ticks) yield step("Tick", leaderLane, world.tick(state));
  if (spent.leaders < bounds.leaderChanges) {
    for (let kept = 0; kept <= log.length - committed; kept++) {
      yield step("LeaderChange", leaderLane, world.changeLeader(state, kept), `${kept} uncommitted kept`);
    }
  }
}

/** The leader takes and commits everything at once. */
function hurry(world: SessionWorld, before: SessionState): SessionState {
  let state = before;
  for (;;) {
    const s = state.servers.findIndex(({ toLeader }) => toLeader.length > 0);
    if (s >= 0) state = world.lead(state, s);
    else if (state.committed < state.log.length) state = world.commit(state);
    else return state;
  }
}

function initialOf(world: SessionWorld, bounds: SessionBounds): SessionState {
  if (!bounds.connected) return deliver(world, bounds, world.initial());
  // Those that are not near ask later.
  const scripts = bounds.scripts.map((script, i) => (isNear(bounds, i) ? script : ""));
  const calm = { ...bounds, scripts, near: scripts.length, swift: true };
  let state = world.initial();
  for (;;) {
    state = tidy(deliver(world, calm, hurry(world, state)));
    const s = state.servers.findIndex(({ applied }) => applied < state.log.length);
    if (s === -1) return state;
    state = world.apply(state, s);
  }
}

function isNear({ near, scripts }: SessionBounds, client: number): boolean {
  return client >= scripts.length - near;
}

/** Servers that lag too far apply what they lack. */
function caughtUp(world: SessionWorld, { lag }: SessionBounds, before: SessionState): SessionState {
  let state = before;
  for (;;) {
    const s = state.servers.findIndex(({ applied }) => state.committed - applied > lag);
    if (s === -1) return state;
    state = world.apply(state, s);
  }
}

/** Whatever is under way to or from near clients arrives. */
function deliver(world: SessionWorld, bounds: SessionBounds, before: SessionState): SessionState {
  let state = before;
  for (;;) {
    const wire = state.wires.find((one) => isNear(bounds, one.client) && hasNews(one));
    const caller = state.clients.findIndex((_, i) => isNear(bounds, i) && hasCall(bounds, state, i));
    if (wire === undefined && caller === -1) return state;
    const next = wire === undefined ? called(world, bounds, state, caller) : arrived(world, state, wire);
    state = caughtUp(world, bounds, bounds.swift ? hurry(world, next) : next);
  }
}

function hasCall({ scripts }: SessionBounds, state: SessionState, i: number): boolean {
  const client = clientOf(state, i);
  return client.phase === "connected" && client.called < (scripts[i] as string).length;
}

function called(world: SessionWorld, { scripts }: SessionBounds, state: SessionState, i: number): SessionState {
  const client = clientOf(state, i);
  const letter = (scripts[i] as string)[client.called] as string;
  const after = withClient(state, i, { called: client.called + 1 });
  return world.tell(after, i, letter === "X" ? { type: "close" } : { type: "call", operation: letter });
}

function hasNews({ open, up, down, cut, ended }: Wire): boolean {
  if (cut) return open && !ended;
  return !open || down.length > 0 || ended || up.length > 0;
}

/** The next thing that happens on a connection. */
function arrived(world: SessionWorld, state: SessionState, wire: Wire): SessionState {
  const { client, server, socket, open, up, down, cut, ended } = wire;
  if (!open && !cut) {
    const opened = withWire(state, socket, () => ({ open: true }));
    return world.tell(world.serve(opened, server, { type: "accept", socket }), client, { type: "connected" });
  }
  const [frame, ...later] = up;
  if (frame !== undefined && !ended) {
    const asked = wire.asked.length === 0 ? HANDSHAKE : Buffer.from(frame, "hex").readInt32BE(4);
    const read = withWire(state, socket, () => ({ up: later, asked: [...wire.asked, asked] }));
    return world.serve(read, server, { type: "data", socket, hex: frame });
  }
  if (cut) {
    const gone = { ...state, wires: state.wires.filter((other) => other.socket !== socket) };
    return world.serve(gone, server, { type: "closed", socket });
  }
  const [answer, ...rest] = down;
  if (answer === undefined) return world.tell(world.cut(state, client), client, { type: "closed" });
  const read = withWire(state, socket, () => ({ down: rest }));
  return world.tell(read, client, { type: "data", hex: answer });
}

/** Connections that nobody holds any more. */
function tidy(state: SessionState): SessionState {
  const gone = (wire: Wire) => wire.cut && (!wire.open || wire.ended);
  return state.wires.some(gone) ? { ...state, wires: state.wires.filter((wire) => !gone(wire)) } : state;
}

function operationOf(letter: string): Operation {
  return OPERATIONS[letter] as Operation;
}

function otherRequest({ request: [op, write] }: Operation, cxid: number) {
  const writer = new JuteWriter();
  write(writer);
  return { session: OTHER_SESSION, cxid, op, body: writer.take().toString("hex"), owner: 3 };
}

function view(world: SessionWorld, state: SessionState): View {
  const { log, committed, clients, servers } = state;
  const changes = world.changes(state);
  return {
    timeoutTicks: TIMEOUT_TICKS,
    now: state.now,
    ledSince: state.ledSince,
    heard: state.heard,
    log,
    servers: servers.map((_, s) => world.viewOf(state, s)),
    clients: clients.map((client, i) => ({ ...client, settled: isSettled(state, i) })),
    committedZxid: (log[committed - 1] as (typeof log)[number]).zxid,
    connections: state.wires,
    changes,
  };
}

/** Nothing is under way that this client could still hear of. */
function isSettled(state: SessionState, i: number): boolean {
  const wire = state.wires.find(({ client, cut }) => client === i && !cut);
  const { phase, waiting } = clientOf(state, i);
  if (wire === undefined || phase !== "connected" || waiting > 0) return false;
  return wire.down.length === 0 && wire.up.length === 0 && serverOf(state, wire.server).applied === state.log.length;
}

function nameOf(frame: string, { answered }: Wire): string {
  const xid = Buffer.from(frame, "hex").readInt32BE(4);
  if (answered.length <= 1) return "the answer to its handshake";
  if (xid === -1) return "a watch event";
  return xid === -8 ? "the answer to setWatches" : `a reply, xid ${xid}`;
}

function factsOf(state: SessionState): Map<string, string> {
  const facts = new Map<string, string>();
  state.clients.forEach((client, i) => {
    facts.set(`client ${i + 1}`, client.phase);
    facts.set(`seen ${i + 1}`, (client.seenZxid % 2 ** 32).toString());
    if (client.watches.length > 0) facts.set(`watches ${i + 1}`, client.watches.map(({ path }) => path).join(" "));
  });
  for (const [s, { applied }] of state.servers.entries()) facts.set(`applied ${s + 1}`, String(applied));
  facts.set(
    "log",
    state.log
      .map(({ kind, path, session }) => `${kind} ${path || session.slice(0, 3)}`)
      .slice(3)
      .join(", "),
  );
  facts.set("committed", String(state.committed));
  facts.set("tick", String(state.now));
  return facts;
}

export function boundsText(bounds: SessionBounds): string {
  const { scripts, breaks, ticks, leaderChanges, others, torn, swift, near, lag, intruder, connected } = bounds;
  const calls = scripts.map((script) => [...script].map((letter) => OPERATIONS[letter]?.text ?? "close").join(", "));
  const text = [
    `2 servers, clients: ${calls.map((call) => call || "-").join(" | ")}`,
    breaks > 0 ? `<= ${breaks} breaks` : "",
    ticks > 0 ? `${ticks} ticks` : "",
    leaderChanges > 0 ? `${leaderChanges} leader change` : "",
    others === "" ? "" : `${others.length} foreign writes`,
    torn > 0 ? `${torn} torn packet` : "",
    swift ? "the leader answers at once" : "",
    lag < ANY_LAG ? `servers lag <= ${lag} txn` : "",
    intruder ? "the last one an intruder" : "",
    connected ? "with sessions" : "",
    near > 0 ? `${near} client without delays` : "",
  ];
  return text.filter((part) => part !== "").join(", ");
}
