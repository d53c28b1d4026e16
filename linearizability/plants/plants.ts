/**
 * Faults that are planted in a copy of the build: one edit each, of the kind that reviews miss. A fault run with such servers must
 * be flagged, and with a property that the fault breaks.
 */
import type { Property } from "../checker/violation.ts";

export interface Plant {
  readonly name: string;
  /** A sentence. */
  readonly about: string;
  /** Below the build. */
  readonly file: string;
  /** Occurs once there. */
  readonly before: string;
  readonly after: string;
  readonly workloads: readonly string[];
  readonly nemesis: string;
  /** Of the schedule: one in which the fault can show. Default 1. */
  readonly seed?: number;
  /** Any of these must be found broken. */
  readonly breaks: readonly Property[];
}

const EVERY = (n: number): string => `(globalThis.planted = (globalThis.planted ?? 0) + 1) % ${n} === 0`;

export const PLANTS: readonly Plant[] = [
  {
    name: "no-sync",
    about: "The log is acknowledged before it is synced.",
    file: "src/host/disk.js",
    before: "await handle.datasync();",
    after: "return;",
    workloads: ["register", "set"],
    nemesis: "lost-writes",
    breaks: ["C5 durability", "C6 no read of what never was", "I4 committed log durability", "Z2 agreement"],
  },
  {
    name: "own-quorum",
    about: "The leader commits what a single server has logged.",
    file: "src/ensemble/leader-broadcast.js",
    before: "commitPoint(this.#quorum, (id) => this.#ackedUpTo.get(id))",
    after: "Math.max(...this.#quorum.voters.map((id) => this.#ackedUpTo.get(id) ?? -1))",
    workloads: ["register", "set"],
    nemesis: "partition-leader",
    // The leader's clients reach it.
    seed: 1,
    breaks: ["C5 durability", "C6 no read of what never was", "Z2 agreement"],
  },
  {
    name: "skipped-commit",
    about: "Server 2 does not apply some deletions.",
    file: "src/server/replica.js",
    before: "const result = this.database.apply(txn);",
    after: `const skipped = txn.type === 2 && process.argv.at(-1).includes("/servers/2/") && ${EVERY(10)};
        const result = this.database.apply(skipped ? { ...txn, type: -1, body: { type: -1, err: 0 } } : txn);`,
    workloads: ["set", "queue", "pipeline"],
    nemesis: "none",
    breaks: ["C1 linearizable writes", "C6 no read of what never was", "I10 digests agree"],
  },
  {
    name: "swapped-replies",
    about: "Some reads are answered with what another znode holds.",
    file: "src/pipeline/reads.js",
    before: `        tree.writeData(writer, node);
        tree.writeStat(writer, node);
        return ErrorCode.OK;`,
    after: `        const other = globalThis.other ?? node;
        globalThis.other = node;
        const told = ${EVERY(200)} ? other : node;
        tree.writeData(writer, told);
        tree.writeStat(writer, told);
        return ErrorCode.OK;`,
    workloads: ["register"],
    nemesis: "none",
    breaks: ["C1 linearizable writes", "C6 no read of what never was"],
  },
  {
    name: "dropped-event",
    about: "One watch event in fifty is not sent.",
    file: "src/tree/watch-table.js",
    before: "this.#sink(reached[i], type, path, zxid);",
    after: `if (!(${EVERY(50)})) this.#sink(reached[i], type, path, zxid);`,
    workloads: ["watch"],
    nemesis: "none",
    breaks: ["W1 event before reply", "W3 one event per change", "W4 no lost event"],
  },
  {
    name: "late-event",
    about: "Watch events are sent after the reply to the write that caused them.",
    file: "src/tree/watch-table.js",
    before: "this.#sink(reached[i], type, path, zxid);",
    after: "setTimeout(this.#sink, 20, reached[i], type, path, zxid);",
    workloads: ["watch"],
    nemesis: "none",
    breaks: ["W1 event before reply"],
  },
  {
    name: "early-expiry",
    about: "Sessions expire after a fifth of their timeout.",
    file: "src/session/session-tracker.js",
    before: `        session.timeoutMs = timeoutMs;
        this.#queue.touch(session, timeoutMs, nowMs);`,
    after: `        session.timeoutMs = timeoutMs;
        this.#queue.touch(session, timeoutMs / 5, nowMs);`,
    workloads: ["lock", "sessions"],
    nemesis: "none",
    breaks: ["S2 no early expiry"],
  },
  {
    name: "left-behind",
    about: "The end of every third session leaves its ephemerals behind.",
    file: "src/tree/database.js",
    before: "    #closeSession(txn, paths) {",
    after: `    #closeSession(txn, paths) {
        if (paths?.length > 0 && ${EVERY(3)}) return void this.sessions.delete(txn.sessionId);`,
    workloads: ["lock", "sessions"],
    nemesis: "none",
    breaks: ["S4 a close deletes exactly the session's ephemerals", "S5 ephemerals live as long as their session"],
  },
  {
    name: "empty-sync",
    about: "A follower answers sync without asking the leader.",
    file: "src/server/learner-role.js",
    before: "    sync(request) {",
    after: `    sync(request) {
        return queueMicrotask(() => this.#options.replica.service.synced());`,
    workloads: ["sessions", "bank", "register"],
    nemesis: "partition-halves",
    // Server 2 hears nobody, twice; should it lead the first time, it follows the second.
    seed: 2,
    breaks: ["C8 sync"],
  },
];
