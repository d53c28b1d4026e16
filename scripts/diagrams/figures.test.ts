import { expect, test } from "vitest";
import { drawnChart } from "./chart-model.ts";
import { backEdges } from "./direction.ts";
import { figureOf, foldable, leaves } from "./figures.ts";
import { legendMachine } from "./legend.ts";

const chart = drawnChart(legendMachine);
const arrows = ({ edges }: { edges: readonly { from: string; to: string }[] }) =>
  edges.map(({ from, to }) => `${from || "*"} → ${to}`).sort();

test("a figure of the whole chart shows every state and edge", () => {
  const figure = figureOf(chart, "", new Set());
  expect(leaves(figure.root)).toBe(4);
  expect(arrows(figure)).toEqual([
    "* → end",
    "beginning → end",
    "beginning → nested",
    "nested.serving → nested.waiting",
    "nested.waiting → end",
  ]);
});

test("a folded state takes over the transitions that leave its inside, and names its own figure", () => {
  const figure = figureOf(chart, "", new Set(["nested"]));
  expect(arrows(figure)).toEqual(["* → end", "beginning → end", "beginning → nested", "nested → end"]);
  expect(figure.root.children.find(({ path }) => path === "nested")?.figure).toBe("how-to-read.nested");
});

test("a folded state's figure shows its inside, and stubs for where it leads", () => {
  const figure = figureOf(chart, "nested", new Set(["nested"]));
  expect(figure.name).toBe("how-to-read.nested");
  expect(arrows(figure)).toEqual(["nested.serving → nested.waiting", "nested.waiting → end"]);
  expect(figure.elsewhere.map(({ path, kind }) => [path, kind])).toEqual([["end", "elsewhere"]]);
});

test("only states with something inside can be folded", () => {
  expect(foldable(figureOf(chart, "", new Set()))).toEqual(["nested"]);
});

test("edges point down unless they lead back to the beginning or close a circle", () => {
  const edge = (from: string, to: string) => ({ from, to, transitions: [] });
  const state = (path: string, initial: readonly string[] = []) => ({ ...chart.root, path, initial, children: [] });
  const states = [state("", ["a"]), state("a"), state("b"), state("c")];
  const back = (...edges: ReturnType<typeof edge>[]) => arrows({ edges: [...backEdges(edges, states)] });
  expect(back(edge("a", "b"), edge("b", "c"), edge("c", "b"))).toEqual(["c → b"]);
  expect(back(edge("c", "b"))).toEqual([]);
  expect(back(edge("c", "a"))).toEqual(["c → a"]);
});
