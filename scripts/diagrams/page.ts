/** One page with all charts, role by role. Needs no other file. */
import { CHART_ROLES, type Chart } from "../../spec/charts.ts";
import { COVERAGE_SOURCES, type CoverageData, type CoverageSource, SOURCE_WORDS } from "./coverage.ts";
import type { Picture } from "./draw.ts";
import { escaped, inlineSvg, SVG_PRELUDE } from "./svg.ts";

export interface DrawnEntry {
  readonly chart: Chart;
  readonly pictures: readonly Picture[];
}

const STYLE = `
:root { color: #16202c; font: 15px/1.5 Arial, Helvetica, 'Liberation Sans', sans-serif; scroll-padding-top: 16px; }
body { margin: 0; display: grid; grid-template-columns: 230px minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; box-sizing: border-box; padding: 20px 16px; background: #f1f5f9; border-right: 1px solid #c9d3dc; }
nav strong { display: block; font-size: 18px; margin-bottom: 8px; }
nav h2 { font-size: 12px; letter-spacing: .06em; text-transform: uppercase; color: #5b6875; margin: 20px 0 4px; }
nav a { display: block; padding: 3px 8px; border-radius: 5px; color: #0b4f78; text-decoration: none; overflow-wrap: anywhere; }
nav a.inner { padding-left: 22px; font-size: 13.5px; color: #3d4a58; }
nav a:hover { background: #dfe8f0; }
main { padding: 8px 28px 60px; min-width: 0; }
h1 { font-size: 26px; margin: 16px 0 4px; }
section { margin-top: 44px; border-top: 1px solid #c9d3dc; padding-top: 8px; }
section h2 { font-size: 22px; margin: 12px 0 0; }
section h2 small { font-size: 13px; font-weight: normal; color: #5b6875; margin-left: 10px; }
h3 { font-size: 17px; margin: 30px 0 0; }
h3 a { font-size: 13px; font-weight: normal; margin-left: 10px; color: #0b4f78; }
p { margin: 4px 0 12px; max-width: 80ch; color: #3d4a58; }
figure { margin: 10px 0 0; overflow-x: auto; }
figure svg { display: block; }
#prelude { position: absolute; width: 0; height: 0; }
@media print { nav { display: none; } body { display: block; } figure { overflow: visible; } figure svg { max-width: 100%; height: auto; } }
`;

export function page(entries: readonly DrawnEntry[], legend: readonly Picture[], coverage: CoverageData): string {
  const roles = CHART_ROLES.map((role) => ({ role, inRole: entries.filter(({ chart }) => chart.role === role) }));
  const shown = roles.filter(({ inRole }) => inRole.length > 0);
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Zoetrope: the charts</title>\n<style>${STYLE}</style>\n</head>\n<body>`,
    `<svg id="prelude" xmlns="http://www.w3.org/2000/svg" aria-hidden="true">${SVG_PRELUDE}</svg>`,
    `<nav>\n<strong>Charts</strong>\n<a href="#how-to-read">How to read them</a>`,
    ...shown.map(({ role, inRole }) => `<h2>${role}</h2>\n${inRole.map(links).join("\n")}`),
    "</nav>\n<main>\n<h1>The charts that run</h1>",
    "<p>Generated from the charts in <code>spec/</code> by <code>npm run diagrams</code>. The same charts run in ",
    "production, are explored by the model checker and are replayed from traces.</p>",
    `<div id="how-to-read">\n<h3>How to read them</h3>\n${legend.map(figure).join("\n")}\n</div>`,
    ...shown.flatMap(({ inRole }) => inRole.map((entry) => section(entry, coverage))),
    "</main>\n</body>\n</html>\n",
  ].join("\n");
}

function links({ chart, pictures }: DrawnEntry): string {
  const [, ...inner] = pictures;
  const own = `<a href="#${chart.machine.id}">${chart.machine.id}</a>`;
  return [own, ...inner.map((it) => `<a class="inner" href="#${it.figure.name}">${it.figure.path}</a>`)].join("\n");
}

function section({ chart, pictures }: DrawnEntry, coverage: CoverageData): string {
  const [overview, ...inner] = pictures;
  return [
    `<section id="${chart.machine.id}">`,
    `<h2>${chart.machine.id}<small>${chart.role}</small></h2>`,
    `<p>${escaped(chart.title)}</p>`,
    ...coverageWords(chart.machine.id, coverage),
    overview === undefined ? "" : figure(overview),
    ...inner.map((picture) => {
      const { name, path } = picture.figure;
      return `<div id="${name}">\n<h3>${path}<a href="#${chart.machine.id}">in ${chart.machine.id}</a></h3>\n${figure(picture)}\n</div>`;
    }),
    "</section>",
  ].join("\n");
}

/** The dots in the pictures, in numbers, and why some transitions are never taken. */
function coverageWords(id: string, { charts, unfired }: CoverageData): string[] {
  const transitions = Object.entries(charts[id] ?? {});
  if (transitions.length === 0) return [];
  const by = (source: CoverageSource) => transitions.filter(([, taken]) => taken.includes(source)).length;
  const run = by("run");
  const tested = transitions.filter(([, taken]) => isTested(taken) && !taken.includes("run")).length;
  const walked = transitions.filter(([, taken]) => taken.length > 0).length - run - tested;
  const never = transitions.filter(([, taken]) => taken.length === 0);
  const why = never.map(([key]) => `<li><code>${escaped(key)}</code>: ${escaped(unfired[id]?.[key] ?? "")}</li>`);
  const sources = COVERAGE_SOURCES.map((source) => `${by(source)} by ${SOURCE_WORDS[source]}`).join(", ");
  const words = `${transitions.length} transitions, taken ${sources}: ${run} green (in simulated runs), ${tested} blue (in generated tests or by the model checker, but in no run), ${walked} amber (in random walks of the chart alone), ${never.length} red (never).`;
  return [`<p>${words}</p>`, ...(why.length === 0 ? [] : [`<ul>\n${why.join("\n")}\n</ul>`])];
}

function isTested(taken: readonly CoverageSource[]): boolean {
  return taken.includes("path") || taken.includes("model");
}

function figure({ figure: { name }, placed }: Picture): string {
  return `<figure>\n${inlineSvg(placed, name)}</figure>`;
}
