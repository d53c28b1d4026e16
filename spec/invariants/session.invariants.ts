/** What holds of sessions and their ephemerals (S1–S9), as far as a leader, its followers and their clients show it. */

export interface LoggedTxn {
  readonly zxid: number;
  readonly session: string;
  readonly cxid: number;
  /** "error": it took a zxid and changed nothing. */
  readonly kind: "open" | "close" | "write" | "error";
  /** Path written to; "" for none. */
  readonly path: string;
  /** The server through which it came, and the one that owned the session then; 0: the leader's own wish. */
  readonly via: number;
  readonly owner: number;
  /** Of a session that expired: ticks since its client was last heard of, and since this leader began; else null. */
  readonly expired: { readonly silentTicks: number; readonly ledTicks: number } | null;
}

export interface SessionWorld {
  readonly timeoutTicks: number;
  readonly log: readonly LoggedTxn[];
  readonly servers: readonly {
    readonly zxid: number;
    readonly digest: string;
    /** Ephemerals whose session this server does not know. */
    readonly ownerless: readonly string[];
  }[];
  readonly clients: readonly { readonly phase: string; readonly session: string }[];
}

export const SESSION_INVARIANTS = [
  {
    id: "S1",
    name: "SessionIdsAreNew",
    sentence: "No session id is given out twice.",
    holds: ({ log }: SessionWorld) => distinct(log.filter(({ kind }) => kind === "open").map(({ session }) => session)),
  },
  {
    id: "S2",
    name: "ExpiryNotEarly",
    sentence: "A session expires only after its client was silent for the whole timeout.",
    holds: ({ log, timeoutTicks }: SessionWorld) =>
      log.every(({ expired }) => expired === null || expired.silentTicks >= timeoutTicks),
  },
  {
    id: "S3",
    name: "CloseIsFinal",
    sentence: "After its closeSession nothing of a session succeeds.",
    holds: ({ log }: SessionWorld) =>
      log.every(
        ({ kind, session }, at) => kind !== "close" || log.slice(at + 1).every((later) => isMute(later, session)),
      ),
  },
  {
    id: "S5",
    name: "EphemeralsHaveSessions",
    sentence: "On every server an ephemeral exists only while its session does.",
    holds: ({ servers }: SessionWorld) => servers.every(({ ownerless }) => ownerless.length === 0),
  },
  {
    id: "S6",
    name: "OneOwner",
    sentence: "A session writes only through the server that owns it.",
    holds: ({ log }: SessionWorld) =>
      log.every(({ kind, via, owner }) => kind === "error" || via === 0 || via === owner),
  },
  {
    id: "S7",
    name: "LeaderChangeRestartsTimeouts",
    sentence: "A new leader gives every session its full timeout again.",
    holds: ({ log, timeoutTicks }: SessionWorld) =>
      log.every(({ expired }) => expired === null || expired.ledTicks >= timeoutTicks),
  },
  {
    id: "S9",
    name: "ExpiredOnlyIfClosed",
    sentence: "A client hears that its session has expired only when it was closed.",
    holds: ({ log, clients }: SessionWorld) =>
      clients.every(
        ({ phase, session }) =>
          phase !== "expired" || log.some((txn) => txn.kind === "close" && txn.session === session),
      ),
  },
  {
    id: "I10",
    name: "DigestAgreement",
    sentence: "Servers that have processed the same zxid have the same tree.",
    holds: ({ servers }: SessionWorld) =>
      servers.every((one) => servers.every((other) => one.zxid !== other.zxid || one.digest === other.digest)),
  },
] as const;

function isMute({ kind, session }: LoggedTxn, closed: string): boolean {
  // Client and expiry may close it in the same moment.
  return session !== closed || kind === "error" || kind === "close";
}

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
