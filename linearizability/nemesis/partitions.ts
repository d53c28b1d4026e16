/** Networks that fall apart. A partition holds bytes back until it heals, or cuts connections and refuses new ones. */
import type { Member } from "../cluster/member.ts";
import { PEER_PORTS, type PeerPort } from "../cluster/network.ts";
import { type Field, ids, type Nemesis, named } from "./nemesis.ts";

/** Directions in which nothing gets through. */
type Broken = readonly (readonly [from: Member, to: Member])[];

type Style = "silent" | "reset";

interface Plan {
  readonly targets: readonly Member[];
  readonly detail: string;
  readonly broken: Broken;
  readonly ports?: readonly PeerPort[];
  /** Servers that clients cannot reach either. */
  readonly unreachable?: readonly Member[];
}

async function partition(field: Field, plan: Plan, holdMs: number): Promise<void> {
  const { network } = field.cluster;
  const { targets, detail, broken, ports = PEER_PORTS, unreachable = [] } = plan;
  const style: Style = field.random.chance(0.6) ? "silent" : "reset";
  const fault = style === "silent" ? { hold: true } : { refuse: true };
  const lift: (() => void)[] = [];
  await field.fault(ids(targets), `${detail}, ${style === "silent" ? "bytes wait" : "connections are reset"}`, {
    inject: () => {
      for (const [from, to] of broken)
        for (const wire of network.wires(from.id, to.id, ports)) lift.push(wire.disturb(fault));
      for (const link of network.clientLinks.filter(({ to }) => unreachable.some(({ id }) => id === to)))
        lift.push(link.forth.disturb(fault), link.back.disturb(fault));
      if (style === "reset") resetRefused(field);
    },
    during: () => field.hold(holdMs),
    heal: () => {
      for (const one of lift) one();
    },
  });
}

function resetRefused(field: Field): void {
  const { network } = field.cluster;
  for (const link of [...network.peerLinks, ...network.clientLinks])
    if (link.forth.refuse || link.back.refuse) link.reset();
}

function bothWays(some: readonly Member[], others: readonly Member[]): Broken {
  return some.flatMap((one) => others.flatMap((other) => [[one, other] as const, [other, one] as const]));
}

function without(field: Field, members: readonly Member[]): Member[] {
  return field.cluster.members.filter((member) => !members.includes(member));
}

const halves: Nemesis = {
  name: "partition-halves",
  about: "a minority and a majority do not hear each other",
  kind: "network",
  strike: (field, holdMs) => {
    const minority = field.minority();
    const broken = bothWays(minority, without(field, minority));
    return partition(field, { targets: minority, detail: `${named(minority)} cut off from the rest`, broken }, holdMs);
  },
};

const isolatedLeader: Nemesis = {
  name: "partition-leader",
  about: "nobody hears the leader, and it hears nobody; its clients still reach it",
  kind: "network",
  changesLeader: true,
  strike: async (field, holdMs) => {
    const leader = await field.leader();
    const broken = bothWays([leader], without(field, [leader]));
    // With its clients it is a machine without a network; without them they keep trusting it.
    const unreachable = field.random.chance(0.3) ? [leader] : [];
    await partition(
      field,
      { targets: [leader], detail: `the leader ${leader.id} isolated`, broken, unreachable },
      holdMs,
    );
  },
};

const bridge: Nemesis = {
  name: "partition-bridge",
  about: "two halves that only one server in the middle can reach",
  kind: "network",
  strike: (field, holdMs) => {
    const [middle, ...rest] = field.random.shuffled(field.cluster.members) as [Member, ...Member[]];
    const half = Math.ceil(rest.length / 2);
    const broken = bothWays(rest.slice(0, half), rest.slice(half));
    return partition(
      field,
      { targets: [middle], detail: `only server ${middle.id} reaches both halves`, broken },
      holdMs,
    );
  },
};

const ring: Nemesis = {
  name: "partition-ring",
  about: "every server hears a majority, and no two the same",
  kind: "network",
  lacks: ({ servers }) => (servers < 5 ? "a ring of majorities takes five servers" : null),
  strike: (field, holdMs) => {
    const order = field.random.shuffled(field.cluster.members);
    const count = order.length;
    const apart = (a: number, b: number) => Math.min((a - b + count) % count, (b - a + count) % count) > 1;
    const broken = order.flatMap((from, a) => order.filter((_, b) => apart(a, b)).map((to) => [from, to] as const));
    return partition(field, { targets: order, detail: `a ring of ${ids(order).join(", ")}`, broken }, holdMs);
  },
};

const oneWay: Nemesis = {
  name: "partition-one-way",
  about: "one server hears the others and is not heard, or is heard and does not hear",
  kind: "network",
  strike: async (field, holdMs) => {
    const one = field.random.chance(0.6) ? await field.leader() : await field.follower();
    const others = without(field, [one]);
    const mute = field.random.chance(0.5);
    const broken = others.map((other) => (mute ? ([one, other] as const) : ([other, one] as const)));
    const detail = mute ? `nobody hears server ${one.id}` : `server ${one.id} hears nobody`;
    await partition(field, { targets: [one], detail, broken }, holdMs);
  },
};

const clientsOnly: Nemesis = {
  name: "partition-clients",
  about: "clients cannot reach some of the servers, which reach each other",
  kind: "network",
  strike: async (field, holdMs) => {
    const leader = await field.leader();
    const unreachable = field.random.chance(0.5) ? [leader] : field.minority();
    const detail = `clients do not reach ${named(unreachable)}`;
    await partition(field, { targets: unreachable, detail, broken: [], unreachable }, holdMs);
  },
};

const quorumPorts: Nemesis = {
  name: "partition-quorum-ports",
  about: "the ports of Zab are cut while elections go through",
  kind: "network",
  changesLeader: true,
  strike: async (field, holdMs) => {
    const leader = await field.leader();
    const broken = bothWays([leader], without(field, [leader]));
    const detail = `quorum ports of the leader ${leader.id} cut, election ports not`;
    await partition(field, { targets: [leader], detail, broken, ports: ["quorum"] }, holdMs);
  },
};

const electionPorts: Nemesis = {
  name: "partition-election-ports",
  about: "the election ports are cut while the leader is replaced",
  kind: "network",
  strike: async (field, holdMs) => {
    const one = await field.follower();
    const broken = bothWays([one], without(field, [one]));
    const detail = `election ports of server ${one.id} cut, quorum ports not`;
    await partition(field, { targets: [one], detail, broken, ports: ["election"] }, holdMs);
  },
};

export const PARTITION_NEMESES: readonly Nemesis[] = [
  halves,
  isolatedLeader,
  bridge,
  ring,
  oneWay,
  clientsOnly,
  quorumPorts,
  electionPorts,
];
