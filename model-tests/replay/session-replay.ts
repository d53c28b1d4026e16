/**
 * A run of a session model (models/sessions), made again by real clients and real servers. Its own steps stand in the trace;
 * what it does within a step (a leader that answers at once, clients without delays) is made up for until no more is under way
 * here than there. After each step both must say the same, down to zxids and errors of the replies under way.
 */
import { formatZxid, type Zxid } from "../../spec/vocabulary.ts";
import type { Txn } from "../../src/protocol/txn.ts";
import type { Model } from "../checker/model.ts";
import type { TraceStep } from "../checker/trace.ts";
import { changesOf } from "../checker/trace-changes.ts";
import type { ServerView } from "../models/sessions/server-part.ts";
import type { SessionModel } from "../models/sessions/session-model.ts";
import { kindOf } from "../models/sessions/world.ts";
import type { LogEntry, SessionState, Wire } from "../models/sessions/world-state.ts";
import { ReplayError } from "./replay-error.ts";
import { operationOf, RealSessions, type RealWire } from "./session-world.ts";
import type { ReplayedStep, ReplayResult } from "./zab-replay.ts";

/** More happens within no step: whoever is not done by then has gone another way. */
const MOST_MOVES = 200;

export class SessionReplay {
  readonly #model: SessionModel;
  readonly #real: RealSessions;

  constructor(model: SessionModel) {
    this.#model = model;
    this.#real = new RealSessions(model.bounds);
  }

  run(trace: readonly TraceStep[]): ReplayResult {
    const states = trace.map(({ words }) => this.#model.decode(words, undefined));
    const changes = changesOf(this.#model as Model<SessionState>, trace);
    this.#align(states[0] as SessionState);
    const differences = this.#differences(states[0] as SessionState);
    if (differences.length > 0) return { steps: [{ text: "at the start", changed: "", differences }], departedAt: 0 };
    const steps: ReplayedStep[] = [];
    for (const [at, { action }] of trace.slice(1).entries()) {
      const [before, after] = [states[at], states[at + 1]] as [SessionState, SessionState];
      const impossible = this.#perform(action as number, before, after);
      this.#align(after);
      const { text, facts } = changes[at] as (typeof changes)[number];
      const differences = [...(impossible === null ? [] : [impossible]), ...this.#differences(after)];
      const changed = facts.map(({ name, from, to }) => `${name} ${from} → ${to}`).join("; ");
      steps.push({ text, changed, differences });
      if (differences.length > 0) return { steps, departedAt: at };
    }
    return { steps, departedAt: null };
  }

  // --- the model's steps

  /** @returns what real ones cannot do. */
  #perform(action: number, before: SessionState, after: SessionState): string | null {
    const real = this.#real;
    const { kindOf, actionKinds, storyboard } = this.#model;
    const lane = storyboard.describe(action).lane as number;
    const server = lane - before.clients.length;
    switch (actionKinds[kindOf(action)]) {
      case "Call":
        real.call(lane);
        return null;
      case "Connect":
      case "ClientReads":
        return this.#withWire(real.wireOf(lane), (wire) =>
          wire.socket === null ? real.connect(wire) : real.clientReads(wire),
        );
      case "ClientLoses":
        return real.wireOf(lane)?.ended === true ? this.#loses(lane) : "the server has not closed the connection";
      case "Break":
        return this.#loses(lane);
      case "ServerReads":
        return this.#withWire(real.wires[shorterUp(before, after, server)], (wire) => real.serverReads(wire));
      case "ServerLoses":
        return this.#withWire(real.wires[before.wires.findIndex((wire) => isGone(wire, after, server))], (wire) =>
          real.serverLoses(wire),
        );
      case "Lead":
        real.lead(
          before.servers.findIndex(({ toLeader }, s) => toLeader.length > (after.servers[s]?.toLeader.length ?? 0)),
        );
        return null;
      case "Commit":
        real.commit();
        return null;
      case "Apply":
        if (hasSynchronized(after) && (real.applied[server] as number) >= (after.servers[server]?.applied ?? 0))
          return null;
        return real.apply(server) ? null : "there is nothing that is committed and not applied";
      case "OtherWrites":
        real.otherWrites(operationOf(this.#model.bounds.others[before.spent.others] as string));
        return null;
      case "Tick":
        real.tick();
        return null;
      case "LeaderChange": {
        const kept = Number(/\d+/.exec(storyboard.describe(action).text)?.[0]);
        return real.changeLeader(kept) ? null : `not just ${kept} of the txns that are not committed are on the disk`;
      }
      case "TornPacket":
        real.tear(server);
        return null;
      default:
        throw new ReplayError(`Nobody knows how to replay "${storyboard.describe(action).text}".`);
    }
  }

  /** Real followers have everything when they come back to a leader; those of the model apply it later. */
  #isAhead(state: SessionState, s: number): boolean {
    return hasSynchronized(state) && (this.#real.applied[s] as number) > (state.servers[s]?.applied ?? 0);
  }

  #loses(client: number): null {
    this.#real.loses(client);
    return null;
  }

  #withWire(wire: RealWire | undefined, act: (wire: RealWire) => void): string | null {
    if (wire === undefined) return "there is no such connection";
    act(wire);
    return null;
  }

  // --- what the model does within a step

  #align(state: SessionState): void {
    for (let moves = 0; moves < MOST_MOVES; moves++) if (!this.#move(state)) return;
  }

  #move(state: SessionState): boolean {
    const real = this.#real;
    const { near, scripts } = this.#model.bounds;
    // What is under way to or from a near client takes no time.
    if (real.wires.some((wire) => wire.client >= scripts.length - near && this.#arrives(wire))) return true;
    for (const [i, wire] of real.wires.entries()) {
      const wanted = state.wires[i];
      if (wanted === undefined || wanted.client !== wire.client) break;
      if (wire.socket === null && wanted.open) real.connect(wire);
      else if (wire.socket !== null && !wire.ended && wire.up.length > wanted.up.length) real.serverReads(wire);
      else if (!wire.cut && wire.down.length > wanted.down.length) real.clientReads(wire);
      else continue;
      return true;
    }
    const caller = state.clients.findIndex(({ called }, i) => called > (real.called[i] as number));
    if (caller !== -1) {
      real.call(caller);
      return true;
    }
    const heard = [0, 1].filter((s) => real.toLeader(s) > (state.servers[s]?.toLeader.length ?? 0));
    if (heard.length > 0) {
      const via = (state.log[real.log.length] as LogEntry | undefined)?.via ?? 0;
      real.lead(heard.find((s) => real.asksFirst(s)) ?? heard.find((s) => s === via - 1) ?? (heard[0] as number));
      return true;
    }
    if (real.committed < Math.min(state.committed, real.log.length)) {
      real.commit();
      return true;
    }
    return state.servers.some(({ applied }, s) => applied > (real.applied[s] as number) && real.apply(s));
  }

  /** @returns whether anything was under way. */
  #arrives(wire: RealWire): boolean {
    const real = this.#real;
    if (wire.cut) real.serverLoses(wire);
    else if (wire.socket === null) real.connect(wire);
    else if (wire.up.length > 0 && !wire.ended) real.serverReads(wire);
    else if (wire.down.length > 0) real.clientReads(wire);
    else if (wire.ended) real.loses(wire.client);
    else return false;
    return true;
  }

  // --- what real ones say otherwise

  #differences(state: SessionState): string[] {
    const real = this.#real;
    const found: string[] = [];
    const compare = (what: string, ours: unknown, theirs: unknown): void => {
      const [one, other] = [JSON.stringify(ours), JSON.stringify(theirs)];
      if (one !== other) found.push(`${what}: ${one}, not ${other}`);
    };
    compare("connections", real.wires.map(connection), state.wires.map(connection));
    for (const [i, client] of real.clients.entries()) {
      compare(`client ${i + 1}`, clientText(client.view()), clientText(state.clients[i]?.part.view ?? "[]"));
    }
    compare("log", logText(real.log.map(realEntry)), logText(state.log.map(modelEntry)));
    compare("committed", real.committed, state.committed);
    for (const [s, { part, applied }] of state.servers.entries()) {
      if (this.#isAhead(state, s)) continue;
      const [view] = JSON.parse(part.view) as [ServerView];
      const database = real.database(s);
      const ephemerals = [...database.ephemeralOwners()].flatMap((id) => [...database.ephemeralsOf(id)]).sort();
      compare(`server ${s + 1} has applied`, real.applied[s], applied);
      compare(`server ${s + 1} is at`, database.lastProcessedZxid, view.zxid);
      compare(`server ${s + 1}'s ephemerals`, ephemerals, view.ephemerals.map((text) => text.split(" ")[0]).sort());
      compare(`server ${s + 1}'s sessions`, database.sessions.size, view.sessions.length);
    }
    return found;
  }
}

const hasSynchronized = ({ epoch, spent }: SessionState): boolean => epoch > 1 || spent.torn > 0;

/** The connection of which the server has read, which may have been the end of it. */
function shorterUp(before: SessionState, after: SessionState, server: number): number {
  const then = (wire: Wire) =>
    after.wires.find(({ socket, client }) => socket === wire.socket && client === wire.client);
  const own = (wire: Wire) => wire.server === server && wire.up.length > 0;
  const at = before.wires.findIndex((wire) => own(wire) && (then(wire)?.asked.length ?? 0) > wire.asked.length);
  return at === -1 ? before.wires.findIndex((wire) => own(wire) && then(wire) === undefined) : at;
}

const isGone = (wire: Wire, after: SessionState, server: number): boolean =>
  wire.server === server &&
  wire.cut &&
  !after.wires.some(({ socket, client, cut }) => cut && socket === wire.socket && client === wire.client);

/** Frames up are told by their number: what a client sends is judged by what comes of it. */
function connection({ client, server, up, down, cut, ended, ...wire }: RealWire | Wire) {
  const open = "open" in wire ? wire.open : wire.socket !== null;
  return { client, server, open, up: up.length, down: down.map(frameText), cut, ended };
}

/** Of a handshake's answer only whether there is a session: ids and passwords are each side's own. */
function frameText(hex: string): string {
  const bytes = Buffer.from(hex, "hex");
  const xid = bytes.readInt32BE(4);
  if (xid === 0) return bytes.readInt32BE(8) > 0 ? "a session" : "no session";
  // An event's kind and path; of a reply its header.
  return xid === -1 ? hex.slice(8) : hex.slice(8, 40);
}

function clientText(view: string): string {
  const [phase, session, ...rest] = JSON.parse(view) as unknown[];
  return JSON.stringify([phase, session === "0" ? "none" : "one", ...rest]);
}

interface Entry {
  readonly zxid: number;
  readonly session: string;
  readonly kind: string;
  readonly path: string;
}

/** Sessions are told by the order in which they turn up. */
function logText(log: readonly Entry[]): string[] {
  const sessions = [...new Set(log.map(({ session }) => session))];
  return log.map(({ zxid, session, kind, path }) =>
    `${formatZxid(zxid as Zxid)} ${sessions.indexOf(session)} ${kind} ${path}`.trimEnd(),
  );
}

const modelEntry = ({ zxid, session, kind, path }: LogEntry): Entry => ({ zxid, session, kind, path });

function realEntry({ zxid, sessionId, body }: Txn): Entry {
  return { zxid, session: sessionId.toString(16), kind: kindOf(body), path: "path" in body ? body.path : "" };
}
