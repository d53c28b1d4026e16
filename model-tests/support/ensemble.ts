/** Ensembles of real processes for tests: `await using ensemble = await startEnsemble({ servers: 3 })`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "./ports.ts";
import { type ServerKind, ServerProcess } from "./server-process.ts";
import { until } from "./until.ts";

export interface EnsembleOptions {
  /** 1 is a standalone server. */
  readonly servers: number;
  /** One for all, or one per server. */
  readonly kind?: ServerKind | readonly ServerKind[];
  /** More zoo.cfg lines, for all servers. */
  readonly settings?: readonly string[];
  /** More lines for one server, which keeps its data in `home`. */
  readonly ownSettings?: (server: { readonly id: number; readonly home: string }) => readonly string[];
  /** Ids of members that do not vote. */
  readonly observers?: readonly number[];
  /** false: make the processes but start none. */
  readonly start?: boolean;
}

/** Short ticks keep tests quick; a session lasts at least 2 of them. */
const SETTINGS = [
  "tickTime=500",
  "initLimit=20",
  "syncLimit=8",
  "4lw.commands.whitelist=*",
  "admin.enableServer=false",
];

export class Ensemble implements AsyncDisposable {
  readonly servers: readonly ServerProcess[];
  readonly #directory: string;

  constructor(servers: readonly ServerProcess[], directory: string) {
    this.servers = servers;
    this.#directory = directory;
  }

  /** All client addresses, as a connect string. */
  get addresses(): string {
    return this.servers.map((server) => server.address).join(",");
  }

  server(id: number): ServerProcess {
    const server = this.servers.find((candidate) => candidate.id === id);
    if (server === undefined) throw new Error(`There is no server ${id}`);
    return server;
  }

  get running(): readonly ServerProcess[] {
    return this.servers.filter((server) => server.running);
  }

  /** Waits until every running server serves. */
  async serves(timeoutMs = 40_000): Promise<void> {
    await Promise.all(this.running.map((server) => server.serves(timeoutMs)));
  }

  /** The server that leads (or is standalone), waiting for one if need be. */
  async leader(timeoutMs = 30_000): Promise<ServerProcess> {
    const lead = async (server: ServerProcess) => ["leader", "standalone"].includes((await server.mode()) ?? "");
    return until(
      "a leader",
      async () => {
        const modes = await Promise.all(this.running.map(async (server) => ((await lead(server)) ? server : null)));
        return modes.find((server) => server !== null);
      },
      { timeoutMs },
    );
  }

  async followers(): Promise<readonly ServerProcess[]> {
    const leader = await this.leader();
    return this.running.filter((server) => server !== leader);
  }

  async killAll(): Promise<void> {
    await Promise.all(this.running.map((server) => server.kill()));
  }

  startAll(): void {
    for (const server of this.servers) if (!server.running) server.start();
  }

  /** Logs of all servers, to be shown when a test fails. */
  get logs(): string {
    return this.servers.map((server) => `--- server ${server.id} (${server.kind})\n${server.log}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll();
    if (process.env["ZOETROPE_KEEP_DATA"] === "1") process.stderr.write(`Kept: ${this.#directory}\n`);
    else rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Starts an ensemble in a fresh temporary directory and waits until all of it serves. */
export async function startEnsemble(options: EnsembleOptions): Promise<Ensemble> {
  const { servers: count, kind = "zoetrope", settings = [], observers = [] } = options;
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-test-"));
  const ports = await freePorts(count * 3);
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const members = ids.map((id) => {
    const role = observers.includes(id) ? "observer" : "participant";
    return `server.${id}=127.0.0.1:${ports[count + id - 1]}:${ports[2 * count + id - 1]}:${role}`;
  });
  const servers = ids.map((id) => {
    const home = join(directory, String(id));
    const clientPort = ports[id - 1]!;
    const own = [`dataDir=${home}`, `clientPort=${clientPort}`, "clientPortAddress=127.0.0.1"];
    const lines = [
      ...SETTINGS.filter((line) => !isOverridden(line, settings)),
      ...settings,
      ...(options.ownSettings?.({ id, home }) ?? []),
      ...own,
      ...(count > 1 ? members : []),
    ];
    const kindOf = typeof kind === "string" ? kind : kind[id - 1]!;
    return new ServerProcess({ kind: kindOf, id, clientPort, directory: home, zooCfg: `${lines.join("\n")}\n` });
  });
  const ensemble = new Ensemble(servers, directory);
  if (options.start === false) return ensemble;
  try {
    ensemble.startAll();
    await ensemble.serves();
  } catch (error) {
    await ensemble[Symbol.asyncDispose]();
    throw error;
  }
  return ensemble;
}

function isOverridden(line: string, settings: readonly string[]): boolean {
  const key = line.slice(0, line.indexOf("=") + 1);
  return settings.some((setting) => setting.startsWith(key));
}
