/** Each production chart with the rigs that its paths are replayed on. */
import type { AnyMachineSnapshot, AnyStateMachine, EventObject } from "xstate";
import { clientConnectionMachine } from "../../spec/connection/client-connection.machine.ts";
import { serverConnectionMachine } from "../../spec/connection/server-connection.machine.ts";
import { type ElectionContext, electionMachine } from "../../spec/election/election.machine.ts";
import { learnerHandlerMachine } from "../../spec/ensemble/learner-handler.machine.ts";
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import { MAX_CONNECT_ATTEMPTS } from "../../spec/peer/setup.ts";
import { sessionMachine } from "../../spec/session/session.machine.ts";
import type { Epoch } from "../../spec/vocabulary.ts";
import type { Alphabet } from "./pair-graph.ts";
import type { Rig } from "./replay.ts";
import { CLIENT_TIMEOUT_MS, ClientRig, type ClientVariant, clientAlphabet } from "./rigs/client-rig.ts";
import { ConnectionRig, connectionAlphabet } from "./rigs/connection-rig.ts";
import { ElectionRig, type ElectionVariant, electionAlphabet } from "./rigs/election-rig.ts";
import {
  HANDLER_INIT_LIMIT_MS,
  type HandlerVariant,
  handlerAlphabet,
  LearnerHandlerRig,
} from "./rigs/learner-handler-rig.ts";
import { type PeerVariant, peerAlphabet } from "./rigs/peer-alphabet.ts";
import { EMPTY, lastZxidOf, USED } from "./rigs/peer-disks.ts";
import { INIT_LIMIT_MS, PeerRig } from "./rigs/peer-rig.ts";
import { SessionRig, sessionAlphabet } from "./rigs/session-rig.ts";

const EPOCH = 3 as Epoch;

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

function electionSetting(name: string, leastPairs: number, variant: ElectionVariant): Setting {
  const { self, voters } = variant;
  return {
    name,
    leastPairs,
    input: { self, quorum: { voters } },
    alphabet: electionAlphabet(variant),
    memory: (snapshot) => {
      const { ballots, unreachable } = snapshot.context as ElectionContext;
      return `${Object.keys(ballots)} ${unreachable.length}`;
    },
    // Votes come through channels, and those of servers with smaller ids only after LOOK has called them.
    seeds: talking(variant),
    rig: () => new ElectionRig(variant),
  };
}

function talking({ self, voters, observers, zxid }: ElectionVariant): EventObject[][] {
  const look = { type: "LOOK", zxid, currentEpoch: 1 };
  const up = [...voters, ...observers].filter((id) => id !== self).map((peer) => ({ type: "CHANNEL_UP", peer }));
  const early = up.filter(({ peer }) => peer > self);
  return [[look, ...up], [...early, look], [...early]];
}

const three = { voters: [1, 2, 3], observers: [4], standalone: false, disk: USED } as const;

function handlerSetting(name: string, leastPairs: number, variant: HandlerVariant): Setting {
  return {
    name,
    leastPairs,
    input: { ...variant, initLimitMs: HANDLER_INIT_LIMIT_MS },
    alphabet: handlerAlphabet,
    memory: (snapshot) => {
      const { epochAnnounced, synchronizing, serving } = snapshot.context as HandlerVariant;
      return `${epochAnnounced} ${synchronizing} ${serving}`;
    },
    rig: () => new LearnerHandlerRig(variant),
  };
}

function clientSetting(name: string, leastPairs: number, variant: ClientVariant): Setting {
  const { servers } = variant;
  return {
    name,
    leastPairs,
    input: { timeoutMs: CLIENT_TIMEOUT_MS, servers },
    alphabet: clientAlphabet,
    memory: (snapshot) => `${(snapshot.context as { attempts: number }).attempts % servers}`,
    rig: () => new ClientRig(variant),
  };
}

function connectionSetting(name: string, leastPairs: number, returns: boolean): Setting {
  const rig = () => new ConnectionRig(returns);
  return { name, leastPairs, input: undefined, alphabet: connectionAlphabet, rig };
}

export const CHARTS_UNDER_TEST: readonly ChartUnderTest[] = [
  {
    machine: electionMachine,
    settings: [
      electionSetting("a voter of three", 100, { self: 2, voters: [1, 2, 3], observers: [4], zxid: 5 }),
      electionSetting("the largest voter", 100, { self: 3, voters: [1, 2, 3], observers: [], zxid: 5 }),
      electionSetting("a voter without history", 50, { self: 2, voters: [1, 2, 3], observers: [], zxid: -1 }),
      electionSetting("an observer", 50, { self: 1, voters: [2, 3, 4], observers: [1], zxid: 5 }),
      electionSetting("the only voter", 3, { self: 1, voters: [1], observers: [4], zxid: 5 }),
    ],
  },
  {
    machine: learnerHandlerMachine,
    settings: [
      handlerSetting("from the beginning", 100, { epochAnnounced: null, synchronizing: false, serving: false }),
      handlerSetting("of an epoch that is announced", 80, {
        epochAnnounced: EPOCH,
        synchronizing: false,
        serving: false,
      }),
      handlerSetting("late, to a leader that serves", 60, {
        epochAnnounced: EPOCH,
        synchronizing: true,
        serving: true,
      }),
    ],
  },
  {
    machine: sessionMachine,
    settings: [
      {
        name: "a session",
        leastPairs: 50,
        input: undefined,
        alphabet: sessionAlphabet,
        rig: () => new SessionRig(),
      },
    ],
  },
  {
    machine: clientConnectionMachine,
    settings: [
      clientSetting("of two servers", 200, { servers: 2, credentials: false }),
      clientSetting("of one server, with credentials", 200, { servers: 1, credentials: true }),
    ],
  },
  {
    machine: serverConnectionMachine,
    settings: [
      connectionSetting("that asks for a session", 30, false),
      connectionSetting("that comes back to its session", 30, true),
    ],
  },
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
