/**
 * Plays a transcript's commands in the simulated world.
 *
 * | command | meaning |
 * | --- | --- |
 * | `servers N`, `observers N`, `config KEY=VALUE` | the world, before the first `start` |
 * | `start [ID…]`, `restart ID` | start servers (all of them) |
 * | `crash ID`, `power-loss ID` | kill -9; with `power-loss` what was not synced is gone |
 * | `pause ID`, `resume ID`, `wipe ID` | SIGSTOP, SIGCONT, empty the disk of a stopped server |
 * | `cut A B`, `heal`, `reset A B` | nothing passes from A to B (`s1`, `c1`); break their connections |
 * | `run MS`, `until serving ID…` | let virtual time pass |
 * | `quiet` | forget what was recorded so far |
 * | `cN connect ID…` | a client of these servers |
 * | `cN OP PATH [DATA]` | create, ephemeral, sequential, set, get, ls, delete, sync, watch; a trailing `&` does not wait |
 * | `cN vanish` | the client is gone without a word |
 * | `trees` | zxid and digest of every server that runs |
 */

import { formatZxid } from "../../spec/vocabulary.ts";
import type { ZooKeeper } from "../../src/client/zookeeper.ts";
import type { SimServer } from "../simulator/sim-server.ts";
import { World } from "../simulator/world.ts";
import { Recorder } from "./recorder.ts";
import type { Block } from "./transcript.ts";

const SERVING_WITHIN_MS = 60_000;
const ANSWER_WITHIN_MS = 60_000;
const SESSION_TIMEOUT_MS = 4000;

export async function play(blocks: readonly Block[]): Promise<Block[]> {
  const player = new Player();
  const played: Block[] = [];
  for (const block of blocks) {
    for (const command of block.commands) await player.command(command);
    played.push({ ...block, recorded: player.take() });
  }
  return played;
}

class Player {
  readonly #recorder = new Recorder();
  readonly #config: string[] = [];
  readonly #clients = new Map<string, ZooKeeper>();
  #servers = 3;
  #observers = 0;
  #world: World | null = null;

  take(): string[] {
    return this.#recorder.take();
  }

  async command(line: string): Promise<void> {
    const waits = !line.endsWith("&");
    const [name, ...args] = line.replace(/\s*&$/, "").split(/\s+/) as [string, ...string[]];
    if (/^c\d+$/.test(name)) return this.#client(name, args, waits);
    switch (name) {
      case "servers":
        this.#servers = Number(args[0]);
        return;
      case "observers":
        this.#observers = Number(args[0]);
        return;
      case "config":
        this.#config.push(args[0] ?? "");
        return;
      case "start":
        for (const server of this.#those(args)) server.start();
        return;
      case "restart":
        return this.#one(args).start();
      case "crash":
      case "power-loss":
        return this.#one(args).crash(name === "power-loss");
      case "pause":
        return this.#one(args).pause();
      case "resume":
        return this.#one(args).resume();
      case "wipe":
        return wipe(this.#one(args));
      case "cut":
        return this.world.network.cut(args[0] ?? "", args[1] ?? "");
      case "heal":
        return this.world.network.heal();
      case "reset":
        return this.world.network.reset(args[0] ?? "", args[1] ?? "");
      case "run":
        return this.world.run(Number(args[0]));
      case "until":
        return this.#untilServing(this.#those(args.slice(1)));
      case "quiet":
        this.#recorder.take();
        return;
      case "trees":
        return this.#trees();
      default:
        throw new Error(`There is no command ${name}.`);
    }
  }

  get world(): World {
    this.#world ??= new World({
      seed: 1,
      servers: this.#servers,
      observers: this.#observers,
      tickTimeMs: 500,
      config: ["preAllocSize=64", ...this.#config].join("\n"),
      network: { minDelayMs: 1, maxDelayMs: 1 },
      disk: { minDelayMs: 1, maxDelayMs: 1 },
      observed: this.#recorder.observed,
    });
    return this.#world;
  }

  #one(args: readonly string[]): SimServer {
    return this.world.server(Number(args[0]));
  }

  #those(args: readonly string[]): readonly SimServer[] {
    return args.length === 0 ? this.world.servers : args.map((id) => this.world.server(Number(id)));
  }

  async #untilServing(servers: readonly SimServer[]): Promise<void> {
    const serving = (): boolean => servers.every(({ server }) => server !== null && server.view.mode() !== null);
    if (!(await this.world.until(serving, SERVING_WITHIN_MS))) this.#recorder.line("not everybody serves");
    // What the last packets of the synchronization still cause.
    await this.world.run(20);
  }

  #trees(): void {
    for (const { id, server } of this.world.servers) {
      if (server === null) continue;
      const { database } = server;
      const { hi, lo } = database.digest ?? { hi: 0, lo: 0 };
      const hex = (part: number): string => part.toString(16).padStart(8, "0");
      this.#recorder.line(`${id} at ${formatZxid(database.lastProcessedZxid)} digest ${hex(hi)}${hex(lo)}`);
    }
  }

  async #client(name: string, args: readonly string[], waits: boolean): Promise<void> {
    const [op, path = "/", ...data] = args;
    if (op === "connect") {
      const servers = args.slice(1).map((id) => `s${id}:2181`);
      const zk = this.world.client({ name, timeoutMs: SESSION_TIMEOUT_MS, servers: servers.join(",") });
      this.#clients.set(name, zk);
      return this.#told(`${name} connect`, zk.connected(), waits);
    }
    const zk = this.#clients.get(name);
    if (zk === undefined) throw new Error(`${name} has not connected.`);
    if (op === "vanish") {
      // No word to anybody, ever again.
      for (const server of this.world.servers) {
        this.world.network.cut(name, server.name);
        this.world.network.cut(server.name, name);
      }
      return;
    }
    const bytes = Buffer.from(data.join(" "));
    const what = [name, ...args].join(" ");
    switch (op) {
      case "create":
        return this.#told(what, zk.create(path, bytes), waits);
      case "ephemeral":
        return this.#told(what, zk.create(path, bytes, { ephemeral: true }), waits);
      case "sequential":
        return this.#told(what, zk.create(path, bytes, { sequential: true }), waits);
      case "set":
        return this.#told(
          what,
          zk.setData(path, bytes).then((stat) => `version ${stat.version}`),
          waits,
        );
      case "get":
        return this.#told(
          what,
          zk.getData(path).then(({ data }) => String(data)),
          waits,
        );
      case "ls":
        return this.#told(
          what,
          zk.getChildren(path).then((children) => [...children].sort().join(" ")),
          waits,
        );
      case "delete":
        return this.#told(what, zk.delete(path), waits);
      case "sync":
        return this.#told(what, zk.sync(path), waits);
      case "close":
        return this.#told(what, zk.close(), waits);
      case "watch":
        return this.#told(
          what,
          zk.exists(path, (event) => this.#recorder.line(`${name} sees ${event.type} ${event.path}`)).then(() => ""),
          waits,
        );
      default:
        throw new Error(`A client cannot ${op}.`);
    }
  }

  async #told(what: string, promise: Promise<unknown>, waits: boolean): Promise<void> {
    const outcome = promise.then(
      (value) => this.#recorder.line(`${what}: ${value === undefined || value === "" ? "ok" : String(value)}`),
      (error: Error) => this.#recorder.line(`${what}: ${error.name}`),
    );
    if (!waits) return;
    await this.world.get(outcome, ANSWER_WITHIN_MS);
    await this.world.run(20);
  }
}

function wipe(server: SimServer): void {
  for (const area of ["log", "snap"] as const) {
    for (const file of [...server.disk.files(area).keys()]) server.disk.remove(area, file);
  }
}
