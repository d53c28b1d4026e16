/**
 * Real clients and real servers, moved as the session models move theirs: servers 1 and 2 follow and serve clients, server 3
 * leads. The leader's answer to a question about a session may overtake the commits before it, as it may in the models.
 */
import { counterOf, type Zxid } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { ConnectRequest } from "../../src/protocol/records.ts";
import { decodeTxn, type Txn } from "../../src/protocol/txn.ts";
import type { Database } from "../../src/tree/database.ts";
import { ClientCore, type ClientEvent, OPERATIONS, type Operation } from "../models/sessions/client-part.ts";
import { TICK_MS } from "../models/sessions/leader-part.ts";
import { framesOf } from "../models/sessions/server-part.ts";
import type { SessionBounds } from "../models/sessions/session-model.ts";
import { isConnectRequest, patched, SESSION_AT } from "../models/sessions/session-rules.ts";
import { type Line, PacketReader } from "../paths/rigs/lone-server.ts";
import { diskWith, EMPTY } from "../paths/rigs/peer-disks.ts";
import type { FakeDisk } from "../simulator/fake-disk.ts";
import { create, type RawRequest } from "../support/raw-requests.ts";
import { RealEnsemble } from "./real-ensemble.ts";
import type { Parcel, RealLink } from "./real-link.ts";
import { isLogWrite } from "./real-member.ts";

const LEADER = 2;
const FOLLOWERS = [0, 1];
/** Deadlines are rounded up to ticks, so time begins with one. */
const BEGIN_MS = 100 * TICK_MS;
const OTHER_TIMEOUT_MS = 40_000;

export interface RealWire {
  readonly client: number;
  readonly server: number;
  /** As the server knows it; null before it has accepted. */
  socket: number | null;
  readonly up: string[];
  down: string[];
  /** The client is gone. */
  cut: boolean;
  /** The server has closed. */
  ended: boolean;
}

const isNamed =
  (...names: string[]) =>
  ({ name }: Parcel): boolean =>
    names.includes(name);
const isForLeader = isNamed("REQUEST", "REVALIDATE");

export class RealSessions {
  readonly clients: readonly ClientCore[];
  wires: RealWire[] = [];
  readonly called: number[];
  /** Txns in the order of their proposals, those before the models begin included. */
  readonly log: Txn[] = [];
  committed = 0;
  readonly applied: number[] = [0, 0];
  readonly #bounds: SessionBounds;
  readonly #ensemble: RealEnsemble;
  #otherSocket = -1;
  #othersXid = 0;
  #nowMs = BEGIN_MS;

  constructor(bounds: SessionBounds) {
    this.#bounds = bounds;
    this.called = bounds.scripts.map(() => 0);
    const config = ["initLimit=1000", "syncLimit=1000"];
    this.#ensemble = new RealEnsemble({ servers: 3, config, pings: true, disk: freshDisk }, (member, socket, bytes) =>
      this.#told(member, socket, bytes),
    );
    for (const { world } of this.#ensemble.members) world.nowMs = BEGIN_MS;
    this.#ensemble.bringUp(LEADER, FOLLOWERS);
    this.#open();
    this.clients = bounds.scripts.map((_, i) => new ClientCore((i % 2) + 1, (hex) => hex));
    for (const i of this.clients.keys()) this.tell(i, { type: "start" });
  }

  database(server: number): Database {
    return this.#ensemble.member(server).world.server.database;
  }

  /** The client that the models do not look at has its session, and has made the znodes of the scripts. */
  #open(): void {
    const { world } = this.#ensemble.member(LEADER);
    this.#otherSocket = world.accept("client");
    const hello = new JuteWriter(64);
    ConnectRequest.write(hello, {
      protocolVersion: 0,
      lastZxidSeen: 0 as Zxid,
      timeOut: OTHER_TIMEOUT_MS,
      sessionId: 0n as never,
      passwd: Buffer.alloc(16),
      readOnly: false,
    });
    this.#atLeader(this.#otherSocket, hello.take());
    this.#everywhere();
    for (const path of ["/a", "/b"]) {
      this.otherWrites({ text: "", path, request: create(path) });
      this.#everywhere();
    }
  }

  #everywhere(): void {
    while (this.committed < this.log.length) this.commit();
    for (const s of FOLLOWERS) while ((this.applied[s] as number) < this.committed) this.apply(s);
  }

  #atLeader(socket: number, body: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    const leader = this.#ensemble.member(LEADER);
    leader.world.data(socket, Buffer.concat([length, body]));
    leader.look();
    this.#gather();
  }

  // --- clients

  tell(i: number, event: ClientEvent): void {
    const client = this.clients[i] as ClientCore;
    for (const output of client.step(event)) {
      const wire = this.wireOf(i);
      if (output.type === "connect")
        this.wires.push({
          client: i,
          server: output.server - 1,
          socket: null,
          up: [],
          down: [],
          cut: false,
          ended: false,
        });
      else if (output.type === "write") wire?.up.push(this.#said(i, output.hex));
      else if (output.type === "drop") this.#cut(i);
    }
    this.#tidy();
  }

  /** An intruder asks for the first client's session, without its password. */
  #said(i: number, hex: string): string {
    if (!this.#bounds.intruder || i !== this.clients.length - 1 || !isConnectRequest(hex)) return hex;
    const session = this.sessionOf(0);
    return session === "0" ? hex : patched(hex, SESSION_AT, session.padStart(16, "0"));
  }

  sessionOf(i: number): string {
    return (JSON.parse((this.clients[i] as ClientCore).view()) as [string, string])[1];
  }

  /** The connection that the client holds. */
  wireOf(i: number): RealWire | undefined {
    return this.wires.find(({ client, cut }) => client === i && !cut);
  }

  call(i: number): void {
    const letter = (this.#bounds.scripts[i] as string)[this.called[i] as number] as string;
    this.called[i] = (this.called[i] as number) + 1;
    this.tell(i, letter === "X" ? { type: "close" } : { type: "call", operation: letter });
  }

  connect(wire: RealWire): void {
    const member = this.#ensemble.member(wire.server);
    wire.socket = member.world.accept("client");
    member.look();
    this.#gather();
    this.tell(wire.client, { type: "connected" });
  }

  clientReads(wire: RealWire): void {
    const [frame, ...rest] = wire.down;
    if (frame === undefined) return;
    wire.down = rest;
    this.tell(wire.client, { type: "data", hex: frame });
  }

  /** Its connection is gone. */
  loses(i: number): void {
    this.#cut(i);
    this.tell(i, { type: "closed" });
  }

  #cut(i: number): void {
    const wire = this.wireOf(i);
    if (wire === undefined) return;
    wire.cut = true;
    wire.down = [];
  }

  #tidy(): void {
    this.wires = this.wires.filter(({ cut, socket, ended }) => !(cut && (socket === null || ended)));
  }

  // --- servers

  serverReads(wire: RealWire): void {
    const frame = wire.up.shift();
    if (frame === undefined || wire.socket === null) return;
    const chunk = Buffer.from(frame, "hex");
    this.#ensemble.member(wire.server).input({ type: "SOCKET_DATA", socket: wire.socket, chunk });
    this.#gather();
  }

  serverLoses(wire: RealWire): void {
    this.wires = this.wires.filter((other) => other !== wire);
    this.#closed(wire.server, wire.socket as number);
  }

  #closed(server: number, socket: number): void {
    this.#ensemble.member(server).input({ type: "SOCKET_CLOSED", socket });
    this.#gather();
  }

  /** How much of what it sent the leader has not taken. */
  toLeader(s: number): number {
    return this.#link(s).up.underWay.filter(isForLeader).length;
  }

  asksFirst(s: number): boolean {
    return this.#link(s).up.underWay.find(isForLeader)?.name === "REVALIDATE";
  }

  /** @returns whether there was something to apply. */
  apply(s: number): boolean {
    if (!this.#ensemble.deliver(this.#link(s), "down", isNamed("COMMIT"))) return false;
    this.applied[s] = (this.applied[s] as number) + 1;
    this.#gather();
    return true;
  }

  // --- the leader

  lead(s: number): void {
    const link = this.#link(s);
    this.#ensemble.deliver(link, "up", isForLeader);
    this.#gather();
    this.#ensemble.deliver(link, "down", isNamed("REVALIDATE"));
    this.#gather();
  }

  /** A quorum logs the next txn, and says so. */
  commit(): void {
    for (const s of FOLLOWERS) {
      this.#ensemble.deliver(this.#link(s), "down", isNamed("PROPOSAL"));
      this.#ensemble.member(s).answerAll();
    }
    const isLogged = (lines: readonly Line[]) =>
      lines.some(([, what, fact]) => what === "disk" && fact === "LOG_APPENDED");
    this.#ensemble.member(LEADER).answer(isLogWrite, isLogged);
    this.#gather();
    for (const s of FOLLOWERS) this.#ensemble.deliver(this.#link(s), "up", isNamed("ACK"));
    this.committed++;
    this.#gather();
  }

  otherWrites({ request: [op, write] }: Operation | { readonly request: RawRequest }): void {
    const writer = new JuteWriter(64);
    writer.int(++this.#othersXid);
    writer.int(op);
    write(writer);
    this.#atLeader(this.#otherSocket, writer.take());
  }

  /**
   * The leader's machine dies and comes back with the first `kept` of the txns that are not committed, and leads again.
   * @returns false if its disk cannot hold just those.
   */
  changeLeader(kept: number): boolean {
    const leader = this.#ensemble.member(LEADER);
    this.#ensemble.died(LEADER);
    leader.crash(kept);
    leader.world.nowMs = this.#nowMs;
    for (const link of [...this.#ensemble.links]) this.#ensemble.close(link, "learner");
    this.#ensemble.gather();
    for (const s of FOLLOWERS) this.#ensemble.member(s).answerAll();
    this.#ensemble.bringUp(LEADER, FOLLOWERS);
    this.log.length = Math.min(this.log.length, this.committed + kept);
    this.committed = this.log.length;
    this.applied.fill(this.log.length);
    this.#tidy();
    return this.database(LEADER).lastProcessedZxid === this.log.at(-1)?.zxid;
  }

  /** A follower loses its link to the leader, and comes back: it is brought up to date before it serves again. */
  tear(s: number): void {
    const lost = this.#link(s);
    this.#ensemble.close(lost, "leader");
    this.#ensemble.close(lost, "learner");
    this.#ensemble.gather();
    this.#ensemble.member(s).answerAll();
    this.#ensemble.member(s).elect(LEADER + 1);
    // What it acknowledges is counted when the model's leader commits.
    const isAck = ({ name, zxid }: Parcel) => name === "ACK" && counterOf(zxid as Zxid) > 0;
    this.#ensemble.runOut((link, parcel) => link.learner !== s || isAck(parcel));
    this.applied[s] = this.committed;
    this.#gather();
  }

  tick(): void {
    // What the followers have heard of their clients they tell in answer to a ping.
    this.#ping();
    this.#nowMs += TICK_MS;
    for (const { world } of this.#ensemble.members) world.nowMs = this.#nowMs;
    this.#ping();
  }

  #ping(): void {
    this.#ensemble.member(LEADER).fire("tick");
    this.#gather();
    for (const way of ["down", "up"] as const)
      for (const s of FOLLOWERS) {
        while (this.#ensemble.deliver(this.#link(s), way, isNamed("PING"))) this.#gather();
      }
  }

  #link(s: number): RealLink {
    return this.#ensemble.between(s, LEADER)[0] as RealLink;
  }

  // --- what leaves the servers

  #proposalsSeen = new Set<number>();

  #gather(): void {
    this.#ensemble.gather();
    // While a leader takes over there is no link.
    for (const { name, zxid, bytes } of this.#ensemble.between(0, LEADER)[0]?.down.underWay ?? []) {
      if (name !== "PROPOSAL" || this.#proposalsSeen.has(zxid)) continue;
      this.#proposalsSeen.add(zxid);
      const [packet] = new PacketReader().read(bytes);
      this.log.push(decodeTxn(packet?.data as Buffer));
    }
    this.#tidy();
  }

  #told(server: number, socket: number, bytes: Buffer | null): void {
    const wire = this.wires.find((one) => one.server === server && one.socket === socket && !one.ended);
    if (wire === undefined) return;
    if (bytes !== null) {
      if (!wire.cut) wire.down.push(...framesOf(bytes));
      return;
    }
    wire.ended = true;
    this.#closed(server, socket);
  }
}

export const operationOf = (letter: string): Operation => OPERATIONS[letter] as Operation;

function freshDisk(): FakeDisk {
  const disk = diskWith(EMPTY);
  disk.put("data", "initialize", Buffer.alloc(0));
  return disk;
}
