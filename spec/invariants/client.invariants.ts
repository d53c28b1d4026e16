/** What a client may rely on (C2, C4, C6). */

import type { LoggedTxn } from "./session.invariants.ts";

export interface ClientWorld {
  readonly log: readonly LoggedTxn[];
  /** Zxid up to which a quorum has everything. */
  readonly committedZxid: number;
  readonly clients: readonly {
    /** Largest zxid of a reply; whether a later reply carried a smaller one. */
    readonly seenZxid: number;
    readonly wentBack: boolean;
  }[];
  /** Per connection: the xids of requests as they reached the server, and of the replies as it wrote them. */
  readonly connections: readonly { readonly asked: readonly number[]; readonly answered: readonly number[] }[];
}

export const CLIENT_INVARIANTS = [
  {
    id: "C2",
    name: "RepliesInOrder",
    sentence: "Replies leave in the order of the requests.",
    holds: ({ connections }: ClientWorld) =>
      connections.every(({ asked, answered }) => answered.every((xid, at) => xid === asked[at])),
  },
  {
    id: "C2",
    name: "WritesInOrder",
    sentence: "The writes of a session take effect in the order in which they were made, over all its connections.",
    holds: ({ log }: ClientWorld) =>
      log.every(({ session, cxid, kind }, at) => {
        if (kind !== "write" || cxid === 0) return true;
        return log.slice(0, at).every((earlier) => !overtook(earlier, session, cxid));
      }),
  },
  {
    id: "C4",
    name: "ZxidNeverFalls",
    sentence: "What a client sees never gets older, whatever server it talks to.",
    holds: ({ clients }: ClientWorld) => clients.every(({ wentBack }) => !wentBack),
  },
  {
    id: "C6",
    name: "OnlyCommittedIsSeen",
    sentence: "No client sees what may still be rolled back.",
    holds: ({ clients, committedZxid }: ClientWorld) => clients.every(({ seenZxid }) => seenZxid <= committedZxid),
  },
] as const;

function overtook(earlier: LoggedTxn, session: string, cxid: number): boolean {
  return earlier.kind === "write" && earlier.session === session && earlier.cxid >= cxid;
}
