/** What clients of the legal world ask for. */
import type { CreateMode, SubWrite, Write } from "../../spec/models/znode-tree.ts";
import type { Acl } from "../../spec/vocabulary.ts";
import type { Operation } from "../histories/format.ts";
import type { Random } from "./random.ts";

/** An operation without its answer. */
export type Asked = {
  [Op in Operation["op"]]: { readonly op: Op; readonly args: Extract<Operation, { op: Op }>["args"] };
}[Operation["op"]];

export type Kind =
  | "set"
  | "cas"
  | "get"
  | "exists"
  | "create"
  | "delete"
  | "list"
  | "enqueue"
  | "dequeue"
  | "ephemeral"
  | "multi"
  | "sync"
  | "syncGet"
  | "watchGet"
  | "watchExists"
  | "watchList"
  | "watchForEver"
  | "watchBelow"
  | "close";

export interface Mix {
  readonly weights: Readonly<Partial<Record<Kind, number>>>;
  /** Registers /r0, /r1 …; children of /q, /e and /s. */
  readonly keys: number;
  readonly prepare?: readonly Asked[];
  readonly final?: readonly Asked[];
}

/** What a client knows: good guesses make interesting conditions. */
export interface Knowledge {
  readonly proc: number;
  /** Versions seen last, by path. */
  readonly versions: ReadonlyMap<string, number>;
  /** Children of /q seen last. */
  readonly queue: readonly string[];
  /** Counts its own values, so that all are different. */
  nextValue(): number;
  /** A sync was asked for, and the read after it is next. */
  pendingRead: string | null;
}

export function askAnything(random: Random, mix: Mix, client: Knowledge): Asked {
  const key = `/r${random.below(mix.keys)}`;
  const value = (): string => `${client.proc}.${client.nextValue()}`;
  const guess = (path: string): number => client.versions.get(path) ?? 0;
  if (client.pendingRead !== null) {
    const path = client.pendingRead;
    client.pendingRead = null;
    return { op: "getData", args: { path } };
  }
  switch (random.weighted(mix.weights)) {
    case "set":
      return { op: "setData", args: { path: key, data: value(), version: -1 } };
    case "cas":
      return { op: "setData", args: { path: key, data: value(), version: guess(key) } };
    case "get":
      return { op: "getData", args: { path: key } };
    case "exists":
      return { op: "exists", args: { path: `/s/${random.below(mix.keys)}` } };
    case "create":
      return create(`/s/${random.below(mix.keys)}`, value(), "persistent");
    case "delete":
      return { op: "delete", args: { path: `/s/${random.below(mix.keys)}`, version: -1 } };
    case "list":
      return { op: "getChildren", args: { path: "/q" } };
    case "enqueue":
      return create("/q/n-", value(), "persistentSequential");
    case "dequeue": {
      const name = client.queue.length === 0 ? "n-0000000000" : random.pick(client.queue);
      return { op: "delete", args: { path: `/q/${name}`, version: -1 } };
    }
    case "ephemeral":
      return create(`/e/${random.below(mix.keys)}`, value(), "ephemeral");
    case "multi": {
      const other = `/r${random.below(mix.keys)}`;
      return {
        op: "multi",
        args: {
          ops: [
            { op: "check", args: { path: key, version: guess(key) } },
            { op: "setData", args: { path: other, data: value(), version: -1 } },
          ],
        },
      };
    }
    case "sync":
      return { op: "sync", args: { path: "/" } };
    case "syncGet":
      client.pendingRead = key;
      return { op: "sync", args: { path: key } };
    case "watchGet":
      return { op: "getData", args: { path: key, watch: true } };
    case "watchExists":
      return { op: "exists", args: { path: `/s/${random.below(mix.keys)}`, watch: true } };
    case "watchList":
      return { op: "getChildren", args: { path: random.pick(["/q", "/e", "/s"]), watch: true } };
    case "watchForEver":
      return { op: "addWatch", args: { path: key, mode: "persistent" } };
    case "watchBelow":
      return { op: "addWatch", args: { path: "/s", mode: "persistentRecursive" } };
    case "close":
      return { op: "closeSession", args: {} };
  }
}

export function create(path: string, data: string | null, mode: Extract<CreateMode, string>): Asked {
  return { op: "create", args: { path, data, mode } };
}

const OPEN: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

/** null: no write. */
export function writeOfAsked(asked: Asked): Write | null {
  switch (asked.op) {
    case "create":
      return {
        op: "create",
        path: asked.args.path,
        data: asked.args.data,
        acl: OPEN,
        mode: asked.args.mode as CreateMode,
      };
    case "delete":
    case "setData":
    case "setACL":
      return { op: asked.op, ...asked.args } as Write;
    case "multi":
      return {
        op: "multi",
        ops: asked.args.ops.map(
          ({ op, args }): SubWrite =>
            op === "create" ? { op, ...args, acl: OPEN, mode: args.mode as CreateMode } : ({ op, ...args } as SubWrite),
        ),
      };
    case "closeSession":
      return { op: "closeSession" };
    default:
      return null;
  }
}
