/** What holds of sessions and their ephemerals (S1–S9), as far as a leader, its followers and their clients show it. */

export interface LoggedTxn {
  readonly zxid: number;
  readonly session: string;
  readonly cxid: number;
  /** "error": it took a zxid and changed nothing. */
  readonly kind: "open" | "close" | "write" | "error";
  /** Path written to; "" for none. */
  readonly path: string;
  /** It creates an ephemeral there. */
  readonly ephemeral: boolean;
  /** The server through which it came, and the one that owned the session then; 0: the leader's own wish. */
  readonly via: number;
  readonly owner: number;
  /** Of a session that expired: ticks since its client was last heard of, and since this leader began; else null. */
  readonly expired: { readonly silentTicks: number; readonly ledTicks: number } | null;
}

export interface SessionWorld {
  readonly timeoutTicks: number;
  /** Ticks since the beginning, and since this leader began. */
  readonly now: number;
  readonly ledSince: number;
  /** When the leader last heard of the clients' sessions. */
  readonly heard: Readonly<Record<string, number>>;
  readonly log: readonly LoggedTxn[];
  readonly servers: readonly {
    readonly zxid: number;
    readonly digest: string;
    /** Ephemerals whose session this server does not know. */
    readonly ownerless: readonly string[];
    /** "path session", sorted. */
    readonly ephemerals: readonly string[];
  }[];
  readonly clients: readonly {
    readonly phase: string;
    readonly session: string;
    /** It knows the password of its session. */
    readonly honest: boolean;
    /** A reply said SESSIONMOVED. */
    readonly toldMoved: boolean;
  }[];
}

export const SESSION_INVARIANTS = [
  {
    id: "S1",
    name: "SessionIdsAreNew",
    sentence: "No session id is given out twice.",
    holds: ({ log }: SessionWorld) => distinct(log.filter(({ kind }) => kind === "open").map(({ session }) => session)),
  },
  {
    id: "S1",
    name: "PasswordIsChecked",
    sentence: "Nobody gets a session without its password.",
    holds: ({ clients }: SessionWorld) =>
      clients.every(({ phase, honest, session }) => {
        return honest || phase !== "connected" || !clients.some((other) => other.honest && other.session === session);
      }),
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
    id: "S4",
    name: "CloseDeletesItsEphemerals",
    sentence: "closeSession deletes the ephemerals of its session, all of them and no others, in that very txn.",
    holds: ({ log, servers }: SessionWorld) =>
      servers.every(({ zxid, ephemerals }) => ephemerals.join() === ephemeralsAt(log, zxid).join()),
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
    id: "S6",
    name: "NobodyIsToldMoved",
    sentence:
      "A client whose session another server took over is not told so for ever: its connection ends, it comes back.",
    holds: ({ clients }: SessionWorld) => clients.every(({ toldMoved }) => !toldMoved),
  },
  {
    id: "S7",
    name: "LeaderChangeRestartsTimeouts",
    sentence: "A new leader gives every session its full timeout again.",
    holds: ({ log, timeoutTicks }: SessionWorld) =>
      log.every(({ expired }) => expired === null || expired.ledTicks >= timeoutTicks),
  },
  {
    id: "S8",
    name: "DeadSessionsEnd",
    sentence: "A session whose client is silent, and its ephemerals, are gone within twice its timeout.",
    holds: ({ log, heard, now, ledSince, timeoutTicks }: SessionWorld) =>
      Object.entries(heard).every(([session, last]) => {
        const silent = now - Math.max(last, ledSince);
        return silent <= 2 * timeoutTicks || isClosed(log, session) || !isOpened(log, session);
      }),
  },
  {
    id: "S9",
    name: "ExpiredOnlyIfClosed",
    sentence: "A client hears that its session has expired only when it was closed.",
    holds: ({ log, clients }: SessionWorld) =>
      clients.every(({ phase, session, honest }) => phase !== "expired" || !honest || isClosed(log, session)),
  },
  {
    id: "I10",
    name: "DigestAgreement",
    sentence: "Servers that have processed the same zxid have the same tree.",
    holds: ({ servers }: SessionWorld) =>
      servers.every((one) => servers.every((other) => one.zxid !== other.zxid || one.digest === other.digest)),
  },
] as const;

/** "path session" of what the txns up to a zxid have left. */
function ephemeralsAt(log: readonly LoggedTxn[], zxid: number): string[] {
  const applied = log.filter((txn) => txn.zxid <= zxid);
  return applied
    .filter(({ kind, ephemeral }) => kind === "write" && ephemeral)
    .filter(({ session, zxid: created }) => {
      return !applied.some((txn) => txn.kind === "close" && txn.session === session && txn.zxid > created);
    })
    .map(({ path, session }) => `${path} ${session}`)
    .sort();
}

function isOpened(log: readonly LoggedTxn[], session: string): boolean {
  return log.some((txn) => txn.kind === "open" && txn.session === session);
}

function isClosed(log: readonly LoggedTxn[], session: string): boolean {
  return log.some((txn) => txn.kind === "close" && txn.session === session);
}

function isMute({ kind, session }: LoggedTxn, closed: string): boolean {
  // Client and expiry may close it in the same moment.
  return session !== closed || kind === "error" || kind === "close";
}

function distinct(values: readonly string[]): boolean {
  return new Set(values).size === values.length;
}
