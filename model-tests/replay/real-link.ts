/** A learner's connection to its leader between two real servers: whole packets, delivered one at a time, when told. */
import { PacketType, packetName, QuorumPacketDecoder, SNAP_SIGNATURE } from "../../src/protocol/quorum-packet.ts";
import { Database } from "../../src/tree/database.ts";
import { TreeLoader } from "../../src/tree/snapshot-source.ts";
import { packet } from "../paths/rigs/lone-server.ts";

export interface Parcel {
  /** `SNAPSHOT`: the raw tree that follows SNAP. */
  readonly name: string;
  readonly zxid: number;
  readonly bytes: Buffer;
}

/** One direction of a link: bytes in, parcels out. */
export class Way {
  readonly underWay: Parcel[] = [];
  readonly #decoder = new QuorumPacketDecoder();
  readonly #pings: boolean;
  #tree: { readonly loader: TreeLoader; readonly bytes: Buffer[] } | null = null;

  /** `pings`: where time stands still, as it does in Zab's models, nobody pings. */
  constructor(pings: boolean) {
    this.#pings = pings;
  }

  write(bytes: Buffer): void {
    // A slab's memory is used again.
    let rest: Buffer | null = Buffer.from(bytes);
    while (rest !== null && rest.length > 0) {
      rest = this.#tree === null ? this.#packets(rest) : this.#raw(rest);
    }
  }

  /** @returns what follows a SNAP in the same bytes. */
  #packets(bytes: Buffer): Buffer | null {
    this.#decoder.push(bytes);
    for (let next = this.#decoder.next(); next !== null; next = this.#decoder.next()) {
      const { type, zxid, data } = next;
      if (this.#pings || type !== PacketType.PING) {
        this.underWay.push({ name: packetName(type), zxid, bytes: packet(type, zxid, data) });
      }
      if (type !== PacketType.SNAP) continue;
      this.#tree = { loader: new TreeLoader(new Database()), bytes: [] };
      return this.#decoder.takeRest();
    }
    return null;
  }

  #raw(bytes: Buffer): Buffer | null {
    const tree = this.#tree;
    if (tree === null) return null;
    tree.bytes.push(bytes);
    if (!tree.loader.done) tree.loader.push(bytes);
    if (!tree.loader.done) return null;
    const all = Buffer.concat(tree.bytes);
    const loader = new TreeLoader(new Database());
    loader.push(all);
    const end = all.length - loader.rest().length + 4 + SNAP_SIGNATURE.length;
    if (all.length < end) return null;
    this.#tree = null;
    this.underWay.push({ name: "SNAPSHOT", zxid: -1, bytes: all.subarray(0, end) });
    return all.subarray(end);
  }
}

export class RealLink {
  readonly learner: number;
  readonly leader: number;
  readonly learnerSocket: number;
  readonly leaderSocket: number;
  readonly up: Way;
  readonly down: Way;
  /** Each end, as its server sees it. */
  learnerOpen = true;
  leaderOpen = true;

  constructor(learner: number, leader: number, learnerSocket: number, leaderSocket: number, pings: boolean) {
    this.up = new Way(pings);
    this.down = new Way(pings);
    this.learner = learner;
    this.leader = leader;
    this.learnerSocket = learnerSocket;
    this.leaderSocket = leaderSocket;
  }
}
