/** What is measured, as data. */
import type { Work, WorkKind } from "./load/works.ts";

/**
 * - standard: the default, five minutes. wide: all there is. goals: what the project has set out to reach.
 * - regression: few and steady, for comparisons with the recorded baseline.
 */
export const SETS = ["standard", "wide", "goals", "regression"] as const;
export type SetName = (typeof SETS)[number];

interface Common {
  readonly name: string;
  /** For tables. */
  readonly title: string;
  readonly servers: number;
  readonly sets: readonly SetName[];
}

export interface LoadScenario extends Common {
  readonly kind: "load";
  readonly sessions: number;
  readonly outstanding: number;
  readonly work: Work;
  /** An offered load; null: the next request when one is answered. */
  readonly ratePerSecond: number | null;
}

export type EventName =
  | "start"
  | "recovery"
  | "snapshot"
  | "large-tree"
  | "storm"
  | "idle"
  | "fan-out"
  | "watches"
  | "failover"
  | "bare-socket";

export interface EventScenario extends Common {
  readonly kind: "event";
  readonly event: EventName;
  /** Roughly, per system, for the progress display. */
  readonly seconds: number;
}

export type Scenario = LoadScenario | EventScenario;

const NODES = 1000;
const VALUE_BYTES = 1024;
/** Where no peer was measured that the load could be half of. */
export const DEFAULT_RATE = 20_000;

const GOALS: readonly string[] = [
  "1-50x50-r100",
  "1-50x1-r100",
  "3-60x50-r100",
  "3-60x50-r90",
  "3-60x50-r0",
  "3-1x1-r0",
];
const REGRESSION: readonly string[] = ["1-50x50-r100", "1-50x1-r100", "1-50x50-r0", "3-60x50-r90", "3-60x50-r0"];
/** Besides the read fractions. */
const STANDARD: readonly string[] = ["1-50x1-r100", "1-50x1-r0", "3-1x1-r0", "3-open-r90", "1-multi"];

function setsOf(name: string, standard: boolean): SetName[] {
  const sets: SetName[] = ["wide"];
  if (standard || STANDARD.includes(name)) sets.push("standard");
  if (GOALS.includes(name) || name === "3-open-r90") sets.push("goals");
  if (REGRESSION.includes(name)) sets.push("regression");
  return sets;
}

interface LoadShape {
  readonly servers: number;
  readonly sessions: number;
  readonly outstanding: number;
  readonly readPercent?: number;
  readonly valueBytes?: number;
  readonly nodes?: number;
  readonly kind?: WorkKind;
}

function loadScenario(name: string, what: string, shape: LoadShape, standard = false): LoadScenario {
  const { servers, sessions, outstanding } = shape;
  const { readPercent = 100, valueBytes = VALUE_BYTES, nodes = NODES, kind = "mix" } = shape;
  return {
    kind: "load",
    name,
    title: `${serversText(servers)}, ${sessions} × ${outstanding}, ${what}`,
    servers,
    sets: setsOf(name, standard),
    sessions,
    outstanding,
    work: { kind, readPercent, valueBytes, nodes },
    ratePerSecond: null,
  };
}

function serversText(servers: number): string {
  return `${servers} ${servers === 1 ? "server" : "servers"}`;
}

function reading(readPercent: number): string {
  return readPercent === 100 ? "reads" : readPercent === 0 ? "writes" : `${readPercent}% reads`;
}

function mixed(servers: number, sessions: number, outstanding: number, readPercent: number, standard = false) {
  const name = `${servers}-${sessions}x${outstanding}-r${readPercent}`;
  return loadScenario(name, reading(readPercent), { servers, sessions, outstanding, readPercent }, standard);
}

function sized(valueBytes: number, label: string, outstanding: number, readPercent: number): LoadScenario {
  const shape = { servers: 1, sessions: 50, outstanding, readPercent, valueBytes };
  // A thousand of 100 KB would be a test of the heap.
  const nodes = valueBytes > 10_000 ? 100 : NODES;
  return loadScenario(`1-${label}-r${readPercent}`, `${reading(readPercent)} of ${label}`, { ...shape, nodes });
}

function special(kind: WorkKind, what: string, sessions: number, outstanding: number, servers = 1): LoadScenario {
  const valueBytes = kind === "multi" || kind === "sync-read" || kind === "exists" ? VALUE_BYTES : 100;
  return loadScenario(`${servers}-${kind}`, what, { servers, sessions, outstanding, valueBytes, kind });
}

function open(servers: number, readPercent: number): LoadScenario {
  const name = `${servers}-open-r${readPercent}`;
  const what = `${reading(readPercent)} at a fixed load`;
  const scenario = loadScenario(name, what, { servers, sessions: 60, outstanding: 1, readPercent });
  return { ...scenario, title: `${serversText(servers)}, 60 sessions, ${what}`, ratePerSecond: DEFAULT_RATE };
}

function event(name: EventName, servers: number, seconds: number, title: string, sets: SetName[]): EventScenario {
  return { kind: "event", name, event: name, servers, seconds, title, sets: ["wide", ...sets] };
}

const READ_FRACTIONS = [100, 99, 90, 50, 0];

export const SCENARIOS: readonly Scenario[] = [
  ...READ_FRACTIONS.map((percent) => mixed(1, 50, 50, percent, true)),
  ...READ_FRACTIONS.map((percent) => mixed(3, 60, 50, percent, true)),
  ...READ_FRACTIONS.map((percent) => mixed(5, 60, 50, percent, true)),
  ...[1, 10, 100].flatMap((outstanding) => [mixed(1, 50, outstanding, 100), mixed(1, 50, outstanding, 0)]),
  ...[1, 10, 100, 1000].flatMap((sessions) => [mixed(1, sessions, 5, 100), mixed(1, sessions, 5, 0)]),
  mixed(3, 60, 1, 100),
  mixed(3, 60, 1, 0),
  mixed(3, 1, 1, 0),
  mixed(3, 1, 1, 100),
  sized(100, "100B", 50, 100),
  sized(100, "100B", 50, 0),
  sized(100_000, "100KB", 2, 100),
  sized(100_000, "100KB", 2, 0),
  special("exists", "exists", 50, 50),
  special("children", "getChildren of 10,000", 20, 1),
  special("ephemerals", "create and delete ephemerals", 50, 10),
  special("multi", "multi of a check and two setData", 50, 10),
  special("sync-read", "sync and read", 50, 10),
  special("sync-read", "sync and read", 60, 10, 3),
  special("sequential", "sequential creates", 50, 10),
  open(1, 90),
  open(3, 90),
  event("bare-socket", 1, 6, "A bare socket loop in Node: what reads cost the platform", ["standard", "goals"]),
  event("start", 1, 8, "Start of an empty server", ["standard", "goals"]),
  event("storm", 1, 8, "5,000 clients connect", ["standard"]),
  event("failover", 3, 27, "kill -9 of the leader of 3", ["standard", "goals"]),
  event("recovery", 1, 24, "Start with 1 million znodes of 100 B", ["goals"]),
  event("snapshot", 1, 30, "A snapshot of 1 million znodes while serving", ["goals"]),
  event("large-tree", 1, 20, "Reads of 1 million znodes, beside 1,000", ["goals"]),
  event("idle", 1, 35, "Idle sessions", ["goals"]),
  event("fan-out", 1, 20, "10,000 watchers of one znode", []),
  event("watches", 1, 20, "100,000 watched znodes", []),
].filter(({ name }, index, all) => all.findIndex((other) => other.name === name) === index);

/** Runs before anything is measured, so that every system is warm: all kinds of requests at once. */
export function warmUpOf(servers: number): LoadScenario {
  return { ...mixed(servers, 50, 20, 70), name: `${servers}-warm-up` };
}

/** `only`: parts of names, or whole names, which then mean just themselves; these choose from all there is. */
export function chosen(set: SetName, only: readonly string[]): Scenario[] {
  if (only.length === 0) return SCENARIOS.filter(({ sets }) => sets.includes(set));
  const exact = new Set(SCENARIOS.map(({ name }) => name));
  return SCENARIOS.filter(({ name }) => only.some((part) => (exact.has(part) ? name === part : name.includes(part))));
}
