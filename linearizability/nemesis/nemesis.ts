/** What a nemesis is, and what it works with. A strike injects a fault, waits, and heals; both are lines of the history. */
import { setTimeout as wait } from "node:timers/promises";
import type { Cluster } from "../cluster/cluster.ts";
import type { Member } from "../cluster/member.ts";
import type { Random } from "../cluster/random.ts";
import type { Settings } from "../cluster/settings.ts";
import type { Recorder } from "../run/recorder.ts";
import type { Stage } from "../workloads/stage.ts";

export interface Nemesis {
  readonly name: string;
  /** A sentence. */
  readonly about: string;
  /** Every strike makes the ensemble elect anew. */
  readonly changesLeader?: true;
  /**
   * It takes durable data from a server, which only holds while all others keep theirs: nothing else may happen meanwhile, and
   * it is over when that server has caught up.
   */
  readonly exclusive?: true;
  /** What it disturbs; faults of different kinds may overlap. */
  readonly kind: "process" | "network" | "clients";
  /** zoo.cfg lines that it needs. */
  readonly settings?: Settings;
  /** Why it cannot run here, as a sentence; null if it can. */
  readonly lacks?: (cluster: { readonly kind: string; readonly servers: number }) => string | null;
  /** Before the servers start for the first time. */
  readonly prepare?: (members: readonly Member[], random: Random) => Promise<void>;
  /** After they have ended for the last time. */
  readonly cleanUp?: (members: readonly Member[]) => Promise<void>;
  readonly strike: (field: Field, holdMs: number) => Promise<void>;
}

export interface FieldOptions {
  readonly cluster: Cluster;
  readonly stage: Stage;
  readonly recorder: Recorder;
  readonly random: Random;
  readonly nemesis: string;
  /** The run ends: heal at once. */
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** What one strike works with. */
export class Field {
  readonly cluster: Cluster;
  readonly stage: Stage;
  readonly random: Random;
  readonly #options: FieldOptions;

  constructor(options: FieldOptions) {
    this.cluster = options.cluster;
    this.stage = options.stage;
    this.random = options.random;
    this.#options = options;
  }

  get over(): boolean {
    return this.#options.signal.aborted;
  }

  /** Shorter when the run ends. */
  async hold(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#options.signal }).catch(() => {});
  }

  /** Runs `during` while the fault is there; `heal` runs whatever happens. */
  async fault(
    targets: readonly number[],
    detail: string,
    { inject, heal, during }: { inject: () => unknown; heal: () => unknown; during: () => Promise<unknown> },
  ): Promise<void> {
    const { recorder, nemesis, say } = this.#options;
    const fault = recorder.nextFault(nemesis);
    recorder.fault({ fault, nemesis, action: "inject", targets, detail });
    say(`${nemesis}: ${detail}`);
    try {
      await inject();
      await during();
    } finally {
      await heal();
      recorder.fault({ fault, nemesis, action: "heal", targets, detail: `over: ${detail}` });
      say(`${nemesis}: healed`);
    }
  }

  /** Something that cannot be undone. */
  point(targets: readonly number[], detail: string): void {
    const { recorder, nemesis, say } = this.#options;
    recorder.fault({ fault: recorder.nextFault(nemesis), nemesis, action: "point", targets, detail });
    say(`${nemesis}: ${detail}`);
  }

  /** The leader as last seen; any server while there is none. */
  async leader(): Promise<Member> {
    return this.cluster.leader().catch(() => this.random.pick(this.cluster.members));
  }

  async follower(): Promise<Member> {
    const leader = await this.leader();
    return this.random.pick(this.cluster.members.filter((member) => member !== leader));
  }

  /** So many that the rest is still a quorum. */
  minority(): Member[] {
    const { members, quorum } = this.cluster;
    return this.random.shuffled(members).slice(0, members.length - quorum);
  }
}

export function ids(members: readonly Member[]): number[] {
  return members.map((member) => member.id).sort((a, b) => a - b);
}

/** "server 2", "servers 1 and 3". */
export function named(members: readonly Member[]): string {
  const [first, ...rest] = ids(members);
  if (rest.length === 0) return `server ${first}`;
  return `servers ${[first, ...rest.slice(0, -1)].join(", ")} and ${rest[rest.length - 1]}`;
}
