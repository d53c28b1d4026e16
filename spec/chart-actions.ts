/**
 * The only two actions a chart uses besides `assign`. Neither does anything when it runs: the message is in its params.
 *
 * ```ts
 * setup({ types: {} as { context: Context; events: Event; input: Input }, actions: chartActions<PeerEffect>() })
 * entry: { type: "effect", params: ({ context }) => ({ type: "broadcast.open", epoch: context.epoch }) }
 * on: { ACK: { actions: { type: "hot", params: { handler: "leader.ack" } } } }
 * ```
 */
export type ChartActions<TEffect> = {
  /** Ask the world for something: one effect, or several in order. */
  effect: (args: unknown, params: TEffect | readonly TEffect[]) => void;
  /** This event is admitted here and handled by a core, without the interpreter (runtime/hot-table.ts has the rules). */
  hot: (args: unknown, params: HotParams) => void;
};

export interface HotParams {
  /** Name of the core's handler, such as "leader.ack". */
  readonly handler: string;
}

function inert(): void {}

export function chartActions<TEffect>(): ChartActions<TEffect> {
  return { effect: inert, hot: inert };
}
