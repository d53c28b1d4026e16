/**
 * What only elections and Zab together can get wrong: what a server tells its election, and when. The oracle of MC1 sees into the
 * servers and needs not be told; in MC4 the model itself tells.
 */

import { peerMachine } from "../../spec/peer/peer.machine.ts";
import type { PeerContext } from "../../spec/peer/setup.ts";
import { ZERO_ZXID } from "../../spec/vocabulary.ts";
import type { Mutant } from "../checker/check.ts";
import { CRASH, LATE, START } from "../models/joined/joined-checks.ts";
import { type JoinedBounds, joinedBoundsText, joinedModel } from "../models/joined/joined-model.ts";
import { Member } from "../models/zab/member.ts";
import type { ServerOutput } from "../models/zab/outputs.ts";
import { PRODUCTION, type ZabParts } from "../models/zab/parts.ts";
import { changed } from "./chart-variants.ts";

interface JoinedMutant {
  readonly story: string;
  readonly parts: Partial<ZabParts>;
  readonly bounds: JoinedBounds;
  readonly killer: string;
  readonly depth: number;
}

/** The peer chart, with another word to its election. */
function telling(vote: (context: PeerContext) => Pick<PeerContext, "currentEpoch" | "lastZxid">): Partial<ZabParts> {
  const peer = changed(peerMachine, {
    looking: (node) => {
      const [forget] = node.entry as unknown[];
      const params = ({ context }: { readonly context: PeerContext }) => {
        const { currentEpoch, lastZxid } = vote(context);
        return { type: "election.start", zxid: lastZxid, currentEpoch };
      };
      node.entry = [forget, { type: "effect", params }];
    },
  });
  return { peer };
}

/** A server of whose outputs some do not reach its election. */
function silent(isLost: (output: ServerOutput, member: Member) => boolean): Partial<ZabParts> {
  return {
    Member: class extends Member {
      override out(output: ServerOutput): void {
        if (!isLost(output, this)) super.out(output);
      }
    },
  };
}

function mutant(name: string, { parts, bounds, ...known }: JoinedMutant): Mutant {
  const load = async () => joinedModel({ bounds, parts: { ...PRODUCTION, ...parts }, goals: [], only: known.killer });
  return { name, bounds: joinedBoundsText(bounds), load, ...known };
}

export const JOINED_PARTS = {
  promised: telling(({ acceptedEpoch, lastZxid }) => ({ currentEpoch: acceptedEpoch, lastZxid })),
  empty: telling(({ currentEpoch }) => ({ currentEpoch, lastZxid: ZERO_ZXID })),
  leaderSilent: silent(({ type }, member) => type === "serves" && member.peer.matches("leading")),
  stays: silent(({ type }) => type === "looks"),
} satisfies Record<string, Partial<ZabParts>>;

export const JOINED_MUTANTS: readonly Mutant[] = [
  mutant("M40 a promised epoch is voted with", {
    story:
      "A server tells its election the epoch that it has accepted for the one of its history: whoever was last promised an " +
      "epoch wins, whatever its log holds. Discovery refuses such a leader, and the next election elects it again.",
    parts: JOINED_PARTS.promised,
    bounds: CRASH,
    killer: "E3 ElectedIsMostRecent",
    depth: 21,
  }),
  mutant("M40 a server votes without its log", {
    story: "The last txn is not told to the election: within an epoch the largest server id wins.",
    parts: JOINED_PARTS.empty,
    bounds: CRASH,
    killer: "E3 ElectedIsMostRecent",
    depth: 8,
  }),
  mutant("M40 a leader keeps its epoch from its election", {
    story: "It goes on answering with the vote it was elected by: beside its followers' answers that makes no quorum.",
    parts: JOINED_PARTS.leaderSilent,
    bounds: LATE,
    killer: "L1 AllInStep",
    depth: 18,
  }),
  mutant("M40 an election outlives its role", {
    story: "A server that has given up its role does not look anew: its old vote stands, and misleads those who ask.",
    parts: JOINED_PARTS.stays,
    bounds: START,
    killer: "L1 AllInStep",
    depth: 8,
  }),
];
