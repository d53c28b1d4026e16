/** Each production chart with the rigs that its paths are replayed on. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import { MAX_CONNECT_ATTEMPTS } from "../../spec/peer/setup.ts";
import type { Alphabet } from "./pair-graph.ts";
import type { Rig } from "./replay.ts";
import { type PeerVariant, peerAlphabet } from "./rigs/peer-alphabet.ts";
import { EMPTY, lastZxidOf, USED } from "./rigs/peer-disks.ts";
import { INIT_LIMIT_MS, PeerRig } from "./rigs/peer-rig.ts";

export interface Setting {
  readonly name: string;
  /** Pairs of transitions that were taken when this was written: fewer means that paths have become impossible. */
  readonly leastPairs: number;
  readonly input: unknown;
  readonly alphabet: Alphabet;
  /** Paths that chance does not find. */
  readonly seeds?: readonly (readonly EventObject[])[];
  /** What of the chart's memory decides which way guards go, where its state and last transition do not say. */
  readonly memory?: (snapshot: AnyMachineSnapshot) => string;
  rig(): Rig;
}

export interface ChartUnderTest {
  readonly machine: AnyStateMachine;
  readonly settings: readonly Setting[];
}

function peerSetting(name: string, leastPairs: number, variant: PeerVariant): Setting {
  const { self, kind, standalone, voters } = variant;
  return {
    name,
    leastPairs,
    input: { self, kind, standalone, quorum: { voters }, initLimitMs: INIT_LIMIT_MS },
    alphabet: peerAlphabet(variant),
    seeds: standalone || voters.length === 1 ? [] : [leaderNeverListens(variant)],
    rig: () => new PeerRig(variant),
  };
}

/** A learner tries as often as it may, and gives up. */
function leaderNeverListens({ disk, kind, voters }: PeerVariant): EventObject[] {
  const { acceptedEpoch, currentEpoch } = disk;
  const retry = `xstate.after.connectRetry.peer.${kind === "observer" ? "observing" : "following"}.discovery.retrying`;
  const start = [
    { type: "RECOVERED", lastZxid: lastZxidOf(disk), acceptedEpoch, currentEpoch },
    { type: "ELECTED", leader: voters.at(-1) },
  ];
  const tries = Array.from({ length: MAX_CONNECT_ATTEMPTS }, () => [
    { type: "LEADER_CONNECT_FAILED" },
    { type: retry },
  ]);
  return [...start, ...tries.flat(), { type: "LEADER_CONNECT_FAILED" }];
}

const three = { voters: [1, 2, 3], observers: [4], standalone: false, disk: USED } as const;

export const CHARTS_UNDER_TEST: readonly ChartUnderTest[] = [
  {
    machine: peerMachine,
    settings: [
      peerSetting("a voter of three", 450, { ...three, self: 2, kind: "participant" }),
      peerSetting("a voter with an empty disk", 300, { ...three, self: 2, kind: "participant", disk: EMPTY }),
      peerSetting("a voter of five", 400, { ...three, self: 2, kind: "participant", voters: [1, 2, 3, 5, 6] }),
      peerSetting("an observer", 200, { ...three, self: 4, kind: "observer" }),
      peerSetting("the only voter", 40, { ...three, self: 1, kind: "participant", voters: [1], observers: [4] }),
      peerSetting("a server alone", 4, {
        ...three,
        self: 0,
        kind: "participant",
        voters: [0],
        observers: [],
        standalone: true,
        disk: EMPTY,
      }),
    ],
  },
];

export function settingOf({ settings, machine }: ChartUnderTest, name: string): Setting {
  const setting = settings.find((it) => it.name === name);
  if (setting === undefined) throw new Error(`${machine.id} has no setting "${name}".`);
  return setting;
}
