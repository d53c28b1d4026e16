/** The shell's commands: the everyday ones of zkCli, with its options, its output and its error texts. */
import { type Acl, type CreateOptions, ErrorCode, errorFor, type Watcher, type ZooKeeper } from "../client/index.ts";
import { FULL_VERSION } from "../server/version.ts";
import { CliError } from "./cli-error.ts";
import { type Arguments, parseInteger } from "./cli-line.ts";
import { aclText, listText, parseAcl, statText } from "./cli-text.ts";
import { deleteSubtree, visitSubtree } from "./cli-tree.ts";

/** What a command may use. */
export interface CommandScope {
  readonly zk: ZooKeeper;
  /** Prints events of watches. */
  readonly watcher: Watcher;
  print(text: string): void;
  /** A line for the error output. zkCli also confirms creates there. */
  complain(line: string): void;
}

export interface Command {
  /** As `help` shows it, behind the name. */
  readonly usage: string;
  /** Options for `parseArguments`. */
  readonly options: string;
  /** Fewer words than this show the usage. */
  readonly words: number;
  run(scope: CommandScope, args: Arguments): Promise<void>;
}

const DEFAULT_BATCH = 1000;

/** `get path watch` is older than `get -w path`. */
function wantsWatch(scope: CommandScope, args: Arguments, name: string, usage: string): Watcher | undefined {
  if (args.words.length > 1) {
    scope.complain(`'${name} path [watch]' has been deprecated. Please use '${name} ${usage}' instead.`);
    return scope.watcher;
  }
  return args.has("w") ? scope.watcher : undefined;
}

const versionOf = (args: Arguments): number => parseInteger(args.value("v") ?? "-1");

const ls: Command = {
  usage: "[-s] [-w] [-R] path",
  options: "swR",
  words: 1,
  async run(scope, args) {
    const [path] = args.words as [string];
    const watcher = wantsWatch(scope, args, "ls", "[-w] path");
    if (args.has("R")) {
      await visitSubtree(scope.zk, path, watcher, (one) => scope.print(`${one}\n`));
      return;
    }
    const { children, stat } = await scope.zk.getChildren2(path, watcher);
    scope.print(`${listText(children)}\n${args.has("s") ? statText(stat) : ""}`);
  },
};

const get: Command = {
  usage: "[-s] [-w] path",
  options: "sw",
  words: 1,
  async run(scope, args) {
    const [path] = args.words as [string];
    const { data, stat } = await scope.zk.getData(path, wantsWatch(scope, args, "get", "[-s] [-w] path"));
    scope.print(`${data === null ? "null" : data.toString()}\n${args.has("s") ? statText(stat) : ""}`);
  },
};

const stat: Command = {
  usage: "[-w] path",
  options: "w",
  words: 1,
  async run(scope, args) {
    const [path] = args.words as [string];
    const found = await scope.zk.exists(path, wantsWatch(scope, args, "stat", "[-w] path"));
    if (found === null) throw errorFor(ErrorCode.NONODE, path);
    scope.print(statText(found));
  },
};

const set: Command = {
  usage: "[-s] [-v version] path data",
  options: "sv:",
  words: 2,
  async run(scope, args) {
    const [path, data] = args.words as [string, string];
    const changed = await scope.zk.setData(path, data, versionOf(args));
    if (args.has("s")) scope.print(statText(changed));
  },
};

const create: Command = {
  usage: "[-s] [-e] [-c] [-t ttl] path [data] [acl]",
  options: "sect:",
  words: 1,
  async run(scope, args) {
    const [path, data, aclWord] = args.words as [string, string?, string?];
    const options = createOptions(args);
    const acl: readonly Acl[] | undefined = aclWord === undefined ? undefined : parseAcl(aclWord, scope.complain);
    const created = await scope.zk.create(path, data ?? null, acl === undefined ? options : { ...options, acl });
    scope.complain(`Created ${created}`);
  },
};

function createOptions(args: Arguments): CreateOptions {
  const [ephemeral, sequential, container] = [args.has("e"), args.has("s"), args.has("c")];
  if (container && (ephemeral || sequential)) {
    throw new CliError("-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.");
  }
  if (!args.has("t")) return { ephemeral, sequential, container };
  const ttlMs = Number(args.value("t"));
  if (!Number.isSafeInteger(ttlMs)) throw new CliError("-t argument must be a long value");
  if (ephemeral) throw new CliError("TTLs cannot be used with Ephemeral znodes");
  if (container) throw new CliError("TTLs cannot be used with Container znodes");
  return { sequential, ttlMs };
}

const del: Command = {
  usage: "[-v version] path",
  options: "v:",
  words: 1,
  async run(scope, args) {
    const [path, oldVersion] = args.words as [string, string?];
    if (oldVersion !== undefined) {
      scope.complain("'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.");
    }
    await scope.zk.delete(path, args.has("v") ? versionOf(args) : parseInteger(oldVersion ?? "-1"));
  },
};

const deleteall: Command = {
  usage: "path [-b batch size]",
  options: "b:",
  words: 1,
  async run(scope, args) {
    const [path] = args.words as [string];
    const batch = args.value("b") ?? String(DEFAULT_BATCH);
    if (!/^\d+$/.test(batch) || Number(batch) === 0) throw new CliError("-b argument must be an int value");
    const success = await deleteSubtree(scope.zk, path, Number(batch));
    if (!success) throw new CliError("Failed to delete some node(s) in the subtree!");
  },
};

const sync: Command = {
  usage: "path",
  options: "",
  words: 1,
  async run(scope, args) {
    await scope.zk.sync(args.words[0]!);
    scope.print("Sync is OK\n");
  },
};

const getAcl: Command = {
  usage: "[-s] path",
  options: "s",
  words: 1,
  async run(scope, args) {
    const { acl, stat } = await scope.zk.getAcl(args.words[0]!);
    scope.print(aclText(acl) + (args.has("s") ? statText(stat) : ""));
  },
};

const setAcl: Command = {
  usage: "[-s] [-v version] [-R] path acl",
  options: "sv:R",
  words: 2,
  async run(scope, args) {
    const [path, aclWord] = args.words as [string, string];
    const acl = parseAcl(aclWord, scope.complain);
    const version = versionOf(args);
    if (!args.has("R")) {
      const changed = await scope.zk.setAcl(path, acl, version);
      if (args.has("s")) scope.print(statText(changed));
      return;
    }
    await visitSubtree(scope.zk, path, undefined, async (one) => {
      await scope.zk.setAcl(one, acl, version).catch((error: Error) => scope.complain(error.message));
    });
  },
};

const addauth: Command = {
  usage: "scheme auth",
  options: "",
  words: 1,
  async run(scope, args) {
    const [scheme, auth] = args.words as [string, string?];
    await scope.zk.addAuth(scheme, auth ?? null);
  },
};

const addWatch: Command = {
  usage:
    "[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE] - default is PERSISTENT_RECURSIVE",
  options: "m:",
  words: 1,
  async run(scope, args) {
    const mode = (args.value("m") ?? "PERSISTENT_RECURSIVE").toUpperCase();
    if (mode !== "PERSISTENT" && mode !== "PERSISTENT_RECURSIVE") throw new CliError(`addWatch ${this.usage}`);
    await scope.zk.addWatch(args.words[0]!, scope.watcher, { recursive: mode === "PERSISTENT_RECURSIVE" });
  },
};

const removewatches: Command = {
  usage: "path [-c|-d|-a]",
  options: "cda",
  words: 1,
  async run(scope, args) {
    const type = args.has("c") ? "children" : args.has("d") ? "data" : "any";
    await scope.zk.removeWatches(args.words[0]!, type);
  },
};

const getEphemerals: Command = {
  usage: "path",
  options: "",
  words: 0,
  async run(scope, args) {
    scope.print(`${listText(await scope.zk.getEphemerals(args.words[0]))}\n`);
  },
};

const getAllChildrenNumber: Command = {
  usage: "path",
  options: "",
  words: 1,
  async run(scope, args) {
    scope.print(`${await scope.zk.getAllChildrenNumber(args.words[0]!)}\n`);
  },
};

const whoami: Command = {
  usage: "",
  options: "",
  words: 0,
  async run(scope) {
    const lines = (await scope.zk.whoAmI()).map(({ authScheme, user }) => `${authScheme}: ${user}\n`);
    scope.print(`Auth scheme: User\n${lines.join("")}`);
  },
};

const version: Command = {
  usage: "",
  options: "",
  words: 0,
  async run(scope) {
    scope.print(`ZooKeeper CLI version: ${FULL_VERSION}\n`);
  },
};

const close: Command = {
  usage: "",
  options: "",
  words: 0,
  async run(scope) {
    await scope.zk.close();
  },
};

/** Commands on a connection. The shell's own ones are in cli-shell.ts. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  addWatch,
  addauth,
  close,
  create,
  delete: del,
  deleteall,
  get,
  getAcl,
  getAllChildrenNumber,
  getEphemerals,
  ls,
  removewatches,
  set,
  setAcl,
  stat,
  sync,
  version,
  whoami,
};
