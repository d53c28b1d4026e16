/** What `npm run faults` is asked for. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import type { SystemKind } from "../cluster/member.ts";
import { isBuild } from "../cluster/settings.ts";
import { EVERYTHING, NEMESES, NONE } from "../nemesis/index.ts";
import { WORKLOADS } from "../workloads/index.ts";
import { isTier, planRun, type RunPlan, TIERS, type Tier, tierPlans } from "./tiers.ts";

/** Wrong options; the message is a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface FaultsOptions {
  readonly plans: readonly RunPlan[];
  readonly kind: SystemKind;
  /** Where run folders go. */
  readonly out: string;
}

export const USAGE = `npm run faults -- [options]

Breaks an ensemble of real processes in every way that happens in the field, and writes what clients saw to runs/<time>-<seed>.
Judge it with: npm run check:linearizability

  --tier ${Object.keys(TIERS).join("|")}   which runs; smoke if nothing else is said
  --workload a,b      instead of a tier: one run with these workloads
  --nemesis a,b       and these nemeses, in turns ("${EVERYTHING}": all at once, "${NONE}": no faults)
  --seconds N         length of its load, heal and final phase not counted (default 60)
  --servers 3|5       (default 3)
  --seed N            repeats a schedule
  --load X            multiplies the rate of every workload (default 1)
  --peer zookeeper    breaks Apache ZooKeeper instead, where it is installed
  --server-build DIR  breaks servers of another build: an earlier one, or one with a fault planted
  --out DIR           where run folders go (default runs)
  --list              names of workloads and nemeses

${Object.entries(TIERS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join("\n")}
`;

export function list(): string {
  const table = (items: readonly { readonly name: string; readonly about: string }[]): string =>
    items.map(({ name, about }) => `  ${name.padEnd(26)}${about}`).join("\n");
  return `Workloads\n${table(WORKLOADS)}\n\nNemeses\n${table(NEMESES)}\n`;
}

/** @returns null when only help was asked for */
export function parseOptions(args: readonly string[]): FaultsOptions | "help" | "list" {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const values = parse(args, {
    tier: text,
    workload: text,
    nemesis: text,
    seconds: text,
    servers: text,
    seed: text,
    load: text,
    peer: text,
    "server-build": text,
    out: text,
    list: flag,
    help: flag,
  });
  if (values["help"] === true) return "help";
  if (values["list"] === true) return "list";
  const given = (name: string): string | undefined => values[name] as string | undefined;
  const seed = number("seed", given("seed") ?? String(1 + Math.floor(Math.random() * 1e6)), 0);
  const load = number("load", given("load") ?? "1", 0.01);
  const kind = systemOf(given("peer"));
  const out = given("out") ?? "runs";
  const serverBuild = buildOf(given("server-build"));
  const single = ["workload", "nemesis", "seconds", "servers"].some((name) => given(name) !== undefined);
  const tier = given("tier");
  if (tier !== undefined && !isTier(tier)) throw new UsageError(`--tier is one of ${Object.keys(TIERS).join(", ")}.`);
  if (tier !== undefined && single) throw new UsageError("A tier says itself what runs: leave the other options out.");
  if (!single) return { plans: tierPlans((tier ?? "smoke") as Tier, { seed, load, kind, serverBuild }), kind, out };
  const plan = planRun({
    seed,
    load,
    kind,
    serverBuild,
    servers: number("servers", given("servers") ?? "3", 1),
    seconds: number("seconds", given("seconds") ?? "60", 1),
    workloads: names("workload", given("workload"), WORKLOADS, ["register", "pipeline", "watch"]),
    nemeses: nemesisNames(given("nemesis")),
  });
  return { plans: [plan], kind, out };
}

type OptionKinds = Readonly<Record<string, { readonly type: "string" | "boolean" }>>;

function parse(args: readonly string[], options: OptionKinds): Record<string, unknown> {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}

function number(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < least)
    throw new UsageError(`--${name} is a number of at least ${least}, not ${text}.`);
  return value;
}

function systemOf(peer: string | undefined): SystemKind {
  if (peer === undefined || peer === "zoetrope") return "zoetrope";
  if (peer === "zookeeper") return "zookeeper";
  throw new UsageError(`--peer is zookeeper, not ${peer}.`);
}

function buildOf(directory: string | undefined): string | null {
  if (directory === undefined) return null;
  if (isBuild(directory)) return resolve(directory);
  throw new UsageError(
    `There is no build of a server in ${directory}: make one with tsc -p tsconfig.build.json --outDir.`,
  );
}

function names(
  option: string,
  text: string | undefined,
  known: readonly { readonly name: string }[],
  otherwise: readonly string[],
): readonly string[] {
  if (text === undefined) return otherwise;
  const asked = text === "all" ? known.map(({ name }) => name) : text.split(",");
  const unknown = asked.find((name) => !known.some((one) => one.name === name));
  if (unknown !== undefined) throw new UsageError(`There is no ${option} "${unknown}"; --list tells the names.`);
  return asked;
}

function nemesisNames(text: string | undefined): readonly string[] {
  const all = [...NEMESES, { name: EVERYTHING }, { name: NONE }];
  return names("nemesis", text, all, ["kill-leader", "pause-leader", "partition-leader"]);
}
