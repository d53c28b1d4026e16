/**
 * Servers are alike while an oracle elects: renaming them all changes nothing. (Not so with fast leader election, where votes
 * tie-break on server ids.)
 */

import type { GhostView } from "../../../spec/invariants/zab-view.ts";
import type { PeerContext } from "../../../spec/peer/setup.ts";
import type { ServerId } from "../../../spec/vocabulary.ts";
import { hashText } from "../../checker/fingerprint.ts";
import type { Symmetry, Words } from "../../checker/model.ts";
import type { ZabLayout } from "./layout.ts";
import type { ServerState } from "./server-state.ts";
import type { ZabWorld } from "./world.ts";

type Rename = (id: ServerId) => ServerId;

export function zabSymmetry(world: ZabWorld, at: ZabLayout): Symmetry {
  const permutations = permutationsOf(at.servers);
  const renames = permutations.map(
    (to): Rename =>
      (id) =>
        ((to[id - 1] as number) + 1) as ServerId,
  );
  const servers = permutations.map((): number[] => []);
  const ghosts = permutations.map((): number[] => []);
  const signatures: number[] = [];
  const serverPool = world.servers.machine.snapshots;
  const ghostPool = world.ghosts.snapshots;
  const lo = new Int32Array(1);
  const hi = new Int32Array(1);

  const renamedServer = (permutation: number, id: number): number => {
    const known = servers[permutation] as number[];
    let renamed = known[id];
    if (renamed === undefined) {
      renamed = serverPool.intern(renameServer(serverPool.get(id), renames[permutation] as Rename));
      known[id] = renamed;
    }
    return renamed;
  };
  const renamedGhost = (permutation: number, id: number): number => {
    const known = ghosts[permutation] as number[];
    let renamed = known[id];
    if (renamed === undefined) {
      renamed = ghostPool.intern(renameGhost(ghostPool.get(id), renames[permutation] as Rename));
      known[id] = renamed;
    }
    return renamed;
  };
  const signature = (id: number): number => {
    const known = signatures[id];
    if (known !== undefined) return known;
    hashText(signatureText(serverPool.get(id)), lo, hi, 0);
    signatures[id] = lo[0] as number;
    return lo[0] as number;
  };

  /** Renamings by which pairs of neighbours in the order of signatures are equal: few, and mostly one. */
  const byTies = new Map<number, readonly number[]>();
  const order = new Int32Array(at.servers);

  return {
    size: permutations.length,
    permute: (words, permutation, into) => {
      const to = permutations[permutation] as readonly number[];
      for (let i = 0; i < at.servers; i++) into[to[i] as number] = renamedServer(permutation, words[i] as number);
      for (let learner = 0; learner < at.servers; learner++)
        for (let leader = 0; leader < at.servers; leader++)
          if (learner !== leader)
            into[at.pair(to[learner] as number, to[leader] as number)] = words[at.pair(learner, leader)] as number;
      into[at.ghost] = renamedGhost(permutation, words[at.ghost] as number);
      into[at.budget] = words[at.budget] as number;
    },
    candidates: (words: Words) => {
      let key = 0;
      for (let i = 0; i < at.servers; i++) order[i] = signature(words[i] as number);
      // Which of each two comes first, or neither: that alone decides.
      for (let i = 0; i < at.servers; i++)
        for (let j = i + 1; j < at.servers; j++)
          key = key * 3 + Math.sign((order[i] as number) - (order[j] as number)) + 1;
      const known = byTies.get(key);
      if (known !== undefined) return known;
      const found = permutations.flatMap((to, permutation) => (isSorted(to, order) ? [permutation] : []));
      byTies.set(key, found);
      return found;
    },
  };
}

/** Does the renaming put the servers into the order of their signatures? */
function isSorted(to: readonly number[], signatures: Int32Array): boolean {
  return to.every((place, i) =>
    to.every((other, j) => place <= other || (signatures[i] as number) >= (signatures[j] as number)),
  );
}

/** What of a server no renaming changes. */
function signatureText({ peer, disk, tree, window, learner, leader }: ServerState): string {
  const { acceptedEpoch, currentEpoch, lastZxid, newEpoch } = peer.context as PeerContext;
  const links = leader?.learners.map(({ chart, highestAck }) => JSON.stringify([chart.value, highestAck])).sort();
  const cores = [
    learner?.history,
    learner?.broadcast,
    leader?.broadcast?.outstanding,
    leader?.broadcast?.lastCommitted,
  ];
  return JSON.stringify([
    peer.value,
    acceptedEpoch,
    currentEpoch,
    lastZxid,
    newEpoch,
    disk,
    tree,
    window,
    links,
    cores,
  ]);
}

function renameServer(state: ServerState, to: Rename): ServerState {
  const { peer, leader, learner } = state;
  const context = peer.context as PeerContext;
  const all = (ids: readonly ServerId[]): readonly ServerId[] => ids.map(to).sort((a, b) => a - b);
  return {
    ...state,
    self: to(state.self),
    peer: {
      ...peer,
      context: {
        ...context,
        self: to(context.self),
        leader: context.leader === null ? null : to(context.leader),
        joined: all(context.joined),
        epochAcked: all(context.epochAcked),
        synced: all(context.synced),
      },
    },
    leader:
      leader === null
        ? null
        : {
            ...leader,
            learners: leader.learners
              .map((learner) => ({ ...learner, from: to(learner.from), chart: renameHandler(learner.chart, to) }))
              .sort((a, b) => a.from - b.from || a.slot - b.slot),
            broadcast:
              leader.broadcast === null
                ? null
                : {
                    ...leader.broadcast,
                    ackedUpTo: leader.broadcast.ackedUpTo
                      .map(([id, zxid]) => [to(id), zxid] as const)
                      .sort(([a], [b]) => a - b),
                  },
          },
    learner: learner === null ? null : { ...learner, leader: to(learner.leader) },
  };
}

function renameHandler<T extends { readonly context: unknown }>(chart: T, to: Rename): T {
  const context = chart.context as { readonly sid: ServerId | null };
  return { ...chart, context: { ...context, sid: context.sid === null ? null : to(context.sid) } };
}

function renameGhost(ghost: GhostView, to: Rename): GhostView {
  const established = ghost.established.map(([epoch, leader]) => [epoch, to(leader)] as const);
  return { ...ghost, established: established.sort((a, b) => a[0] - b[0] || a[1] - b[1]) };
}

/** The identity first. `permutation[i]` is where i goes. */
function permutationsOf(size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]];
  return permutationsOf(size - 1).flatMap((rest) =>
    Array.from({ length: size }, (_, at) => [...rest.slice(0, size - 1 - at), size - 1, ...rest.slice(size - 1 - at)]),
  );
}
