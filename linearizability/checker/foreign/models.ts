/** What foreign histories are judged by: one register, and one value of a key-value store that can be appended to. */
import { mix } from "../search/state-cache.ts";
import type { Model } from "../search/wgl.ts";
import { ForeignError, type ForeignOperation, type Value } from "./events.ts";

type State = number | string | null;

/** Goes back by remembering each state it has left. */
abstract class ForeignModel implements Model {
  protected readonly operations: readonly ForeignOperation[];
  readonly #before: State[] = [];
  #state: State;
  high = 0;
  low = 0;

  constructor(operations: readonly ForeignOperation[], initial: State) {
    this.operations = operations;
    this.#state = initial;
    this.#hash();
  }

  /** The state after it; undefined: it cannot be. */
  protected abstract step(state: State, operation: ForeignOperation): State | undefined;

  apply(index: number): boolean {
    const next = this.step(this.#state, this.operations[index]!);
    if (next === undefined) return false;
    this.#before.push(this.#state);
    this.#enter(next);
    return true;
  }

  undo(): void {
    this.#enter(this.#before.pop()!);
  }

  describe(): string {
    return JSON.stringify(this.#state);
  }

  #enter(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#hash();
  }

  #hash(): void {
    const known = hashes.get(this.#state);
    if (known !== undefined) {
      [this.high, this.low] = known;
      return;
    }
    let [high, low] = [typeof this.#state === "string" ? 1 : 2, 3];
    const text = String(this.#state);
    for (let at = 0; at < text.length; at++) {
      high = mix(high, text.charCodeAt(at));
      low = mix(low, text.charCodeAt(at) + 1);
    }
    [this.high, this.low] = [high, low];
    hashes.set(this.#state, [high, low]);
  }
}

const hashes = new Map<State, readonly [high: number, low: number]>();

/** read, write v, cas [from to]. Empty at first. */
export class RegisterModel extends ForeignModel {
  constructor(operations: readonly ForeignOperation[]) {
    super(operations, null);
  }

  protected step(state: State, { f, asked, answer, outcome, line }: ForeignOperation): State | undefined {
    switch (f) {
      case "read":
        return state === answer ? state : undefined;
      case "write":
        return asked as State;
      case "cas": {
        const [from, to] = pairOf(asked, line);
        const fits = state === from;
        // Unknown ones are only worth a place in the order if they did something.
        if (outcome === "fail") return fits ? undefined : state;
        return fits ? to : undefined;
      }
      default:
        throw new ForeignError({ code: "BAD_LINE", line, f, wanted: "read, write or cas" });
    }
  }
}

/** get, put v, append v; of one key. Empty at first. */
export class ValueModel extends ForeignModel {
  constructor(operations: readonly ForeignOperation[]) {
    super(operations, "");
  }

  protected step(state: State, { f, asked, answer, line }: ForeignOperation): State | undefined {
    switch (f) {
      case "get":
        return state === String(answer ?? "") ? state : undefined;
      case "put":
        return String(asked ?? "");
      case "append":
        return `${state}${asked}`;
      default:
        throw new ForeignError({ code: "BAD_LINE", line, f, wanted: "get, put or append" });
    }
  }
}

function pairOf(value: Value, line: number): readonly [State, State] {
  if (Array.isArray(value) && value.length === 2) return value as unknown as readonly [State, State];
  throw new ForeignError({ code: "BAD_LINE", line, wanted: "[from to]" });
}
