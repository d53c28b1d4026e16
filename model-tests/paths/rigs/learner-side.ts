/** What a leader sends to the server under test, and what the server must make of it: its log, its tree, its acks. */
import type { EventObject } from "xstate";
import type { PeerContext, PeerEvent } from "../../../spec/peer/setup.ts";
import { makeZxid, NO_ZXID, type Zxid } from "../../../spec/vocabulary.ts";
import { PacketType, SNAP_SIGNATURE } from "../../../src/protocol/quorum-packet.ts";
import { Database } from "../../../src/tree/database.ts";
import { TreeSnapshotter } from "../../../src/tree/snapshot-source.ts";
import { createTxn } from "../../simulator/storage-harness.ts";
import { type LoneServer, packet } from "./lone-server.ts";

export class LearnerSide {
  readonly #world: LoneServer;
  /** Received during synchronization and not logged: zxids, the first `#committed` of them committed. */
  #waiting: Zxid[] = [];
  #committed = 0;
  /** Broadcast: logged and not committed. */
  #proposed: Zxid[] = [];
  /** Logged in broadcast and not acknowledged. */
  #unacked: Zxid[] = [];
  #uncommitted: Zxid[] = [];
  #lastReceived: Zxid = NO_ZXID;
  #pingedWith: Zxid = NO_ZXID;
  #treeUnderWay = false;
  durableUpTo: Zxid = NO_ZXID;

  constructor(world: LoneServer) {
    this.#world = world;
  }

  /** @returns why it cannot be sent, or null. */
  send(event: PeerEvent, socket: number, context: PeerContext): string | null {
    const world = this.#world;
    if (this.#treeUnderWay && event.type !== "SNAPSHOT_RECEIVED") return "nothing overtakes a tree that is under way";
    this.#treeUnderWay = event.type === "SNAP";
    switch (event.type) {
      case "LEADERINFO":
        world.data(socket, packet(PacketType.LEADERINFO, makeZxid(event.epoch, 0), Buffer.from([0, 1, 0, 0])));
        return null;
      case "DIFF":
      case "TRUNC":
      case "SNAP":
        world.data(socket, packet(PacketType[event.type], event.zxid));
        return null;
      case "SNAPSHOT_RECEIVED": {
        const tree = new Database();
        tree.lastProcessedZxid = event.zxid;
        const snapshotter = new TreeSnapshotter(tree);
        const slices: Buffer[] = [];
        for (let slice = snapshotter.next(1000); slice !== null; slice = snapshotter.next(1000)) slices.push(slice);
        const signature = Buffer.alloc(4 + SNAP_SIGNATURE.length);
        signature.writeInt32BE(SNAP_SIGNATURE.length);
        signature.write(SNAP_SIGNATURE, 4, "latin1");
        world.data(socket, ...slices, signature);
        return null;
      }
      case "NEWLEADER":
        world.data(socket, packet(PacketType.NEWLEADER, makeZxid(event.epoch, 0)));
        return null;
      case "UPTODATE":
        world.data(socket, packet(PacketType.UPTODATE, -1));
        return null;
      case "PROPOSAL":
        world.data(socket, packet(PacketType.PROPOSAL, this.#next(), createTxn(this.#next()).entry));
        return null;
      case "COMMIT":
        world.data(socket, packet(PacketType.COMMIT, this.#nextCommit()));
        return null;
      case "INFORM":
        if (this.#waiting.length > this.#committed)
          return "a leader does not inform of a txn before the one that it proposed";
        world.data(socket, packet(PacketType.INFORM, this.#next(), createTxn(this.#next()).entry));
        return null;
      case "PING":
        this.#pingedWith = makeZxid(context.newEpoch, 5);
        world.data(socket, packet(PacketType.PING, this.#pingedWith));
        return null;
      case "SYNC":
        world.data(socket, packet(PacketType.SYNC, 0));
        return null;
      case "REVALIDATE": {
        const data = Buffer.alloc(9);
        data[7] = 77;
        world.data(socket, packet(PacketType.REVALIDATE, -1, data));
        return null;
      }
      default:
        return `a leader has no packet for ${event.type}`;
    }
  }

  /** Is anything buffered, committed, unacknowledged? */
  mood(): string {
    const buffered = this.#waiting.length === 0 ? "" : this.#committed > 0 ? "committed" : "buffered";
    return `${buffered} ${this.#proposed.length > 0 ? "proposed" : ""}`;
  }

  #next(): Zxid {
    return (this.#lastReceived + 1) as Zxid;
  }

  #nextCommit(): Zxid {
    return this.#proposed[0] ?? this.#waiting[this.#committed] ?? this.#lastReceived;
  }

  // --- what the chart asks for

  opened(after: Zxid): void {
    this.#waiting = [];
    this.#committed = 0;
    this.#proposed = [];
    this.#unacked = [];
    this.#lastReceived = after;
  }

  logged(): string[] {
    const ready = this.#waiting.splice(0, this.#committed);
    this.#committed = 0;
    return ready.flatMap((zxid) => [`log ${zxid}`, `apply ${zxid}`]);
  }

  served(kind: string): string[] {
    const rest = this.#waiting.splice(0);
    const committed = this.#committed;
    this.#committed = 0;
    this.#proposed = rest.slice(committed);
    this.#unacked = kind === "participant" ? [...rest] : [];
    return [...rest.map((zxid) => `log ${zxid}`), ...rest.slice(0, committed).map((zxid) => `apply ${zxid}`)];
  }

  /** The link is gone, and what was under way on it. */
  linkClosed(): void {
    this.#treeUnderWay = false;
  }

  closed(): void {
    this.#uncommitted = this.#proposed.splice(0);
    this.#unacked = [];
  }

  takeUncommitted(): string[] {
    return this.#uncommitted.splice(0).map((zxid) => `apply ${zxid}`);
  }

  hot(handler: string, _event: EventObject, kind: string): readonly string[] {
    switch (handler) {
      case "history.proposal":
        this.#waiting.push(this.#received());
        return [];
      case "history.commit":
        if (this.#committed < this.#waiting.length) this.#committed++;
        return [];
      case "history.inform":
        this.#waiting.push(this.#received());
        this.#committed++;
        return [];
      case "learner.proposal": {
        const zxid = this.#received();
        this.#proposed.push(zxid);
        if (kind === "participant") this.#unacked.push(zxid);
        return [`log ${zxid}`];
      }
      case "learner.commit": {
        const zxid = this.#proposed.shift();
        return zxid === undefined ? [] : [`apply ${zxid}`];
      }
      case "learner.inform": {
        const zxid = this.#received();
        return [`log ${zxid}`, `apply ${zxid}`];
      }
      case "learner.ping":
        return [`leader PING ${this.#pingedWith} `];
      case "learner.appended": {
        const acked = this.#unacked.filter((zxid) => zxid <= this.durableUpTo);
        this.#unacked = this.#unacked.filter((zxid) => zxid > this.durableUpTo);
        return acked.map((zxid) => `leader ACK ${zxid} `);
      }
      default:
        return [];
    }
  }

  #received(): Zxid {
    this.#lastReceived = this.#next();
    return this.#lastReceived;
  }
}
