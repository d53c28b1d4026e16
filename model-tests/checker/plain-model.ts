/**
 * A model from plain values: a state is any JSON-plain value, and `steps` lists what can happen in it. The whole state is
 * interned, so it costs what its text costs: right for models of up to a million states. Larger ones lay their states out
 * in words of their own.
 */

import { assert } from "../../src/runtime/assert.ts";
import { InternPool } from "./intern-pool.ts";
import type { ChannelPicture, Model, Properties } from "./model.ts";

export interface PlainStep<State> {
  /** One of `PlainModelOptions.actions`. */
  readonly action: string;
  /** Its parameters, as a person reads them. */
  readonly detail?: string;
  /** Index of the lane that acts. */
  readonly lane?: number;
  readonly next: State;
}

export interface PlainModelOptions<State> {
  readonly name: string;
  readonly initial: readonly State[];
  readonly actions: readonly string[];
  /** Those of `actions` that are faults. */
  readonly faults?: readonly string[];
  /** Must list in an order that depends on the state alone. */
  readonly steps: (state: State) => Iterable<PlainStep<State>>;
  /** Equal for equal states only; the default is `JSON.stringify`, for states built with one order of fields. */
  readonly key?: (state: State) => string;
  readonly properties?: Partial<Properties<State>>;
  /** Renamings of look-alike parts, without the identity. */
  readonly renamings?: readonly ((state: State) => State)[];
  readonly lanes?: readonly string[];
  /** Default: the fields of the state. */
  readonly facts?: (state: State) => ReadonlyMap<string, string>;
  readonly channels?: (state: State) => readonly ChannelPicture[];
}

export function plainModel<State>(options: PlainModelOptions<State>): Model<State> {
  const { actions, faults = [], renamings = [], properties = {} } = options;
  const pool = new InternPool<State>(options.name, options.key ?? ((state) => JSON.stringify(state)));
  const described: { readonly kind: number; readonly text: string; readonly lane: number | null }[] = [];
  const known = new Map<string, number>();
  const words = new Int32Array(1);

  const actionOf = ({ action, detail, lane }: PlainStep<State>): number => {
    const text = detail === undefined ? action : `${action} ${detail}`;
    const key = `${lane ?? ""}|${text}`;
    const seen = known.get(key);
    if (seen !== undefined) return seen;
    const kind = actions.indexOf(action);
    assert(kind !== -1, `${options.name}: ${action} is not among the model's actions.`);
    known.set(key, described.length);
    described.push({ kind, text, lane: lane ?? null });
    return described.length - 1;
  };
  const describe = (action: number) => described[action] as (typeof described)[number];

  return {
    name: options.name,
    width: 1,
    pools: [pool as InternPool<unknown>],
    initial: (emit) => {
      for (const state of options.initial) {
        words[0] = pool.intern(state);
        emit(words);
      }
    },
    successors: (now, emit) => {
      for (const step of options.steps(pool.get(now[0] as number))) {
        words[0] = pool.intern(step.next);
        emit(words, actionOf(step));
      }
    },
    decode: (now) => pool.get(now[0] as number),
    properties: { always: [], neverStep: [], sometimes: [], reachable: [], ...properties },
    symmetry: {
      size: renamings.length + 1,
      permute: (now, permutation, into) => {
        const rename = renamings[permutation - 1];
        const state = pool.get(now[0] as number);
        into[0] = pool.intern(rename === undefined ? state : rename(state));
      },
    },
    actionKinds: actions,
    kindOf: (action) => describe(action).kind,
    isFault: (action) => faults.includes(actions[describe(action).kind] as string),
    storyboard: {
      lanes: options.lanes ?? [],
      describe,
      facts: options.facts ?? factsOf,
      channels: options.channels ?? (() => []),
    },
  };
}

function factsOf(state: unknown): Map<string, string> {
  if (typeof state !== "object" || state === null) return new Map([["state", String(state)]]);
  return new Map(Object.entries(state).map(([name, value]) => [name, JSON.stringify(value) ?? "-"]));
}
