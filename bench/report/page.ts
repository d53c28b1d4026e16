/** One HTML page of a run: plots first, then every number; it needs nothing but itself. */
import type { Measurement } from "../measurement.ts";
import type { Comparison, Machine } from "../regression/baseline.ts";
import type { LoadScenario, Scenario } from "../scenarios.ts";
import type { GoalResult } from "./goals.ts";
import { STYLE } from "./page-style.ts";
import { cpuPerOperation, failoverTimelines, latencyPercentiles, type Plot, throughputByReads } from "./plots.ts";
import { escaped } from "./svg.ts";
import { COLUMNS, cell, eventsOf, figureOf, inUnit, loadsOf } from "./table.ts";

export interface PageInput {
  readonly date: string;
  readonly machine: Machine;
  readonly systems: readonly { readonly name: string; readonly title: string }[];
  readonly scenarios: readonly Scenario[];
  readonly measurements: readonly Measurement[];
  readonly goals: readonly GoalResult[];
  readonly comparisons: readonly Comparison[];
}

/** Whose percentiles are worth a plot of their own, in this order. */
const LATENCY = [/^3-open/, /^3-1x1-r0$/, /^1-open/, /^1-50x1-r100$/, /^1-50x1-r0$/];

export function page(input: PageInput): string {
  const { date, machine, systems, scenarios, measurements, goals, comparisons } = input;
  const names = systems.map(({ name }) => name);
  const legend = systems.map(
    ({ name, title }, i) => `<li><i class="s${i}"></i><b>${escaped(name)}</b> ${escaped(title)}</li>`,
  );
  const head = `${escaped(machine.cpu)}, ${machine.cores} cores, Linux ${escaped(machine.kernel)}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Zoetrope bench, ${date.slice(0, 10)}</title><style>${STYLE}</style></head><body><main>
<header><h1>Zoetrope bench</h1><p>${date.slice(0, 16).replace("T", " ")} UTC · ${head}</p><ul class="legend">${legend.join("")}</ul></header>
${goalsSection(goals)}
${figures([throughputByReads(scenarios, names, measurements)])}
${latencySection(scenarios, names, measurements)}
${figures([failoverTimelines(names, measurements), cpuPerOperation(scenarios, names, measurements)])}
${loadSection(scenarios, names, measurements)}
${eventSection(scenarios, measurements)}
${comparisonSection(comparisons)}
</main></body></html>
`;
}

function figures(plots: readonly (Plot | null)[]): string {
  return plots
    .filter((plot) => plot !== null)
    .map(({ title, note, svg }) => `<section><h2>${escaped(title)}</h2><p>${escaped(note)}</p>${svg}</section>`)
    .join("\n");
}

function latencySection(scenarios: readonly Scenario[], names: readonly string[], all: readonly Measurement[]): string {
  const wanted = LATENCY.flatMap((pattern) =>
    scenarios.filter((s): s is LoadScenario => s.kind === "load" && pattern.test(s.name)),
  );
  const plots = wanted.map((scenario) => latencyPercentiles(scenario, names, all)).filter((plot) => plot !== null);
  if (plots.length === 0) return "";
  const shown = plots
    .slice(0, 4)
    .map(({ title, svg }) => `<figure><figcaption>${escaped(title)}</figcaption>${svg}</figure>`);
  return `<section><h2>Latency percentiles</h2><p>Each nine takes the same room. A fixed load is sent on schedule whatever the server does, and latency counts from when a request was due.</p><div class="pair">${shown.join("")}</div></section>`;
}

function goalsSection(goals: readonly GoalResult[]): string {
  if (goals.every(({ met }) => met === null)) return "";
  const rows = goals.map(({ what, goal, measured, met }) => {
    const verdict = met === null ? "" : met ? `<span class="met">met</span>` : `<span class="missed">missed</span>`;
    return `<tr><td>${escaped(what)}</td><td>${escaped(goal)}</td><td>${escaped(measured)}</td><td>${verdict}</td></tr>`;
  });
  return `<section><h2>Goals</h2><table class="goals"><tr><th>what</th><th>goal</th><th>measured</th><th></th></tr>${rows.join("")}</table></section>`;
}

function loadSection(scenarios: readonly Scenario[], names: readonly string[], all: readonly Measurement[]): string {
  const rows = scenarios.flatMap(({ name, title }) =>
    names
      .filter((system) => loadsOf(all, name, system).length > 0)
      .map((system, i) => {
        const cells = COLUMNS.map((column) => `<td>${cell(column, loadsOf(all, name, system))}</td>`).join("");
        const head = i === 0 ? escaped(title) : "";
        return `<tr class="${i === 0 ? "first" : ""}"><td>${head}</td><td><i class="s${names.indexOf(system)}"></i>${escaped(system)}</td>${cells}</tr>`;
      }),
  );
  if (rows.length === 0) return "";
  const heads = COLUMNS.map(({ head }) => `<th>${head}</th>`).join("");
  return `<section><h2>Load</h2><p>Medians over the rounds. CPU/op is of all servers together, stall the longest of any event loop, steps/k the steps of charts per 1,000 requests, load CPU the generator's share of a core.</p><div class="scroll"><table class="numbers"><tr><th></th><th></th>${heads}</tr>${rows.join("")}</table></div></section>`;
}

function eventSection(scenarios: readonly Scenario[], all: readonly Measurement[]): string {
  const rows = scenarios.flatMap(({ name, title }) => {
    const measured = eventsOf(all, name);
    const systems = [...new Set(measured.map((m) => m.system))];
    const figureNames = [...new Set(measured.flatMap((m) => m.figures.map((figure) => figure.name)))];
    return figureNames.map((figure, i) => {
      const values = systems.map((system) => {
        const found = figureOf(measured, system, figure);
        return found === null ? "" : `${escaped(system)} <b>${inUnit(found.value, found.unit)}</b>`;
      });
      return `<tr class="${i === 0 ? "first" : ""}"><td>${i === 0 ? escaped(title) : ""}</td><td>${escaped(figure)}</td><td>${values.join(" &nbsp; ")}</td></tr>`;
    });
  });
  if (rows.length === 0) return "";
  return `<section><h2>Events</h2><table>${rows.join("")}</table></section>`;
}

function comparisonSection(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return "";
  const percent = (share: number) => `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} %`;
  const rows = comparisons.map(
    ({ scenario, cost, change, threshold, verdict }) =>
      `<tr><td>${escaped(scenario)}</td><td>${cost}</td><td>${percent(change)}</td><td>${percent(threshold)}</td><td>${verdict}</td></tr>`,
  );
  return `<section><h2>Beside the baseline</h2><table><tr><th>scenario</th><th>cost</th><th>change</th><th>noticed from</th><th></th></tr>${rows.join("")}</table></section>`;
}
