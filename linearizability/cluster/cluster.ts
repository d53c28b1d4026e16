/** An ensemble of processes with a network that can be broken. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { sleep, until } from "../../model-tests/support/until.ts";
import { Member, type SystemKind } from "./member.ts";
import { Network } from "./network.ts";
import { launchOf, type Settings, zooCfg } from "./settings.ts";

export type Role = "looking" | "following" | "leading" | "observing";

export interface ClusterEvents {
  started(member: Member): void;
  ended(member: Member, how: string, expected: boolean): void;
  role(member: Member, role: Role, epoch: number | null): void;
}

export interface ClusterOptions {
  readonly kind: SystemKind;
  /** Where its code is; null: in the build that runs. */
  readonly serverBuild: string | null;
  readonly servers: number;
  readonly seed: number;
  /** The run folder. */
  readonly directory: string;
  readonly settings: Settings;
  readonly events: ClusterEvents;
  /** Before the first start: puts files into data directories. */
  readonly prepare?: (members: readonly Member[]) => Promise<void>;
}

const POLL_MS = 400;
/** A server that ended by itself is started again after this, as a service manager does. */
const RESTART_AFTER_MS = 800;

const ROLE_OF_MODE: Readonly<Record<string, Role>> = {
  leader: "leading",
  standalone: "leading",
  follower: "following",
  observer: "observing",
};

export class Cluster {
  readonly kind: SystemKind;
  readonly members: readonly Member[];
  readonly network: Network;
  readonly #options: ClusterOptions;
  readonly #roles = new Map<number, Role>();
  #poll: NodeJS.Timeout | null = null;
  #closed = false;
  /** Ends that nobody here asked for, as sentences. */
  readonly crashes: string[] = [];

  constructor(options: ClusterOptions, network: Network) {
    this.kind = options.kind;
    this.network = network;
    this.#options = options;
    const launch = launchOf(options.kind, options.serverBuild);
    this.members = network.servers.map((ports) => {
      const directory = join(options.directory, "servers", String(ports.id));
      mkdirSync(directory, { recursive: true });
      // Beside the log: what its charts did, for `npm run check:trace`.
      const trace = options.kind === "zoetrope" ? { "zoetrope.traceFile": join(directory, "trace.jsonl") } : {};
      const config = zooCfg(ports, network, join(directory, "data"), { ...trace, ...options.settings });
      const events = {
        started: (member: Member) => options.events.started(member),
        ended: (member: Member, how: string, expected: boolean) => this.#ended(member, how, expected),
        line: (member: Member, line: string) => this.#line(member, line),
      };
      return new Member({ ports, directory, zooCfg: config, launch, events });
    });
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const ids = Array.from({ length: options.servers }, (_, index) => index + 1);
    const network = await Network.open(ids, options.seed);
    const cluster = new Cluster(options, network);
    await options.prepare?.(cluster.members);
    for (const member of cluster.members) member.start();
    cluster.#watchRoles();
    return cluster;
  }

  get ids(): readonly number[] {
    return this.members.map((member) => member.id);
  }

  /** More than half. */
  get quorum(): number {
    return Math.floor(this.members.length / 2) + 1;
  }

  member(id: number): Member {
    const member = this.members.find((candidate) => candidate.id === id);
    if (member === undefined) throw new Error(`There is no server ${id}`);
    return member;
  }

  /** As last seen. */
  role(member: Member): Role {
    return member.running ? (this.#roles.get(member.id) ?? "looking") : "looking";
  }

  /** The leader as last seen; asks for it anew when none is known. */
  async leader(timeoutMs = 15_000): Promise<Member> {
    const known = () => this.members.find((member) => member.healthy && this.role(member) === "leading");
    return known() ?? until("a leader", known, { timeoutMs });
  }

  /** Waits until every server that should run serves. */
  async serving(timeoutMs: number): Promise<void> {
    const serves = async (member: Member) => (await this.#askRole(member)) !== "looking";
    await until(
      "every server to serve",
      async () => (await Promise.all(this.members.map(serves))).every((one) => one),
      { timeoutMs, everyMs: 100 },
    );
  }

  /** The zxid that a server has applied last, as it says; null while it does not serve. */
  async lastZxid(member: Member): Promise<number | null> {
    const answer = member.healthy ? await member.ask("srvr").catch(() => "") : "";
    const zxid = /^Zxid: 0x([0-9a-f]+)$/m.exec(answer)?.[1];
    return zxid === undefined ? null : Number.parseInt(zxid, 16);
  }

  /** zxid → digest, at every 128th txn that the server remembers. */
  async digests(member: Member): Promise<ReadonlyMap<number, string>> {
    const answer = await member.ask("hash").catch(() => "");
    const lines = [...answer.matchAll(/^([0-9a-f]+): (-?\d+)$/gm)];
    return new Map(lines.map(([, zxid, digest]) => [Number.parseInt(zxid!, 16), digest!]));
  }

  /** Ends every process and link; whatever happens, nothing of it is left. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#poll !== null) clearInterval(this.#poll);
    await Promise.all(this.members.map((member) => member.kill()));
    await this.network.close();
    await Promise.all(this.members.map((member) => member.closeLog()));
  }

  /** SIGTERM to all: logs are written out. */
  async stop(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.members.map((member) => member.stop()));
  }

  #watchRoles(): void {
    let asking = false;
    this.#poll = setInterval(() => {
      if (asking) return;
      asking = true;
      void Promise.all(this.members.map((member) => this.#askRole(member))).then(() => {
        asking = false;
      });
    }, POLL_MS);
  }

  async #askRole(member: Member): Promise<Role> {
    if (!member.healthy) return "looking";
    const answer = await member.ask("srvr").catch(() => "");
    const role = ROLE_OF_MODE[/^Mode: (.+)$/m.exec(answer)?.[1] ?? ""] ?? "looking";
    // No answer says nothing: it may be busy, or about to be paused.
    if (answer !== "" && member.healthy) this.#setRole(member, role, epochIn(answer));
    return role;
  }

  #setRole(member: Member, role: Role, epoch: number | null): void {
    if (this.#roles.get(member.id) === role) return;
    this.#roles.set(member.id, role);
    this.#options.events.role(member, role, role === "leading" ? epoch : null);
  }

  /** Zoetrope tells of roles the moment they begin. */
  #line(member: Member, line: string): void {
    const found = / INFO {2}(leading|serving)\b.*\bepoch=(\d+)/.exec(line);
    if (found === null) return;
    // A new epoch is news even to a leader that leads again.
    this.#roles.delete(member.id);
    this.#setRole(member, found[1] === "leading" ? "leading" : "following", Number(found[2]));
  }

  #ended(member: Member, how: string, expected: boolean): void {
    this.#roles.delete(member.id);
    this.#options.events.ended(member, how, expected);
    if (expected || this.#closed) return;
    if (member.excused === null) this.crashes.push(`server ${member.id} ended by itself (${how})`);
    void this.#startAgain(member);
  }

  async #startAgain(member: Member): Promise<void> {
    await sleep(RESTART_AFTER_MS);
    if (!this.#closed && !member.running && !member.heldDown) member.start();
  }
}

/** srvr tells the last zxid; its upper half is the epoch, unless the leader has not led a txn yet. */
function epochIn(answer: string): number | null {
  const zxid = /^Zxid: 0x([0-9a-f]+)$/m.exec(answer)?.[1];
  return zxid === undefined ? null : Math.floor(Number.parseInt(zxid, 16) / 2 ** 32);
}
