/** What would make a figure hard to read, found by geometry: overlaps, cut text, lines through words. */
import type { ElkPoint } from "elkjs/lib/elk-api.js";
import type { Placed, PlacedEdge, PlacedState, Rect } from "./layout.ts";

/** One sentence per flaw; none for a figure that is a pleasure to read. */
export function flaws(placed: Placed): string[] {
  const found: string[] = [];
  const note = (flawed: boolean, sentence: string) => {
    if (flawed) found.push(sentence);
  };
  const boxes = placed.states.filter(({ state }) => state.children.length === 0);
  const labels = placed.edges.flatMap((edge) => (edge.label === undefined ? [] : [{ ...edge.label, edge }]));
  const solid = [
    ...boxes.map((box) => ({ rect: box as Rect, name: box.state.path })),
    ...labels.map((label) => ({ rect: label as Rect, name: nameOf(label.edge) })),
    ...[...placed.dots, ...placed.anywhere].map((rect) => ({ rect, name: "a marker" })),
  ];

  for (const [i, a] of solid.entries()) {
    for (const b of solid.slice(i + 1)) note(overlap(a.rect, b.rect), `${a.name} overlaps ${b.name}`);
  }
  for (const state of placed.states) {
    note(state.content.width > state.width + 0.01, `the text of ${state.state.path} is wider than its box`);
    note(state.content.height > state.height + 0.01, `the text of ${state.state.path} is higher than its box`);
    for (const inner of placed.states.filter((it) => isChild(state, it))) {
      note(!holds(state, inner), `${inner.state.path} leaves the box around it, or covers its heading`);
    }
  }
  for (const { content, edge, width, height } of labels) {
    note(content.width > width + 0.01 || content.height > height + 0.01, `the label of ${nameOf(edge)} is cut`);
  }
  for (const edge of placed.edges) {
    note(edge.points.length < 2, `${nameOf(edge)} has no line`);
    const others = [...boxes, ...labels.filter((label) => label.edge !== edge)];
    for (const other of others) {
      const name = "state" in other ? other.state.path : `the label of ${nameOf(other.edge)}`;
      note(crosses(edge.points, other), `${nameOf(edge)} runs through ${name}`);
    }
  }
  return found;
}

function nameOf({ edge }: PlacedEdge): string {
  return edge === undefined ? "an initial arrow" : `${edge.from || "(anywhere)"} → ${edge.to}`;
}

function isChild({ state }: PlacedState, inner: PlacedState): boolean {
  return state.children.some(({ path }) => path === inner.state.path);
}

function holds(outer: PlacedState, inner: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y + outer.content.height &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/** Whether an orthogonal line enters the rectangle, its border aside. */
function crosses(points: readonly ElkPoint[], { x, y, width, height }: Rect): boolean {
  const inside = { x: x + 1, y: y + 1, width: width - 2, height: height - 2 };
  return points.slice(1).some((to, index) => {
    const from = points[index] as ElkPoint;
    const left = Math.min(from.x, to.x);
    const top = Math.min(from.y, to.y);
    return overlap({ x: left, y: top, width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) }, inside);
  });
}
