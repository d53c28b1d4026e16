import { expect, test } from "vitest";
import { explore } from "./explorer.ts";
import { always } from "./model.ts";
import { plainModel } from "./plain-model.ts";
import { printTrace } from "./print-trace.ts";
import { sequenceDiagramHtml } from "./sequence-diagram.ts";

interface Mail {
  readonly sent: number;
  readonly got: number;
  readonly wire: readonly string[];
}

/** One sends numbered letters, the other takes them; the line may break and lose what is on it. */
function mail(limit: number) {
  return plainModel<Mail>({
    name: "mail",
    initial: [{ sent: 0, got: 0, wire: [] }],
    actions: ["send", "take", "break"],
    faults: ["break"],
    lanes: ["a", "b"],
    steps: function* ({ sent, got, wire }) {
      if (sent <= limit)
        yield { action: "send", lane: 0, next: { sent: sent + 1, got, wire: [...wire, `LETTER ${sent + 1}`] } };
      if (wire.length > 0) yield { action: "take", lane: 1, next: { sent, got: got + 1, wire: wire.slice(1) } };
      if (wire.length > 0) yield { action: "break", next: { sent, got, wire: [] } };
    },
    facts: ({ sent, got }) =>
      new Map([
        ["a.sent", `${sent}`],
        ["b.got", `${got}`],
      ]),
    channels: ({ wire }) => [{ from: 0, to: 1, packets: wire }],
    properties: {
      always: [always("Few", ({ got, wire, sent }) => !(got === limit && wire.length === 0 && sent > limit))],
    },
  });
}

test("a line per step: what happened, what it changed, what was sent and lost", () => {
  const model = mail(1);
  const [violation] = explore(model).violations;
  expect(printTrace(model, violation!)).toEqual([
    "mail: Few fails after 4 steps",
    "    1  send                                a.sent 0 → 1; sends LETTER 1 a→b",
    "    2  send                                a.sent 1 → 2; sends LETTER 2 a→b",
    "    3  take                                b.got 0 → 1",
    "    4  break                               loses LETTER 2 a→b",
  ]);
});

test.each([12, 13, 20, 40])("at most 25 lines, however long the trace (limit %i)", (limit) => {
  const model = mail(limit);
  const [violation] = explore(model).violations;
  const lines = printTrace(model, violation!);
  const steps = violation!.trace.length - 1;
  expect(lines.length).toBeLessThanOrEqual(25);
  expect(lines.at(-1)).toContain(`${steps}  break`);
  // No step is left out: the numbers of the lines cover 1 .. steps.
  const covered = lines.slice(1).flatMap((line) => {
    const [first, last = first] = line.trim().split(" ", 1)[0]!.split("–").map(Number);
    return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
  });
  expect(covered).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
});

test("the sequence chart has a lane per part, a box per step and an arrow per packet, lost ones crossed", () => {
  const model = mail(1);
  const [violation] = explore(model).violations;
  const html = sequenceDiagramHtml(model, violation!.trace, { title: "Few <1>", subtitle: "4 steps" });
  expect(html).toContain("<title>Few &lt;1&gt;</title>");
  for (const text of [">a<", ">b<", "1. send", "3. take", "4. break", "LETTER 1", "LETTER 2"])
    expect(html).toContain(text);
  expect(html.match(/url\(#head\)/g)).toHaveLength(1);
  expect(html.match(/url\(#gone\)/g)).toHaveLength(1);
});
