/** What is measured, as data. */
import type { Mix } from "./load/requests.ts";

export interface Scenario {
  readonly name: string;
  /** For tables. */
  readonly title: string;
  readonly servers: number;
  readonly sessions: number;
  readonly outstanding: number;
  readonly mix: Mix;
}

const NODES = 1000;
const VALUE_BYTES = 1024;

function scenario(servers: number, sessions: number, outstanding: number, readPercent: number): Scenario {
  const kind = readPercent === 100 ? "reads" : readPercent === 0 ? "writes" : `${readPercent}% reads`;
  return {
    name: `${servers}-${sessions}x${outstanding}-r${readPercent}`,
    title: `${servers} ${servers === 1 ? "server" : "servers"}, ${sessions} × ${outstanding}, ${kind}`,
    servers,
    sessions,
    outstanding,
    mix: { readPercent, valueBytes: VALUE_BYTES, nodes: NODES },
  };
}

export const SCENARIOS: readonly Scenario[] = [
  scenario(1, 50, 50, 100),
  scenario(1, 50, 1, 100),
  scenario(1, 50, 50, 90),
  scenario(1, 50, 50, 0),
  scenario(1, 50, 1, 0),
  scenario(3, 60, 50, 100),
  scenario(3, 60, 50, 90),
  scenario(3, 60, 50, 0),
  scenario(3, 1, 1, 0),
];

/** Runs before anything is measured, so that every system is warm: all kinds of requests at once. */
export function warmUpOf(servers: number): Scenario {
  return { ...scenario(servers, 50, 20, 70), name: `${servers}-warm-up` };
}
