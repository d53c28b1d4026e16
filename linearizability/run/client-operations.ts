/** Each operation of the client as the history writes it: what is asked, and what a success answers. */
import { formatSessionId } from "../../spec/vocabulary.ts";
import type { CreateOptions, Data, MultiResult, Stat, TransactionOp, ZooKeeper } from "../../src/client/index.ts";
import type {
  Arguments,
  CreateArgs,
  CreateMode,
  Operation,
  ReadArgs,
  Result,
  StatRecord,
  SubOperation,
  SubResult,
} from "../histories/format.ts";

export type Run = <T>(
  op: Operation["op"],
  args: Arguments,
  call: () => Promise<T>,
  result: (value: T) => Result,
) => Promise<T>;

type Wrap = (zk: ZooKeeper, run: Run) => void;

const nothing = (): Result => ({});

export const CLIENT_OPERATIONS: readonly Wrap[] = [
  (zk, run) => {
    const plain = zk.create.bind(zk);
    zk.create = (path, data = null, options = {}) =>
      run(
        "create",
        createArgs(path, data, options),
        () => plain(path, data, options),
        (created) => ({ path: created }),
      );
  },
  (zk, run) => {
    const plain = zk.create2.bind(zk);
    zk.create2 = (path, data = null, options = {}) =>
      run(
        "create",
        createArgs(path, data, options),
        () => plain(path, data, options),
        (created) => ({ path: created.path, stat: statRecord(created.stat) }),
      );
  },
  (zk, run) => {
    const plain = zk.delete.bind(zk);
    zk.delete = (path, version = -1) => run("delete", { path, version }, () => plain(path, version), nothing);
  },
  (zk, run) => {
    const plain = zk.setData.bind(zk);
    zk.setData = (path, data, version = -1) =>
      run(
        "setData",
        { path, data: text(data), version },
        () => plain(path, data, version),
        (stat) => ({
          stat: statRecord(stat),
        }),
      );
  },
  (zk, run) => {
    const plain = zk.multi.bind(zk);
    zk.multi = (ops) =>
      run(
        "multi",
        { ops: ops.map(subOperation) },
        () => plain(ops),
        (results) => ({ results: results.map(subResult) }),
      );
  },
  (zk, run) => {
    const plain = zk.getData.bind(zk);
    zk.getData = (path, watcher) =>
      run(
        "getData",
        readArgs(path, watcher),
        () => plain(path, watcher),
        ({ data, stat }) => ({
          data: text(data),
          stat: statRecord(stat),
        }),
      );
  },
  (zk, run) => {
    const plain = zk.exists.bind(zk);
    // A missing node is a `fail` with NONODE, so that a value is a Stat.
    zk.exists = (path, watcher) =>
      run(
        "exists",
        readArgs(path, watcher),
        () => plain(path, watcher),
        (stat) => ({ stat: statRecord(stat as Stat) }),
      );
  },
  (zk, run) => {
    const plain = zk.getChildren.bind(zk);
    zk.getChildren = (path, watcher) =>
      run(
        "getChildren",
        readArgs(path, watcher),
        () => plain(path, watcher),
        (children) => ({ children }),
      );
  },
  (zk, run) => {
    const plain = zk.getChildren2.bind(zk);
    zk.getChildren2 = (path, watcher) =>
      run(
        "getChildren",
        readArgs(path, watcher),
        () => plain(path, watcher),
        ({ children, stat }) => ({
          children,
          stat: statRecord(stat),
        }),
      );
  },
  (zk, run) => {
    const plain = zk.sync.bind(zk);
    zk.sync = (path) => run("sync", { path }, () => plain(path), nothing);
  },
  (zk, run) => {
    const plain = zk.addWatch.bind(zk);
    zk.addWatch = (path, watcher, options = {}) => {
      const mode = options.recursive === true ? "persistentRecursive" : "persistent";
      return run("addWatch", { path, mode }, () => plain(path, watcher, options), nothing);
    };
  },
  (zk, run) => {
    const plain = zk.removeWatches.bind(zk);
    zk.removeWatches = (path, type = "any", watcher) =>
      run("removeWatches", { path, type }, () => plain(path, type, watcher), nothing);
  },
];

function createArgs(path: string, data: Data, options: CreateOptions): CreateArgs {
  return { path, data: text(data), mode: createMode(options) };
}

function createMode({ ephemeral = false, sequential = false, container = false }: CreateOptions): CreateMode {
  if (container) return "container";
  if (ephemeral) return sequential ? "ephemeralSequential" : "ephemeral";
  return sequential ? "persistentSequential" : "persistent";
}

function readArgs(path: string, watcher: unknown): ReadArgs {
  return watcher === undefined ? { path } : { path, watch: true };
}

function subOperation(op: TransactionOp): SubOperation {
  const { path } = op;
  switch (op.type) {
    case "create":
      return { op: "create", args: createArgs(path, op.data ?? null, op.options ?? {}) };
    case "setData":
      return { op: "setData", args: { path, data: text(op.data), version: op.version ?? -1 } };
    case "delete":
    case "check":
      return { op: op.type, args: { path, version: op.version ?? -1 } };
  }
}

function subResult(result: MultiResult): SubResult {
  switch (result.type) {
    case "create":
      return result.stat === null ? { path: result.path } : { path: result.path, stat: statRecord(result.stat) };
    case "setData":
      return { stat: statRecord(result.stat) };
    default:
      return {};
  }
}

export function statRecord(stat: Stat): StatRecord {
  return { ...stat, ephemeralOwner: formatSessionId(stat.ephemeralOwner as Parameters<typeof formatSessionId>[0]) };
}

function text(data: Data): string | null {
  if (data === null || typeof data === "string") return data;
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
}
