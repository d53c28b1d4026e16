/**
 * What recovery must give back: a snapshot taken while txns went on, and the log after its zxid. Names and numbers are those
 * of the project's list of properties (I9, I10, I11, C3, C10, S5).
 */

/** A server that came back from its disk, compared with one that never went away, at one zxid. */
export interface RecoveredView {
  /** Paths whose node (data, ACL, stat, children) differs, and "sessions" where those do. */
  readonly differences: readonly string[];
  readonly digestsAgree: boolean;
  /** Ephemerals whose session does not exist. */
  readonly ownerless: readonly string[];
  /** Multis of which the tree holds a part. */
  readonly halfMultis: readonly string[];
  /** What the next sequential create would be answered, here and there: a path or an error. */
  readonly nextName: string;
  readonly expectedName: string;
}

interface RecoveryInvariant {
  readonly id: string;
  readonly name: string;
  readonly sentence: string;
  holds(recovered: RecoveredView): boolean;
}

export const REPLAY_INVARIANTS: readonly RecoveryInvariant[] = [
  {
    id: "I9",
    name: "ReplayIdempotence",
    sentence: "A fuzzy snapshot and the txns after its zxid give the tree of all txns, wherever the snapshot was cut.",
    holds: ({ differences }) => differences.length === 0,
  },
  {
    id: "I10",
    name: "DigestAgreement",
    sentence: "Servers that have processed the same zxid have the same digest.",
    holds: ({ digestsAgree }) => digestsAgree,
  },
  {
    id: "S5",
    name: "EphemeralsHaveSessions",
    sentence: "An ephemeral exists only while its session does, also in a tree that was put together by recovery.",
    holds: ({ ownerless }) => ownerless.length === 0,
  },
  {
    id: "C3",
    name: "MultiIsWhole",
    sentence: "Of a multi all changes are in the tree or none.",
    holds: ({ halfMultis }) => halfMultis.length === 0,
  },
  {
    id: "C10",
    name: "SequentialNamesGoOn",
    sentence: "Names of sequential nodes come from the parent's counter, and are never used again.",
    holds: ({ nextName, expectedName }) => nextName === expectedName,
  },
];

/** A leader's proposals. */
export interface ProposedView {
  readonly epoch: number;
  /** Zxids of its proposals, oldest first: epoch and counter. */
  readonly proposed: readonly { readonly epoch: number; readonly counter: number }[];
}

export const COUNTER_INVARIANTS = [
  {
    id: "I11",
    name: "CounterBound",
    sentence: "The counter never runs into the epoch: what a leader proposes is of its epoch.",
    holds: ({ epoch, proposed }: ProposedView) => proposed.every((zxid) => zxid.epoch === epoch),
  },
] as const;
