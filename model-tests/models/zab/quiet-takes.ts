/**
 * A reduction of the search: packets that a learner may take at once, because nothing can tell when it took them. A take is
 * quiet if
 * - it changes nothing but the learner's memory: it sends nothing, and no property sees the difference;
 * - it commutes with whatever else can happen to the learner: with the end of its connection and with crashes (which forget
 *   it), and with every answer of its disk, after which it is quiet again.
 * Nothing else happens to a learner, and what others do meets it only at the other end of a queue. So from each state that
 * the search leaves out, what can happen can also happen after the take, with the same outcome (confluence).
 *
 * This is not assumed: it is computed for each local state and packet from the very steps that the search uses, so it holds
 * for mutants as well.
 */

import { PairMemo } from "../../checker/memo.ts";
import type { AbstractStates } from "./abstract.ts";
import type { ServerEvent } from "./server-state.ts";
import type { ServerInfo, ZabWorld } from "./world.ts";

const NO = 0;
const YES = 1;

export class QuietTakes {
  readonly #world: ZabWorld;
  readonly #states: AbstractStates;
  readonly #known = new PairMemo();
  readonly #gone: number;

  constructor(world: ZabWorld, states: AbstractStates) {
    this.#world = world;
    this.#states = states;
    this.#gone = world.serverEvent({ type: "LEADER_GONE" });
  }

  /** Takes a server's local state and the event of taking the packet. */
  isQuiet(server: number, take: number): boolean {
    const known = this.#known.get(server, take);
    if (known !== -1) return known === YES;
    const quiet = this.#judge(server, take);
    this.#known.set(server, take, quiet ? YES : NO);
    return quiet;
  }

  #judge(server: number, take: number): boolean {
    const { machine } = this.#world.servers;
    if (machine.outputs(machine.step(server, take)).length > 0) return false;
    const after = this.#next(server, take);
    if (this.#world.viewNumber(server, this.#states) !== this.#world.viewNumber(after, this.#states)) return false;
    const before = this.#world.serverInfo(server);
    if (JSON.stringify(before) !== JSON.stringify(this.#world.serverInfo(after))) return false;
    return (
      endings(before).every((event) => this.#isForgotten(server, after, this.#world.serverEvent(event))) &&
      this.#isForgotten(server, after, this.#gone) &&
      answers(before).every((event) => this.#commutes(server, after, take, this.#world.serverEvent(event)))
    );
  }

  /** The event leads to the same state, and says the same, whether the packet was taken or not. */
  #isForgotten(server: number, after: number, event: number): boolean {
    return this.#next(server, event) === this.#next(after, event) && this.#sameOutputs(server, after, event);
  }

  #commutes(server: number, after: number, take: number, event: number): boolean {
    const other = this.#next(server, event);
    return (
      this.#sameOutputs(server, after, event) &&
      this.#next(other, take) === this.#next(after, event) &&
      this.isQuiet(other, take)
    );
  }

  #next(server: number, event: number): number {
    const { machine } = this.#world.servers;
    return machine.next(machine.step(server, event));
  }

  #sameOutputs(server: number, after: number, event: number): boolean {
    const { machine } = this.#world.servers;
    const outputs = (of: number): string => JSON.stringify(machine.outputs(machine.step(of, event)));
    return outputs(server) === outputs(after);
  }
}

/** After these the learner remembers nothing of its leader's packets. */
function endings({ unsynced }: ServerInfo): ServerEvent[] {
  return Array.from({ length: unsynced + 1 }, (_, kept) => ({ type: "CRASH", kept }) as const);
}

function answers(info: ServerInfo): ServerEvent[] {
  const events: ServerEvent[] = [];
  if (info.logSyncs) events.push({ type: "LOG_SYNCED" });
  if (info.epochWrites) events.push({ type: "EPOCH_WRITTEN" });
  if (info.truncates) events.push({ type: "TRUNCATED" });
  if (info.snapshots) events.push({ type: "SNAPSHOT_STEP" });
  return events;
}
