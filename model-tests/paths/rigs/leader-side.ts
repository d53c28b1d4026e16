/** Learners and clients of the server under test while it leads: what they send, and what it must make of it. */
import type { PeerContext, PeerEvent } from "../../../spec/peer/setup.ts";
import { type Epoch, MAX_COUNTER, makeZxid, NO_ZXID, type Zxid } from "../../../spec/vocabulary.ts";
import { JuteWriter } from "../../../src/protocol/jute-writer.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import { PacketType } from "../../../src/protocol/quorum-packet.ts";
import { ConnectRequest, LearnerInfo } from "../../../src/protocol/records.ts";
import { type LoneServer, PacketReader, packet } from "./lone-server.ts";
import type { PeerVariant } from "./peer-alphabet.ts";

interface Learner {
  readonly socket: number;
  readonly sid: number;
  readonly reader: PacketReader;
  /** Has answered LEADERINFO; has acknowledged NEWLEADER. */
  promised: boolean;
  synced: boolean;
  /** The last packet that came for it. */
  readonly got: Set<number>;
}

const MOST_SLICES = 20;
const FULL_TICK = 2;
const NO_SESSION = 0n;

export class LeaderSide {
  readonly #world: LoneServer;
  readonly #variant: PeerVariant;
  readonly #learners = new Map<number, Learner>();
  #proposed: Zxid[] = [];
  #last: Zxid = NO_ZXID;
  readonly #acked = new Map<number, Zxid>();
  #ackedBySelf: Zxid = NO_ZXID;
  #uncommitted: Zxid[] = [];
  #client = 0;
  durableUpTo: Zxid = NO_ZXID;

  constructor(world: LoneServer, variant: PeerVariant) {
    this.#world = world;
    this.#variant = variant;
  }

  /** Who has joined (j), promised (p), synchronized (s); is a proposal under way? */
  mood(): string {
    const learners = [...this.#learners.values()].map(({ sid, promised, synced }) => {
      const stage = synced ? "s" : promised ? "p" : "j";
      return `${this.#variant.observers.includes(sid) ? "observer" : "voter"} ${stage}`;
    });
    return [...learners.sort(), this.#proposed.length > 0 ? "proposed" : ""].join(" ");
  }

  cause(event: PeerEvent, context: PeerContext, aside: (types: readonly string[]) => void): string | null {
    const world = this.#world;
    switch (event.type) {
      case "LEARNER_JOINED":
        if (this.#learners.has(event.from)) return "it has joined already; a second connection replaces the first";
        return this.#join(event.from, event.acceptedEpoch);
      case "LEARNER_LEFT": {
        if (world.server.member.leaderRole === null) return "nobody listens to a link of a role that has ended";
        const socket = world.accept("quorum");
        world.input({ type: "SOCKET_CLOSED", socket });
        return null;
      }
      case "EPOCH_ACKED":
        return this.#promise(event.from, event.currentEpoch, event.lastZxid);
      case "NEWLEADER_ACKED":
        return this.#acknowledge(event.from, context);
      case "QUORUM_LOST":
        return this.#loseQuorum(aside);
      case "COUNTER_EXHAUSTED":
        return this.#exhaust(context);
      case "ACK":
        return this.#ack(context);
      case "REQUEST":
        return this.#request();
      case "LEARNER_PING":
        return this.#fromStreaming((socket) => world.data(socket, packet(PacketType.PING, 0, Buffer.alloc(0))));
      case "LEARNER_REVALIDATE":
        return this.#fromStreaming((socket) => {
          const data = Buffer.alloc(12);
          data.writeInt32BE(4000, 8);
          world.data(socket, packet(PacketType.REVALIDATE, -1, data));
        });
      case "LEARNER_CAUGHT_UP":
        return this.#catchUp(context, aside);
      default:
        return `no learner brings ${event.type}`;
    }
  }

  // --- discovery and synchronization

  #join(sid: number, acceptedEpoch: number): string | null {
    const world = this.#world;
    if (world.server.member.leaderRole === null) return "only a leader's quorum port is open";
    const socket = world.accept("quorum");
    const learner = { socket, sid, reader: new PacketReader(), promised: false, synced: false, got: new Set<number>() };
    this.#learners.set(sid, learner);
    const info = new JuteWriter(32);
    LearnerInfo.write(info, { serverid: sid, protocolVersion: 0x10000, configVersion: 0 });
    const type = this.#variant.observers.includes(sid) ? PacketType.OBSERVERINFO : PacketType.FOLLOWERINFO;
    world.data(socket, packet(type, makeZxid(acceptedEpoch, 0), info.take()));
    return null;
  }

  #promise(sid: number, currentEpoch: number, lastZxid: Zxid): string | null {
    const learner = this.#learners.get(sid);
    this.#listen();
    if (learner === undefined) return "it has not joined";
    if (!learner.got.has(PacketType.LEADERINFO)) return "the epoch was not announced to it yet";
    if (learner.promised) return "it has promised already on this link";
    learner.promised = true;
    const data = Buffer.alloc(4);
    data.writeInt32BE(currentEpoch);
    this.#world.data(learner.socket, packet(PacketType.ACKEPOCH, lastZxid, data));
    return null;
  }

  #acknowledge(sid: number, { newEpoch }: PeerContext): string | null {
    const learner = this.#learners.get(sid);
    if (learner === undefined) return "it has not joined";
    // A long history leaves in slices, one a turn.
    for (let i = 0; i < MOST_SLICES && this.#world.fire(`learner.${learner.socket}:history`); i++);
    if (!this.#hears(learner, PacketType.NEWLEADER)) return "NEWLEADER was not sent to it yet";
    if (learner.synced) return "it has acknowledged already on this link";
    learner.synced = true;
    this.#world.data(learner.socket, packet(PacketType.ACK, makeZxid(newEpoch, 0)));
    return null;
  }

  #hears(learner: Learner, type: number): boolean {
    this.#listen();
    return learner.got.has(type);
  }

  /** Packets that are still among the world's effects. */
  #listen(): void {
    for (const effect of this.#world.effects) {
      if (effect.type === "socket.write") this.received(effect.socket, effect.bytes);
    }
  }

  readonly #heard = new WeakSet<Buffer>();

  received(socket: number, bytes: Buffer): void {
    if (this.#heard.has(bytes)) return;
    this.#heard.add(bytes);
    for (const learner of this.#learners.values()) {
      if (learner.socket !== socket || learner.got.has(PacketType.SNAP)) continue;
      for (const { type } of packetsIn(learner.reader, bytes)) learner.got.add(type);
      // The raw tree follows, and NEWLEADER behind it.
      if (learner.got.has(PacketType.SNAP)) learner.got.add(PacketType.NEWLEADER);
    }
  }

  // --- broadcast

  #streaming(): Learner | undefined {
    const { voters } = this.#variant;
    const synced = [...this.#learners.values()].filter((it) => it.synced && voters.includes(it.sid));
    // In turn, or only one would ever acknowledge.
    return synced.find(({ sid }) => (this.#acked.get(sid) ?? NO_ZXID) < this.#last) ?? synced[0];
  }

  #fromStreaming(say: (socket: number) => void): string | null {
    const learner = this.#streaming();
    if (learner === undefined) return "nobody is synchronized";
    say(learner.socket);
    return null;
  }

  #ack(_context: PeerContext): string | null {
    return this.#fromStreaming((socket) => this.#world.data(socket, packet(PacketType.ACK, this.#last)));
  }

  #request(): string | null {
    return this.#fromStreaming((socket) => this.#world.data(socket, sessionRequest()));
  }

  #loseQuorum(aside: (types: readonly string[]) => void): string | null {
    if (this.#world.server.member.primary === null) return "before the broadcast phase nobody counts the synchronized";
    if (this.#variant.voters.length === 1) return "it is a quorum by itself";
    aside(["LEARNER_LEFT"]);
    for (const { socket } of this.#learners.values()) this.#world.input({ type: "SOCKET_CLOSED", socket });
    this.#learners.clear();
    for (let i = 0; i < FULL_TICK; i++) this.#world.fire("tick");
    return null;
  }

  #exhaust({ newEpoch }: PeerContext): string | null {
    const broadcast = this.#world.server.member.primary?.broadcast;
    if (broadcast === undefined) return "nobody orders writes yet";
    // As after four billion writes.
    const lastProposed = makeZxid(newEpoch, MAX_COUNTER - 1);
    broadcast.resume({ ackedUpTo: [], outstanding: [], lastProposed, lastCommitted: lastProposed }, []);
    this.#proposed = [];
    return this.#request();
  }

  #catchUp(context: PeerContext, aside: (types: readonly string[]) => void): string | null {
    const { voters, self } = this.#variant;
    const late = voters.find((id) => id !== self && !this.#learners.has(id));
    if (this.#world.server.member.primary === null) return "before the broadcast phase nobody is served";
    if (late === undefined) return "everybody has caught up";
    aside(["LEARNER_JOINED", "EPOCH_ACKED", "NEWLEADER_ACKED"]);
    return (
      this.#join(late, context.newEpoch) ??
      this.#promise(late, -1, context.lastZxid) ??
      this.#acknowledge(late, context)
    );
  }

  /** A client of a server alone asks for a session. */
  writeAlone(): boolean {
    const world = this.#world;
    const isWritten = () => world.underWay.some((effect) => effect.type === "disk.write" && effect.area === "log");
    if (isWritten()) return true;
    this.#client = world.accept("client");
    const writer = new JuteWriter(64);
    writer.int(0);
    ConnectRequest.write(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0 as Zxid,
      timeOut: 10_000,
      sessionId: NO_SESSION as never,
      passwd: Buffer.alloc(16),
      readOnly: false,
    });
    writer.patchInt(0, writer.offset - 4);
    world.data(this.#client, writer.take());
    return isWritten();
  }

  // --- what the chart asks for, and what the core must do

  told(type: string): string[] {
    return [...this.#learners.values()].map(({ socket }) => `told:learner.${socket} ${type}`);
  }

  opened(epoch: number, lastZxid?: Zxid): void {
    this.#last = lastZxid ?? makeZxid(epoch as Epoch, 0);
    this.#proposed = [];
    this.#acked.clear();
    this.#ackedBySelf = NO_ZXID;
  }

  ended(): void {
    this.#uncommitted = this.#proposed.splice(0);
    this.#learners.clear();
  }

  takeUncommitted(): string[] {
    return this.#uncommitted.splice(0).map((zxid) => `apply ${zxid}`);
  }

  hot(handler: string): string[] {
    switch (handler) {
      case "leader.request":
        this.#last = (this.#last + 1) as Zxid;
        this.#proposed.push(this.#last);
        return [`log ${this.#last}`];
      case "leader.ack":
        this.#acked.set(this.#streaming()?.sid ?? 0, this.#last);
        return this.#committed();
      case "leader.appended":
        this.#ackedBySelf = this.durableUpTo;
        return this.#committed();
      case "standalone.appended":
        this.#last = (this.#last + 1) as Zxid;
        return [`log ${this.#last}`, `apply ${this.#last}`];
      default:
        return [];
    }
  }

  /** What a quorum has acknowledged, the leader's own log among them. */
  #committed(): string[] {
    const { voters, self } = this.#variant;
    const acks = voters.map((id) => (id === self ? this.#ackedBySelf : (this.#acked.get(id) ?? NO_ZXID)));
    const reached = acks.sort((x, y) => y - x)[Math.floor(voters.length / 2)] as Zxid;
    const committed = this.#proposed.filter((zxid) => zxid <= reached);
    this.#proposed = this.#proposed.filter((zxid) => zxid > reached);
    return committed.map((zxid) => `apply ${zxid}`);
  }
}

function packetsIn(reader: PacketReader, bytes: Buffer): { readonly type: number }[] {
  return reader.read(bytes);
}

function sessionRequest(): Buffer {
  const data = Buffer.alloc(20);
  data.writeBigInt64BE(0x2000000000001n);
  data.writeInt32BE(OpCode.createSession, 12);
  data.writeInt32BE(6000, 16);
  return packet(PacketType.REQUEST, -1, data);
}
