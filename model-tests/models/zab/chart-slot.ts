/** A chart inside a server's step: `ChartRunner`'s order of things (src/runtime/chart.ts), on memoised transitions. */

import type { AnyStateMachine, EventFromLogic } from "xstate";
import type { ChartMachine, ChartState, TimerFired } from "../../checker/chart-machine.ts";

export interface ChartSlotPorts<TEffect> {
  perform(effect: TEffect): void;
  unexpected(state: string, event: string): void;
}

export class ChartSlot<M extends AnyStateMachine, TEffect> {
  readonly #machine: ChartMachine<M, TEffect>;
  readonly #ports: ChartSlotPorts<TEffect>;
  #id: number;
  readonly #waiting: (EventFromLogic<M> | TimerFired)[] = [];
  #stepping = false;

  constructor(machine: ChartMachine<M, TEffect>, id: number, ports: ChartSlotPorts<TEffect>) {
    this.#machine = machine;
    this.#id = id;
    this.#ports = ports;
  }

  get id(): number {
    return this.#id;
  }

  get state(): ChartState {
    return this.#machine.state(this.#id);
  }

  get path(): string {
    return this.#machine.path(this.#id);
  }

  matches(path: string): boolean {
    return this.path === path || this.path.startsWith(`${path}.`);
  }

  /** The core's handler that the state admits for an event; null: the chart's business. */
  admitted(event: EventFromLogic<M>): string | null {
    const { parts } = this.#machine;
    const [output] = parts.outputs(parts.step(this.#id, parts.events.intern(event)));
    return output?.type === "hot" ? output.handler : null;
  }

  send(event: EventFromLogic<M> | TimerFired): void {
    this.#waiting.push(event);
    if (this.#stepping) return;
    this.#stepping = true;
    const { parts } = this.#machine;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const transition = parts.step(this.#id, parts.events.intern(next));
      const from = this.#id;
      this.#id = parts.next(transition);
      for (const output of parts.outputs(transition)) {
        if (output.type === "effect") this.#ports.perform(output.effect);
        else if (output.type === "unexpected") this.#ports.unexpected(output.state, output.event);
        else this.#ports.unexpected(this.#machine.path(from), `${output.handler} through the interpreter`);
      }
    }
    this.#stepping = false;
  }
}
