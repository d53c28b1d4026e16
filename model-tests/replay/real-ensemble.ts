/** Real servers and the links between them, which carry packets one at a time, when told. */
import type { FakeDisk } from "../simulator/fake-disk.ts";
import { type Parcel, RealLink, type Way } from "./real-link.ts";
import { QUORUM_PORT, RealMember } from "./real-member.ts";

export interface RealEnsembleOptions {
  readonly servers: number;
  /** Lines of the configuration, beside those that every ensemble needs. */
  readonly config: readonly string[];
  /** Time passes, so leaders ping. */
  readonly pings?: boolean;
  disk(): FakeDisk;
}

export type Direction = "up" | "down";

export class RealEnsemble {
  readonly members: RealMember[] = [];
  links: RealLink[] = [];
  /** Cut, and at least one end has not noticed yet. */
  readonly #broken = new Set<RealLink>();
  readonly #pings: boolean;
  /** What no link of the ensemble has carried: bytes for clients, connections that were closed. */
  readonly elsewhere: (member: number, socket: number, bytes: Buffer | null) => void;

  constructor(
    { servers, config, pings = false, disk }: RealEnsembleOptions,
    elsewhere: (member: number, socket: number, bytes: Buffer | null) => void = () => {},
  ) {
    this.elsewhere = elsewhere;
    this.#pings = pings;
    for (let id = 1; id <= servers; id++) {
      const lines = ["tickTime=2000", "dataDir=/data", "clientPort=2181", "preAllocSize=64"];
      lines.push("standaloneEnabled=false", "db.autocreate=false", ...config);
      for (let other = 1; other <= servers; other++) lines.push(`server.${other}=s${other}:${QUORUM_PORT}:3888`);
      this.members.push(new RealMember(id, servers, lines, disk()));
    }
  }

  member(index: number): RealMember {
    return this.members[index] as RealMember;
  }

  between(learner: number, leader: number): RealLink[] {
    return this.links.filter((link) => link.learner === learner && link.leader === leader);
  }

  cut(link: RealLink): void {
    this.#broken.add(link);
  }

  /** Does this end have something to notice? */
  hasEnded(link: RealLink, end: "learner" | "leader"): boolean {
    const [own, other] = end === "leader" ? [link.leaderOpen, link.learnerOpen] : [link.learnerOpen, link.leaderOpen];
    return own && (this.#broken.has(link) || !other);
  }

  deliver(link: RealLink, way: Direction, which: (parcel: Parcel) => boolean = () => true): boolean {
    const { underWay } = link[way];
    const at = underWay.findIndex(which);
    const parcel = underWay[at];
    if (parcel === undefined) return false;
    underWay.splice(at, 1);
    const [end, socket, open] =
      way === "up"
        ? [link.leader, link.leaderSocket, link.leaderOpen]
        : [link.learner, link.learnerSocket, link.learnerOpen];
    if (open) this.member(end).input({ type: "SOCKET_DATA", socket, chunk: parcel.bytes });
    return true;
  }

  close(link: RealLink, end: "learner" | "leader"): void {
    if (end === "leader") {
      link.leaderOpen = false;
      link.up.underWay.length = 0;
      this.member(link.leader).input({ type: "SOCKET_CLOSED", socket: link.leaderSocket, error: "reset" });
    } else {
      link.learnerOpen = false;
      link.down.underWay.length = 0;
      this.member(link.learner).input({ type: "SOCKET_CLOSED", socket: link.learnerSocket, error: "reset" });
    }
  }

  /** A process is gone, and its ends of all its links. */
  died(server: number): void {
    for (const link of this.links) {
      if (link.learner === server) {
        link.learnerOpen = false;
        link.down.underWay.length = 0;
      } else if (link.leader === server) {
        link.leaderOpen = false;
        link.up.underWay.length = 0;
      }
    }
  }

  /** @returns what is wrong. */
  connect(learner: number): string | null {
    const member = this.member(learner);
    const { dialled } = member;
    if (dialled === null) return "it has not asked for a connection";
    const leader = dialled.leader - 1;
    member.dialled = null;
    const accepted = this.member(leader).world.accept("quorum");
    this.links.push(new RealLink(learner, leader, dialled.socket, accepted, this.#pings));
    this.member(leader).look();
    member.input({ type: "SOCKET_CONNECTED", socket: dialled.socket });
    return this.gather();
  }

  /** What the servers have written to their links, or closed. */
  gather(): null {
    for (const [index, member] of this.members.entries()) {
      for (const effect of member.effects.splice(0)) {
        if (effect.type === "socket.write") {
          if (!this.#isLink(index, effect.socket)) this.elsewhere(index, effect.socket, Buffer.from(effect.bytes));
          else this.#wayOf(index, effect.socket)?.write(effect.bytes);
        } else if (effect.type === "socket.destroy" || effect.type === "socket.close") {
          if (!this.#isLink(index, effect.socket)) this.elsewhere(index, effect.socket, null);
          else this.#closedBy(index, effect.socket);
        }
      }
    }
    this.links = this.links.filter((link) => link.learnerOpen || link.leaderOpen);
    return null;
  }

  /** Servers learn that `leader` leads, one by one, and come to serve. */
  bringUp(leader: number, followers: readonly number[]): void {
    const quorum = Math.floor(this.members.length / 2) + 1;
    for (const [at, index] of [leader, ...followers].entries()) {
      this.member(index).elect(leader + 1);
      this.gather();
      if (at + 1 >= quorum) this.runOut();
    }
  }

  /** Whatever is under way, until nothing is; but for what is held back. */
  runOut(isHeld: (link: RealLink, parcel: Parcel) => boolean = () => false): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [index, member] of this.members.entries()) {
        if (member.dialled !== null) {
          this.connect(index);
          moved = true;
        }
        if (member.world.underWay.length > 0) {
          member.answerAll();
          this.gather();
          moved = true;
        }
      }
      for (const link of [...this.links]) {
        for (const way of ["up", "down"] as const) {
          while (this.deliver(link, way, (parcel) => !isHeld(link, parcel))) {
            this.gather();
            moved = true;
          }
        }
      }
    }
  }

  #isLink(server: number, socket: number): boolean {
    return this.links.some(
      ({ learner, leader, learnerSocket, leaderSocket }) =>
        (learner === server && learnerSocket === socket) || (leader === server && leaderSocket === socket),
    );
  }

  #wayOf(server: number, socket: number): Way | undefined {
    for (const link of this.links) {
      // A server that has restarted counts its sockets anew.
      if (link.learner === server && link.learnerSocket === socket && link.learnerOpen) {
        return this.#broken.has(link) || !link.leaderOpen ? undefined : link.up;
      }
      if (link.leader === server && link.leaderSocket === socket && link.leaderOpen) {
        return this.#broken.has(link) || !link.learnerOpen ? undefined : link.down;
      }
    }
    return undefined;
  }

  #closedBy(server: number, socket: number): void {
    for (const link of this.links) {
      if (link.learner === server && link.learnerSocket === socket && link.learnerOpen) {
        link.learnerOpen = false;
        link.down.underWay.length = 0;
      } else if (link.leader === server && link.leaderSocket === socket && link.leaderOpen) {
        link.leaderOpen = false;
        link.up.underWay.length = 0;
      }
    }
  }
}
