/**
 * The record of a run: what `npm run faults` writes and `npm run check:linearizability` judges. The format is settled (version 1).
 * Whoever writes histories codes against these types; their Schema is `format.schema.ts`, the reader `read-history.ts`.
 *
 * A run folder:
 *
 *     runs/<name>/
 *       run.json                          RunManifest
 *       history.jsonl                     one Line of JSON each, in the order in which they were observed
 *       servers/<id>/data/version-2/      snapshots, epochs and logs as the server left them (after the final phase)
 *       servers/<id>/log/version-2/       the logs, if dataLogDir is a directory of its own
 *       servers/<id>/before-<n>/          what its n-th loss took from the server: the files of a directory that was emptied, or
 *                                         the log that was damaged, as they were before
 *       servers/<id>/server.log           what the server told its operator; any number of files beside it (traces …)
 *       report/                           written by the checker
 *
 * Of the lines the first is a `header`, the last an `end`; without the latter the file was cut off and is judged to be no
 * evidence. Lines are sorted by the moment they were written down, so `t` never decreases.
 *
 * Times (`t`) are µs since the start of the run, one monotonic clock for all clients. An invoke is stamped *before* its frame is
 * queued, a completion *after* its reply is parsed: late stamps only widen an interval, so they never raise a false alarm.
 *
 * Every operation of a client is recorded, those that prepare the ground too: a txn of a recorded session that nobody asked for
 * counts as invented. Clients that are not recorded at all (an operator's shell) may write what they like.
 *
 * Session ids are `formatSessionId` text (`0x100001234560000`), `"0x0"` before there is one. zxids are plain numbers
 * (epoch * 2^32 + counter), -1 where there is none. Data are text, UTF-8 on the wire; null is not the same as empty.
 * Paths are absolute on the server: a client with a chroot records them with it.
 */

export const HISTORY_FORMAT = "zoetrope-history";
export const HISTORY_VERSION = 1;
export const HISTORY_FILE = "history.jsonl";
export const MANIFEST_FILE = "run.json";
export const REPORT_FOLDER = "report";

/** Folder of a server in the run folder. Logs and snapshots are found in it by their names, at any depth. */
export function serverFolder(id: number): string {
  return `servers/${id}`;
}

export interface RunManifest {
  readonly format: typeof HISTORY_FORMAT;
  readonly version: typeof HISTORY_VERSION;
  readonly name: string;
  /** Repeats the schedule. */
  readonly command: string;
  readonly seed: number;
  /** "white": the data dirs are all there. "black": nothing is known but what clients saw (a foreign ensemble). */
  readonly box: "white" | "black";
  readonly system: string;
  readonly servers: readonly number[];
  /** Names of the workloads that ran; the checker adds what each calls for (docs/testing.md). */
  readonly workloads: readonly string[];
  readonly nemeses: readonly string[];
  readonly tickTimeMs: number;
  /** What a run must reach to count as evidence; a floor that is left out is not asked for. */
  readonly floors: Floors;
}

export interface Floors {
  /** Operations answered with success or a determinate error, in all. */
  readonly completed?: number;
  /** Elections seen in the history (`server` lines that say leading) after the first. */
  readonly leaderChanges?: number;
  /** Invoked per second of the load phase. */
  readonly offeredPerSecond?: number;
  /** Share of the throughput before the first fault that is regained `recoveryWithinMs` after each heal. */
  readonly recoveredShare?: number;
  readonly recoveryWithinMs?: number;
  /** Share of operations invoked outside fault bands that ended determinate. */
  readonly determinateShare?: number;
}

export type Line =
  | Header
  | Invoke
  | Ok
  | Fail
  | Info
  | WatchEvent
  | Connection
  | Fault
  | ServerLine
  | Phase
  | Digest
  | End;

export interface Header {
  readonly kind: "header";
  readonly format: typeof HISTORY_FORMAT;
  readonly version: typeof HISTORY_VERSION;
  /** Wall clock at t = 0, ms since 1970: ties the history to the times in txns. */
  readonly startedAt: number;
}

/** Nothing follows. `lines` counts all, with this one. */
export interface End {
  readonly kind: "end";
  readonly t: number;
  readonly lines: number;
}

/** Who, and through what. */
export interface Where {
  /**
   * One thread of work in the load, with a client of its own; its operations may overlap (pipelining). When its session ends
   * it may go on with a new one. A lane of the report.
   */
  readonly proc: number;
  readonly session: string;
  /** Counts the connections of this client, from 1; 0 before the first (ConnectionInfo.generation). */
  readonly conn: number;
  /** Id of the server, 0 where none serves or where it is unknown. */
  readonly server: number;
}

/** Session, connection and server are those of the moment; completions carry the ones that count. */
export interface Invoke extends Where {
  readonly kind: "invoke";
  readonly t: number;
  /** Unique in the history: ties the completion to it. */
  readonly id: number;
  /** The cxid in the txn log, once it is sent. 0 if the client does not tell. */
  readonly xid: number;
  readonly op: Operation["op"];
  readonly args: Arguments;
}

/** `Where` is that of the connection that answered. */
export interface Completion extends Where {
  readonly t: number;
  readonly id: number;
  readonly xid: number;
  /** ReplyHeader.zxid. */
  readonly zxid: number;
}

export interface Ok extends Completion {
  readonly kind: "ok";
  readonly res: Result;
}

/**
 * An error in a reply, or certainly never sent (zxid -1). `err` is a name of ErrorCode ("NONODE"). A read of a missing node is
 * a `fail` with NONODE, `exists` too.
 */
export interface Fail extends Completion {
  readonly kind: "fail";
  readonly err: string;
  /** Of a failed multi: the code of each op, "OK" before the one that failed. */
  readonly res?: { readonly results: readonly string[] };
}

/** Nobody knows: the connection broke, the session expired under it, the run ended. conn is the one it was sent on. */
export interface Info extends Completion {
  readonly kind: "info";
  readonly err: string;
}

/** A notification from the server (once per connection, path and type, however many watchers the application has). */
export interface WatchEvent extends Where {
  readonly kind: "event";
  readonly t: number;
  readonly type: "created" | "deleted" | "dataChanged" | "childrenChanged";
  readonly path: string;
  /** The header's: that of the cause, or -1 from servers before 3.9. */
  readonly zxid: number;
}

export interface Connection extends Where {
  readonly kind: "conn";
  readonly t: number;
  readonly state: "connecting" | "connected" | "readOnly" | "disconnected" | "expired" | "closed" | "authFailed";
  /** Granted; with "connected". */
  readonly timeoutMs?: number;
  /** What the client told the server it had seen; with "connected". */
  readonly lastZxidSeen?: number;
}

/** An injected fault and its repair share `fault`. What cannot be repaired (a kill -9) is a "point". */
export interface Fault {
  readonly kind: "fault";
  readonly t: number;
  readonly fault: string;
  readonly nemesis: string;
  readonly action: "inject" | "heal" | "point" | "skipped";
  readonly targets: readonly number[];
  /** A sentence. */
  readonly detail: string;
}

export interface ServerLine {
  readonly kind: "server";
  readonly t: number;
  readonly server: number;
  readonly state:
    | "started"
    | "looking"
    | "following"
    | "leading"
    | "observing"
    | "exited"
    | "killed"
    | "paused"
    | "resumed";
  /** With "leading". */
  readonly epoch?: number;
  readonly detail?: string;
}

/** load: faults and work. heal: all faults are gone, work goes on. final: synced reads and digests, then the end. */
export interface Phase {
  readonly kind: "phase";
  readonly t: number;
  readonly phase: "load" | "heal" | "final";
}

/** What a server says its tree is (four-letter word `hash`, or `mntr`). Equal zxids must have equal digests. */
export interface Digest {
  readonly kind: "digest";
  readonly t: number;
  readonly server: number;
  readonly zxid: number;
  /** Any text that is equal for equal trees. */
  readonly digest: string;
}

export type CreateMode =
  | "persistent"
  | "ephemeral"
  | "persistentSequential"
  | "ephemeralSequential"
  | "container"
  | "persistentWithTTL"
  | "persistentSequentialWithTTL";

/** Stat as clients see it. */
export interface StatRecord {
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly cversion: number;
  readonly aversion: number;
  /** formatSessionId; "0x0" for none. */
  readonly ephemeralOwner: string;
  readonly dataLength: number;
  readonly numChildren: number;
}

export interface AclRecord {
  readonly perms: number;
  readonly scheme: string;
  readonly id: string;
}

export type SubOperation =
  | { readonly op: "create"; readonly args: CreateArgs }
  | { readonly op: "delete"; readonly args: VersionArgs }
  | { readonly op: "setData"; readonly args: SetDataArgs }
  | { readonly op: "check"; readonly args: VersionArgs };

export interface CreateArgs {
  readonly path: string;
  readonly data: string | null;
  readonly mode: CreateMode;
  readonly ttlMs?: number;
  /** Left out: everybody everything. */
  readonly acl?: readonly AclRecord[];
}
/** `version` -1 is any. */
export interface VersionArgs {
  readonly path: string;
  readonly version: number;
}
export interface SetDataArgs extends VersionArgs {
  readonly data: string | null;
}
export interface SetAclArgs extends VersionArgs {
  readonly acl: readonly AclRecord[];
}
/** `watch`: a watch is left if the reply is a success (for `exists`: or NONODE). */
export interface ReadArgs {
  readonly path: string;
  readonly watch?: boolean;
}

/** What is asked and what a success answers, per kind of operation. */
export type Operation =
  | {
      readonly op: "create";
      readonly args: CreateArgs;
      readonly res: { readonly path: string; readonly stat?: StatRecord };
    }
  | { readonly op: "delete"; readonly args: VersionArgs; readonly res: Nothing }
  | { readonly op: "setData"; readonly args: SetDataArgs; readonly res: { readonly stat: StatRecord } }
  | { readonly op: "setACL"; readonly args: SetAclArgs; readonly res: { readonly stat: StatRecord } }
  | {
      readonly op: "multi";
      readonly args: { readonly ops: readonly SubOperation[] };
      readonly res: { readonly results: readonly SubResult[] };
    }
  | {
      readonly op: "getData";
      readonly args: ReadArgs;
      readonly res: { readonly data: string | null; readonly stat: StatRecord };
    }
  | { readonly op: "exists"; readonly args: ReadArgs; readonly res: { readonly stat: StatRecord } }
  | {
      readonly op: "getChildren";
      readonly args: ReadArgs;
      readonly res: { readonly children: readonly string[]; readonly stat?: StatRecord };
    }
  | {
      readonly op: "getACL";
      readonly args: ReadArgs;
      readonly res: { readonly acl: readonly AclRecord[]; readonly stat: StatRecord };
    }
  | { readonly op: "sync"; readonly args: ReadArgs; readonly res: Nothing }
  | {
      readonly op: "addWatch";
      readonly args: { readonly path: string; readonly mode: "persistent" | "persistentRecursive" };
      readonly res: Nothing;
    }
  | {
      readonly op: "removeWatches";
      readonly args: { readonly path: string; readonly type: "children" | "data" | "any" };
      readonly res: Nothing;
    }
  /** The client's own, after it has reconnected (setWatches, setWatches2): every watch that is still waiting is left anew. */
  | { readonly op: "setWatches"; readonly args: { readonly relativeZxid?: number }; readonly res: Nothing }
  | { readonly op: "closeSession"; readonly args: Nothing; readonly res: Nothing };

export type Nothing = Readonly<Record<string, never>>;
export type Arguments = Operation["args"];
export type Result = Operation["res"];

/** In the order of the ops. A setData has a stat; a create has one from some servers only. */
export interface SubResult {
  readonly path?: string;
  readonly stat?: StatRecord;
}
