/** What reads cost a socket loop in Node that does nothing else, and how much load the generator can make at all. */

import type { LoadOutcome } from "../load/missions/mission.ts";
import { runLoad } from "../load/run-load.ts";
import { bareSocket } from "../systems/zoetrope.ts";
import { type Event, figure, result, withCluster } from "./event.ts";

const work = { kind: "mix", readPercent: 100, valueBytes: 1024, nodes: 1000 } as const;

export const bareSocketLoop: Event = (context) =>
  withCluster({ ...context, system: bareSocket() }, { servers: 1 }, async ({ ports, pids }) => {
    const measure = (outstanding: number) => {
      const shape = { sessions: 50, outstanding, warmUpMs: 700, windowMs: 2000, ratePerSecond: null };
      return runLoad({ kind: "load", ports, pids, work, ...shape });
    };
    const single = await measure(1);
    const pipelined = await measure(50);
    return {
      ...result(context, [...figuresOf("50 × 1", single), ...figuresOf("50 × 50", pipelined)]),
      system: "bare-socket",
    };
  });

function figuresOf(load: string, { operations, seconds, serverCpu, generatorCpu }: LoadOutcome) {
  return [
    figure(`${load}: answers`, operations / seconds, "/s"),
    figure(`${load}: loop's CPU per request`, ((serverCpu[0] as number) / operations) * 1e6, "µs"),
    figure(`${load}: generator's CPU per request`, (generatorCpu / operations) * 1e6, "µs"),
  ];
}
