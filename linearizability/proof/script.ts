/**
 * Histories in a few lines of text, each of them two: the legal one, and its twin in which something went wrong. Lines are acted
 * out in order on a stage (stage.ts), which knows all answers; only what is wrong is written down:
 *
 *     1 create /a 0            client 1 asks and is answered
 *     1 set /a x as w          … and this write is called w
 *     2 get /a ! @w-1          in the bad twin this read sees the tree just before w
 *     2 get /a ! data=y        in the bad twin the answer says "y"
 *     1 ask set /a y as v      asks only; then "order v" (the leader does) and "answer v"
 *     1 sees dataChanged /a    an event arrives, of the last txn if not said otherwise
 *     1 lose, 1 connect s2     the connection breaks; the client is back, at server 2
 *     1 expires, 1 told        the leader closes its session; the client learns of it
 *     log 2 cut w              server 2's log ends before w (see tamper.ts)
 *     ! … and ~ …              a line of the bad twin only, a line of the legal one only
 */
import type { ClientStat } from "../../spec/models/znode-tree.ts";
import { formatSessionId } from "../../spec/vocabulary.ts";
import type { ServerLog } from "../checker/witness/server-log.ts";
import type { Line, StatRecord, SubOperation, WatchEvent } from "../histories/format.ts";
import { statRecord } from "./legal-client.ts";
import { type Asked, create } from "./requests.ts";
import { type Asking, Stage } from "./stage.ts";
import { tamperedLogs } from "./tamper.ts";

export type Twin = "legal" | "bad";

export interface Played {
  readonly lines: readonly Line[];
  readonly logs: readonly ServerLog[];
}

/** Throws what is wrong with the script. */
export function play(script: string, twin: Twin): Played {
  const player = new Player(twin);
  for (const line of script.split("\n")) player.line(line.trim());
  return player.finish();
}

const SERVERS = [1, 2, 3];

class Player {
  readonly #twin: Twin;
  readonly #stage = new Stage();
  readonly #named = new Map<string, Asking>();
  readonly #tampering: (readonly string[])[] = [];
  #faults = 0;

  constructor(twin: Twin) {
    this.#twin = twin;
  }

  line(text: string): void {
    const [, mark, body = "", alteration = ""] = /^([!~]?)\s*(.*?)(?:\s+!\s+(.*))?$/.exec(text)!;
    if (body === "" || mark === (this.#twin === "legal" ? "!" : "~")) return;
    const words = body.split(/\s+/);
    this.#act(words, this.#twin === "bad" && alteration !== "" ? alteration.split(/\s+/) : []);
  }

  finish(): Played {
    const lines = this.#stage.end();
    const zxidOf = (name: string): number => this.#asking(name).zxid;
    return { lines, logs: tamperedLogs(SERVERS, this.#stage, this.#tampering, zxidOf) };
  }

  #act(words: readonly string[], alteration: readonly string[]): void {
    const stage = this.#stage;
    const [first, ...rest] = words as [string, ...string[]];
    const [name = "", path = ""] = rest;
    if (/^\d+$/.test(first)) return this.#client(Number(first), rest, alteration);
    switch (first) {
      case "order":
        return stage.order(this.#asking(name));
      case "answer":
        return this.#answer(this.#asking(name), rest.slice(1), alteration);
      case "asked":
        return this.#askedNow(this.#asking(name).id);
      case "wait":
        return stage.wait(Number(name));
      case "log":
        return void this.#tampering.push(rest);
      case "digest":
        return void stage.digest(Number(name), path);
      case "server":
        return void stage.line({ kind: "server", t: stage.now, server: Number(name), state: path as "looking" });
      case "fault": {
        const fault = `${name}#${++this.#faults}`;
        const facts = { nemesis: name, targets: [1], detail: "" } as const;
        return void stage.line({ kind: "fault", t: stage.now, fault, action: "point", ...facts });
      }
      default:
        throw new Error(`what is "${words.join(" ")}"?`);
    }
  }

  #client(proc: number, words: readonly string[], alteration: readonly string[]): void {
    const stage = this.#stage;
    const actor = stage.actor(proc);
    const [verb, ...rest] = words as [string, ...string[]];
    const at = rest.find((word) => word.startsWith("@"));
    switch (verb) {
      case "connect":
        stage.connect(actor, Number((rest[0] ?? "s1").slice(1)));
        return this.#alter(stage.lines.at(-1)!, alteration);
      case "lose":
        return stage.lose(actor);
      case "expires":
        return stage.expire(actor);
      case "told":
        return stage.told(actor);
      case "sees": {
        const zxid = at === undefined ? stage.last : this.#place(at.slice(1));
        return this.#alter(stage.event(actor, rest[0] as WatchEvent["type"], rest[1]!, zxid), alteration);
      }
      case "ask":
        return void this.#ask(proc, rest);
      default: {
        const asking = this.#ask(
          proc,
          words.filter((word) => word !== at),
        );
        this.#answer(asking, at === undefined ? [] : [at], alteration);
      }
    }
  }

  #ask(proc: number, words: readonly string[]): Asking {
    const as = words.lastIndexOf("as");
    const asking = this.#stage.ask(this.#stage.actor(proc), askedOf(as < 0 ? words : words.slice(0, as)));
    if (as >= 0) this.#named.set(words[as + 1]!, asking);
    return asking;
  }

  #answer(asking: Asking, words: readonly string[], alteration: readonly string[]): void {
    const at = alteration.find((word) => word.startsWith("@")) ?? words[0];
    const line = this.#stage.answer(asking, at === undefined ? undefined : this.#place(at.slice(1)));
    this.#alter(
      this.#stage.lines.findLast((other) => other === line)!,
      alteration.filter((word) => !word.startsWith("@")),
      asking,
    );
  }

  #asking(name: string): Asking {
    const asking = this.#named.get(name);
    if (asking === undefined) throw new Error(`nothing is called "${name}"`);
    return asking;
  }

  /** `w`, `w-1`, `last-2`; `-1` is none. */
  #place(text: string): number {
    if (text === "-1") return -1;
    const [, name, offset] = /^(\w+?)([+-]\d+)?$/.exec(text)!;
    return (name === "last" ? this.#stage.last : this.#asking(name!).zxid) + Number(offset ?? 0);
  }

  /** The request was only sent now. */
  #askedNow(id: number): void {
    const { lines } = this.#stage;
    const at = lines.findIndex((line) => line.kind === "invoke" && line.id === id);
    const [line] = lines.splice(at, 1);
    this.#stage.wait(1);
    lines.push({ ...(line as Line & { kind: "invoke" }), t: this.#stage.now });
  }

  #alter(line: Line, alteration: readonly string[], asking?: Asking): void {
    if (alteration.length === 0) return;
    const changed = structuredClone(line) as unknown as Loose;
    for (const word of alteration) this.#alterOne(changed, word, asking);
    const { lines } = this.#stage;
    lines[lines.indexOf(line)] = changed as unknown as Line;
  }

  #alterOne(line: Loose, word: string, asking: Asking | undefined): void {
    const [key = "", value = ""] = word.split("=");
    const number = (): number => (/^-?\d+$/.test(value) ? Number(value) : this.#place(value));
    switch (key) {
      case "err":
        line.kind = "fail";
        line["err"] = value;
        delete line.res;
        return;
      case "ok":
        line.kind = "ok";
        delete line["err"];
        line.res = { data: "", path: pathOf(asking!), stat: { ...this.#statFor(asking!, line["zxid"] as number) } };
        return;
      case "zxid":
      case "xid":
      case "lastZxidSeen":
      case "server":
        line[key] = number();
        return;
      case "type":
        line["type"] = value;
        return;
      case "data":
      case "path":
        line.res![key] = value;
        return;
      case "children":
      case "results":
        line.res![key] = value === "" ? [] : value.split(",");
        return;
      case "owner":
        line.res!.stat!["ephemeralOwner"] =
          value === "none" ? "0x0" : formatSessionId(this.#stage.actor(Number(value)).session);
        return;
      case "sub": {
        // Of the first result of a multi.
        (line.res!["results"] as { stat: Record<string, unknown> }[])[0]!.stat["version"] = Number(value);
        return;
      }
      default:
        line.res!.stat![key] = number();
    }
  }

  /** As if it had been done. */
  #statFor(asking: Asking, zxid: number): StatRecord {
    const stat = this.#stage.tree(zxid).stat(pathOf(asking));
    const blank = { czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: 0, mtime: 0, version: 0, cversion: 0, aversion: 0 };
    return statRecord(stat ?? ({ ...blank, ephemeralOwner: 0n, dataLength: 0, numChildren: 0 } as ClientStat));
  }
}

interface Loose {
  [key: string]: unknown;
  kind: string;
  res?: { stat?: Record<string, unknown>; [key: string]: unknown };
}

function pathOf({ asked }: Asking): string {
  return (asked.args as { path?: string }).path ?? "/";
}

// ---- requests

function askedOf(words: readonly string[]): Asked {
  const [verb, path = "", ...rest] = words as [string, ...string[]];
  const watch = rest.includes("watch") ? { watch: true } : {};
  switch (verb) {
    case "get":
      return { op: "getData", args: { path, ...watch } };
    case "exists":
      return { op: "exists", args: { path, ...watch } };
    case "ls":
      return { op: "getChildren", args: { path, ...watch } };
    case "acl":
      return { op: "getACL", args: { path } };
    case "sync":
      return { op: "sync", args: { path } };
    case "close":
      return { op: "closeSession", args: {} };
    case "addWatch":
      return { op: "addWatch", args: { path, mode: rest[0] as "persistent" } };
    case "removeWatches":
      return { op: "removeWatches", args: { path, type: rest[0] as "any" } };
    case "setACL":
      return {
        op: "setACL",
        args: { path, version: versionOf(rest), acl: [{ perms: 31, scheme: "world", id: "anyone" }] },
      };
    case "multi": {
      const subs = words.slice(1).join(" ").split(";");
      return { op: "multi", args: { ops: subs.map((sub) => subOf(sub.trim().split(/\s+/))) } };
    }
    default:
      return subOf(words) as Asked;
  }
}

const MODES: Readonly<Record<string, Parameters<typeof create>[2]>> = {
  sequential: "persistentSequential",
  ephemeral: "ephemeral",
  ephemeralSequential: "ephemeralSequential",
  container: "container",
};

function subOf([verb, path = "", ...rest]: readonly string[]): SubOperation {
  switch (verb) {
    case "create":
      return create(path, rest[0] ?? "", MODES[rest[1] ?? ""] ?? "persistent") as SubOperation;
    case "set":
      return { op: "setData", args: { path, data: rest[0] ?? "", version: versionOf(rest) } };
    case "delete":
      return { op: "delete", args: { path, version: versionOf(rest) } };
    case "check":
      return { op: "check", args: { path, version: versionOf(rest) } };
    default:
      throw new Error(`what is "${verb}"?`);
  }
}

function versionOf(words: readonly string[]): number {
  const word = words.find((one) => /^v\d+$/.test(one));
  return word === undefined ? -1 : Number(word.slice(1));
}
