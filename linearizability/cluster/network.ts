/**
 * All the wires of an ensemble: one link from every server to the quorum and to the election port of every other, and one from the
 * clients to every server.
 */
import { freePorts } from "../../model-tests/support/ports.ts";
import { Link, type LinkKind } from "./link.ts";
import { Random } from "./random.ts";
import type { Wire } from "./wire.ts";

/** Clients, where a link or a wire begins. */
export const CLIENTS = 0;

export interface ServerPorts {
  readonly id: number;
  readonly client: number;
  readonly quorum: number;
  readonly election: number;
}

export type PeerPort = "quorum" | "election";
export const PEER_PORTS: readonly PeerPort[] = ["quorum", "election"];

/** Links from a group of clients of its own to every server, so that they alone can be cut off or moved. */
export class ClientLinks {
  readonly links: readonly Link[];
  readonly #closed: () => void;

  constructor(links: readonly Link[], closed: () => void) {
    this.links = links;
    this.#closed = closed;
  }

  /** A connect string. */
  get addresses(): string {
    return this.links.map((link) => `127.0.0.1:${link.port}`).join(",");
  }

  async close(): Promise<void> {
    this.#closed();
    await Promise.all(this.links.map((link) => link.close()));
  }
}

export class Network {
  readonly servers: readonly ServerPorts[];
  readonly #peerLinks = new Map<string, Link>();
  readonly #clientLinks = new Set<ClientLinks>();
  readonly #serverOfPort = new Map<number, number>();
  readonly #random: Random;

  constructor(servers: readonly ServerPorts[], seed: number) {
    this.servers = servers;
    this.#random = Random.of(seed, "network");
  }

  /** Takes free ports and listens on those of the links. */
  static async open(ids: readonly number[], seed: number): Promise<Network> {
    const ports = await freePorts(ids.length * 3);
    const servers = ids.map((id, index) => {
      const [client, quorum, election] = ports.slice(index * 3, index * 3 + 3) as [number, number, number];
      return { id, client, quorum, election };
    });
    const network = new Network(servers, seed);
    await network.#openPeerLinks();
    return network;
  }

  /** From one server to a port of another. */
  link(from: number, to: number, kind: PeerPort): Link {
    const link = this.#peerLinks.get(`${from} ${to} ${kind}`);
    if (link === undefined) throw new Error(`No link from ${from} to ${to}`);
    return link;
  }

  get peerLinks(): readonly Link[] {
    return [...this.#peerLinks.values()];
  }

  /** Of all groups of clients. */
  get clientLinks(): readonly Link[] {
    return [...this.#clientLinks].flatMap((group) => group.links);
  }

  /** Everything that bytes from one server to another run through, whoever opened the connection. */
  wires(from: number, to: number, kinds: readonly PeerPort[] = PEER_PORTS): Wire[] {
    return kinds.flatMap((kind) => [this.link(from, to, kind).forth, this.link(to, from, kind).back]);
  }

  async openClientLinks(): Promise<ClientLinks> {
    const ports = await freePorts(this.servers.length);
    const links = this.servers.map((server, index) => this.#newLink(CLIENTS, server, "client", ports[index]!));
    await Promise.all(links.map((link) => link.listen()));
    for (const link of links) this.#serverOfPort.set(link.port, link.to);
    const group = new ClientLinks(links, () => this.#clientLinks.delete(group));
    this.#clientLinks.add(group);
    return group;
  }

  /** The server behind an address that a client was given; 0 for none. */
  serverOf(address: string): number {
    return this.#serverOfPort.get(Number(address.slice(address.lastIndexOf(":") + 1))) ?? 0;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#peerLinks.values()].map((link) => link.close()));
    await Promise.all([...this.#clientLinks].map((group) => group.close()));
  }

  async #openPeerLinks(): Promise<void> {
    const pairs = this.servers.flatMap((from) =>
      this.servers.filter((to) => to !== from).flatMap((to) => PEER_PORTS.map((kind) => ({ from, to, kind }))),
    );
    const ports = await freePorts(pairs.length);
    for (const [index, { from, to, kind }] of pairs.entries()) {
      const link = this.#newLink(from.id, to, kind, ports[index]!);
      this.#peerLinks.set(`${from.id} ${to.id} ${kind}`, link);
      await link.listen();
    }
  }

  #newLink(from: number, to: ServerPorts, kind: LinkKind, listenPort: number): Link {
    const rewrite = kind === "election" ? (first: Buffer) => this.#introduce(first, from, to.id) : undefined;
    return new Link({ from, to: to.id, kind, listenPort, targetPort: to[kind], random: this.#random, rewrite });
  }

  /**
   * Apache's servers tell each other their own election address, and call back there: past the links, unless the address
   * is replaced. Ports of a length, so the message keeps its.
   */
  #introduce(first: Buffer, from: number, to: number): Buffer {
    const own = this.servers.find((server) => server.id === from)?.election;
    const back = this.#peerLinks.get(`${to} ${from} election`)?.port;
    if (own === undefined || back === undefined) return first;
    const text = `127.0.0.1:${own}`;
    const at = first.subarray(0, 64).indexOf(text);
    const replacement = `127.0.0.1:${back}`;
    if (at < 0 || replacement.length !== text.length) return first;
    const changed = Buffer.from(first);
    changed.write(replacement, at, "latin1");
    return changed;
  }
}
