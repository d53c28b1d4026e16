/**
 * Payloads to feed the charts with in random walks: small pools of values, so that numbers meet, votes agree and epochs
 * match often enough. An event without payload needs no entry.
 */
import fc from "fast-check";
import type { AnyStateMachine, EventFromLogic, EventObject, InputFrom } from "xstate";
import { clientConnectionMachine } from "../../spec/connection/client-connection.machine.ts";
import { serverConnectionMachine } from "../../spec/connection/server-connection.machine.ts";
import { electionMachine } from "../../spec/election/election.machine.ts";
import { learnerHandlerMachine } from "../../spec/ensemble/learner-handler.machine.ts";
import { peerMachine } from "../../spec/peer/peer.machine.ts";
import type { QuorumConfig } from "../../spec/quorum.ts";
import { sessionMachine } from "../../spec/session/session.machine.ts";
import { recoveryMachine } from "../../spec/storage/recovery.machine.ts";
import type { Cut } from "../../spec/storage/recovery-setup.ts";
import { type Epoch, makeZxid, type PeerState, type ServerId, type Vote, type Zxid } from "../../spec/vocabulary.ts";

export interface ChartSamples {
  readonly input: fc.Arbitrary<unknown>;
  readonly payloads: Readonly<Record<string, fc.Arbitrary<object>>>;
}

type PayloadOf<E extends EventObject, T> = E extends { type: infer U }
  ? T extends U
    ? Omit<E, "type">
    : never
  : never;
type WithPayload<E extends EventObject> = {
  [T in E["type"]]: Record<never, never> extends PayloadOf<E, T> ? never : T;
}[E["type"]];
type Payloads<E extends EventObject> = { readonly [T in WithPayload<E>]: fc.Arbitrary<PayloadOf<E, T>> };

function samples<M extends AnyStateMachine>(
  machine: M,
  input: fc.Arbitrary<InputFrom<M>>,
  payloads: Payloads<EventFromLogic<M>>,
): readonly [string, ChartSamples] {
  return [machine.id, { input, payloads: payloads as ChartSamples["payloads"] }];
}

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const record = fc.record;
const ids = (...numbers: number[]) => numbers as ServerId[];
const server = pick(...ids(1, 2, 3));
const epoch = pick(0, 1, 2) as fc.Arbitrary<Epoch>;
const zxid: fc.Arbitrary<Zxid> = pick(makeZxid(0, 0), makeZxid(0, 7), makeZxid(1, 0), makeZxid(1, 3), makeZxid(2, 0));
const reason = pick("closed", "reset");
const quorum: fc.Arbitrary<QuorumConfig> = pick({ voters: ids(1, 2, 3) }, { voters: ids(1) }, { voters: ids(2, 3) });
const vote: fc.Arbitrary<Vote> = record({ leader: server, zxid, electionEpoch: pick(0, 1, 2, 3), peerEpoch: epoch });
const none = fc.constant({});

const peer = samples(
  peerMachine,
  record({
    self: server,
    kind: pick("participant", "observer"),
    standalone: pick(false, false, false, true),
    quorum,
    initLimitMs: fc.constant(20_000),
  }),
  {
    RECOVERED: record({ lastZxid: zxid, acceptedEpoch: epoch, currentEpoch: epoch }),
    STORAGE_FAILED: record({ code: fc.constant("EIO"), message: fc.constant("read failed") }),
    ACCEPTED_EPOCH_WRITTEN: record({ epoch }),
    CURRENT_EPOCH_WRITTEN: record({ epoch }),
    LOG_TRUNCATED: record({ lastZxid: zxid, currentEpoch: epoch }),
    SNAPSHOT_RECEIVED: record({ zxid }),
    SNAPSHOT_TAKEN: record({ zxid }),
    SETTLED: record({ lastZxid: zxid }),
    LOG_APPENDED: record({ upTo: zxid }),
    ELECTED: record({ leader: server }),
    LEADER_LOST: record({ reason }),
    LEADERINFO: record({ epoch }),
    DIFF: record({ zxid }),
    TRUNC: record({ zxid }),
    SNAP: record({ zxid }),
    NEWLEADER: record({ epoch }),
    LEARNER_JOINED: record({ from: server, voter: fc.boolean(), acceptedEpoch: epoch }),
    EPOCH_ACKED: record({ from: server, voter: fc.boolean(), currentEpoch: pick(-1, 0, 1), lastZxid: zxid }),
    NEWLEADER_ACKED: record({ from: server, voter: fc.boolean() }),
    LEARNER_LEFT: record({ from: server }),
    LISTEN_FAILED: record({ message: fc.constant("EADDRINUSE") }),
  },
);

const election = samples(electionMachine, record({ self: server, quorum }), {
  LOOK: record({ zxid, currentEpoch: epoch }),
  NOTIFICATION: record({
    from: server,
    vote,
    state: pick<PeerState>("LOOKING", "LOOKING", "LOOKING", "FOLLOWING", "LEADING", "OBSERVING"),
  }),
  CHANNEL_UP: record({ peer: server }),
  CHANNEL_DOWN: record({ peer: server }),
  EPOCH_ESTABLISHED: record({ epoch }),
});

const learnerHandler = samples(
  learnerHandlerMachine,
  record({
    epochAnnounced: pick(null, 1 as Epoch),
    synchronizing: fc.boolean(),
    serving: fc.boolean(),
    initLimitMs: fc.constant(20_000),
  }),
  {
    FOLLOWERINFO: record({ sid: server, acceptedEpoch: epoch }),
    OBSERVERINFO: record({ sid: server, acceptedEpoch: epoch }),
    ACKEPOCH: record({ currentEpoch: pick(-1, 0, 1), lastZxid: zxid }),
    ACK: record({ zxid }),
    BAD_PACKET: record({ reason }),
    EPOCH_ANNOUNCED: record({ epoch }),
    LINK_CLOSED: record({ reason }),
  },
);

const clientConnection = samples(
  clientConnectionMachine,
  record({ timeoutMs: fc.constant(30_000), servers: pick(1, 3) }),
  { SESSION_ESTABLISHED: record({ timeoutMs: pick(4_000, 30_000), readOnly: fc.boolean() }) },
);

const failure = fc.constant({ code: "EIO", message: "read failed", file: "log/log.1", offset: 16 });
const maybeEpoch = pick(null, 0, 1, 2) as fc.Arbitrary<Epoch | null>;

const recovery = samples(
  recoveryMachine,
  record({
    truncateTo: pick(null, null, makeZxid(0, 7)),
    epochFiles: fc.boolean(),
    autoCreate: fc.boolean(),
    trustEmptySnapshot: fc.boolean(),
  }),
  {
    LISTED: record({
      snapshots: pick<readonly string[]>([], ["snapshot.0"], ["snapshot.7", "snapshot.0"]),
      hasLogs: fc.boolean(),
      initialize: fc.boolean(),
    }),
    LOGS_HOLD_TXNS: record({ file: fc.constant("log/log.1") }),
    REPLAYED: record({
      lastZxid: zxid,
      cuts: pick<readonly Cut[]>(
        [],
        [{ kind: "removeLog", file: "log.8" }],
        [
          { kind: "removeSnapshot", file: "snapshot.9" },
          { kind: "truncateLog", file: "log.1", length: 100 },
        ],
      ),
    }),
    EPOCHS_READ: record({ currentEpoch: maybeEpoch, acceptedEpoch: maybeEpoch, unfinishedEpoch: maybeEpoch }),
    DATA_REFUSED: record({ failure }),
    DISK_FAILED: record({ failure }),
  },
);

const all = [
  peer,
  election,
  learnerHandler,
  recovery,
  clientConnection,
  samples(serverConnectionMachine, none, {}),
  samples(sessionMachine, none, {}),
];

/** By the chart's id. */
export const chartSamples: Readonly<Record<string, ChartSamples>> = Object.fromEntries(all);
