/** The report of a run as one HTML file, which needs nothing but a browser: of a violation, or of a run in which all held. */
import type { Judgement } from "../checker/check-run.ts";
import { describeAnswer, describeOp, describeRequest } from "../checker/describe.ts";
import { OPS, Outcome } from "../histories/operations.ts";
import { chartsOf, recoveryTable } from "./charts.ts";
import { type Explanation, hex } from "./explain.ts";
import { lanesOf } from "./lanes.ts";
import { LANES_SCRIPT } from "./lanes-script.ts";
import { smallDiagram } from "./small-diagram.ts";
import { STYLE } from "./style.ts";
import { clock, escaped, moment, whole } from "./svg.ts";

const MAX_OTHERS = 40;

export function pageOf(judgement: Judgement, explanation: Explanation | null): string {
  const { manifest, verdict } = judgement;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(`${verdict}: ${manifest.name}`)}</title><style>${STYLE}</style></head>
<body><main>
${head(judgement, explanation)}
${explanation === null ? "" : violationParts(judgement, explanation)}
<section><h2>The run over time</h2><p>Fault bands last from injection to repair; a thin one is a fault without a duration, such as a kill.</p>
${chartsOf(judgement.history)}</section>
<section class="columns"><div><h2>Recovery after each fault</h2>${recoveryTable(judgement.history, judgement.figures.recoveriesMs)}</div>
<div><h2>Operations by outcome</h2>${outcomes(judgement)}</div></section>
${lanes(judgement, explanation)}
${remarks(judgement, explanation)}
</main><script>${LANES_SCRIPT}</script></body></html>
`;
}

function head(
  { manifest, verdict, figures, doubts, history, logs }: Judgement,
  explanation: Explanation | null,
): string {
  const titles = {
    valid: "Valid: everything that clients saw is as promised",
    violation: "Violation",
    unknown: "No verdict",
  };
  const violation = explanation?.violation;
  const title = violation === undefined ? titles[verdict] : `Violation of ${violation.property}: ${violation.anomaly}`;
  const lead =
    violation?.summary ??
    (verdict === "unknown" ? (doubts[0]?.summary ?? "") : "Both checkers found an order that explains every answer.");
  const repeat = manifest.command === "" ? "" : `<p>Repeat the schedule: <code>${escaped(manifest.command)}</code></p>`;
  const tiles: [string, string][] = [
    [whole(figures.operations), "operations"],
    [`${whole(figures.ok)} · ${whole(figures.failed)} · ${whole(figures.unknown)}`, "answered · refused · unknown"],
    [clock(history.endedAt), "long"],
    [whole(figures.faults), "faults"],
    [whole(figures.leaderChanges), "leader changes"],
    [`${(figures.determinateShare * 100).toFixed(1)} %`, "determinate outside faults"],
    [whole(figures.offeredPerSecond), "offered per second"],
  ];
  const box =
    logs === null
      ? "without the servers' logs"
      : `with the logs of ${new Set(logs.map(({ server }) => server)).size} servers`;
  const about = `Run ${manifest.name}: ${manifest.system}, ${manifest.servers.length} servers, seed ${manifest.seed}. Workloads: ${manifest.workloads.join(", ") || "unknown"}. Faults: ${manifest.nemeses.join(", ") || "none"}. Judged ${box}.`;
  return `<header class="${verdict}"><h1>${escaped(title)}</h1><p class="lead">${escaped(lead)}</p>
<p>${escaped(about)}</p>${repeat}
<div class="tiles">${tiles.map(([value, name]) => `<div><b>${value}</b><span>${name}</span></div>`).join("")}</div></header>`;
}

function violationParts(judgement: Judgement, explanation: Explanation): string {
  const { violation, minimal, story } = explanation;
  const { expected, actual } = violation;
  const versus =
    expected === undefined || actual === undefined
      ? ""
      : `<div class="versus"><div><span>must have been</span>${escaped(expected)}</div><div><span>was</span>${escaped(actual)}</div></div>`;
  const total = judgement.history.operations.count;
  const how = minimal.shown
    ? `Of ${whole(total)} operations these ${minimal.ops.length} suffice: judged alone they are refused for the same reason.`
    : `Of ${whole(total)} operations these ${minimal.ops.length} are concerned. What is wrong with them is seen only beside the servers' logs, or all that came before.`;
  const what = `<section><h2>What happened</h2><pre>${escaped(story.join("\n"))}</pre>${versus}</section>`;
  // Nothing that a client did: traces, logs, a server that ended by itself.
  if (minimal.ops.length === 0) return what;
  return `${what}
<section><h2>The smallest history that shows it</h2><p>${how} Time runs downwards, in the order of the clock but not to its scale; a bar lasts from the request to its answer. Numbers are places in the legal order below; ✗ has none.</p>
${smallDiagram(judgement, explanation)}</section>
<section><h2>How far a legal order goes</h2><p>${escaped(explanation.why)}</p>${orderTable(judgement, explanation)}</section>`;
}

function orderTable({ history: { operations } }: Judgement, { order }: Explanation): string {
  const rows = order.map(({ op, zxid, fits }, at) => {
    const lines = [operations.invokeLine[op]!, operations.completeLine[op]!].filter((line) => line >= 0);
    const cells = [
      fits ? String(at + 1) : "✗",
      `p${operations.proc[op]}`,
      describeRequest(operations, op),
      describeAnswer(operations, op),
      hex(zxid),
      operations.server[op] === 0 ? "–" : String(operations.server[op]),
      moment(operations.invoked[op]!),
      operations.outcome[op] === Outcome.info ? "never" : moment(operations.completed[op]!),
      lines.map((line) => line + 1).join(", "),
    ];
    return `<tr${fits ? "" : ` class="culprit"`}>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
  });
  const names = [
    "",
    "client",
    "asked",
    "answer",
    "zxid",
    "server",
    "asked at",
    "answered at",
    "lines of history.jsonl",
  ];
  return `<table><thead><tr>${names.map((name) => `<th>${name}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function outcomes({ history: { operations } }: Judgement): string {
  const counts = OPS.map(() => [0, 0, 0]);
  for (let i = 0; i < operations.count; i++) counts[operations.op[i]!]![operations.outcome[i]!]!++;
  const rows = OPS.flatMap((name, op) => {
    const [info, ok, fail] = counts[op] as [number, number, number];
    if (info + ok + fail === 0) return [];
    return [
      `<tr><td>${name}</td>${[ok, fail, info].map((count) => `<td class="num">${whole(count)}</td>`).join("")}</tr>`,
    ];
  });
  return `<table><thead><tr><th>operation</th><th class="num">answered</th><th class="num">refused</th><th class="num">unknown</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function lanes(judgement: Judgement, explanation: Explanation | null): string {
  const few = explanation?.minimal.ops ?? [];
  const { invoked } = judgement.history.operations;
  const culprit = explanation?.violation.ops[0] ?? few.at(-1);
  const data = lanesOf(judgement, few, culprit === undefined ? null : invoked[culprit]!);
  const [before, after] = data.folded;
  const folded =
    before + after === 0
      ? ""
      : ` ${whole(before)} earlier and ${whole(after)} later operations are folded into the strip.`;
  const servers = judgement.manifest.servers.map((id) => `<i class="s${id % 6}"></i>server ${id}`).join(" ");
  // "<" would let a value close the script element.
  const json = JSON.stringify(data).replaceAll("<", "\\u003c");
  return `<section><h2>Every client's operations, to scale</h2><p>Scroll to zoom, drag to move, hover for details; click into the strip to go elsewhere. The line under a client's operations is the server it is connected to; dots are watch events, with a line from their cause.${folded}</p>
<svg id="strip" viewBox="0 0 1240 46"></svg>
<div class="lanes-head"><button id="zoom-in">closer</button><button id="zoom-out">farther</button><button id="zoom-home">${few.length > 0 ? "the violation" : "the first fault"}</button><button id="zoom-all">all that is drawn</button><span id="said"></span></div>
<svg id="lanes"></svg><p class="legend"><i class="ok"></i>answered <i class="fail"></i>refused <i class="info"></i>unknown <i class="band"></i>fault ${servers}</p>
<script type="application/json" id="lanes-data">${json}</script></section>`;
}

function remarks({ violations, doubts, remarks: said, history }: Judgement, explanation: Explanation | null): string {
  const others = violations.filter((violation) => violation !== explanation?.violation);
  const items = [
    ...doubts.map(({ reason, summary }) => `<li><b>Doubt, ${reason}:</b> ${escaped(summary)}</li>`),
    ...said.map((remark) => `<li>${escaped(remark)}</li>`),
    ...others.slice(0, MAX_OTHERS).map(({ property, anomaly, summary, ops }) => {
      const list = ops.slice(0, 4).map((i) => `<li>${escaped(describeOp(history.operations, i))}</li>`);
      return `<li><details><summary>${escaped(`${property}: ${anomaly}`)}</summary>${escaped(summary)}<ul>${list.join("")}</ul></details></li>`;
    }),
    ...(others.length > MAX_OTHERS ? [`<li>… and ${others.length - MAX_OTHERS} more (report.json)</li>`] : []),
  ];
  return items.length === 0 ? "" : `<section><h2>What else was found</h2><ul>${items.join("")}</ul></section>`;
}
