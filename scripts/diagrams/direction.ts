/**
 * Which edges point down. Charts list their states in the order of a healthy run, so edges that go with it do; so do edges
 * against it as long as no circle comes of it. The rest is what leads back up.
 */
import type { DrawnEdge, DrawnState } from "./chart-model.ts";
import { isWithin } from "./figures.ts";

/** The edges that lead back, given all drawn states in document order, parents before their children. */
export function backEdges(edges: readonly DrawnEdge[], states: readonly DrawnState[]): Set<DrawnEdge> {
  const rank = new Map(states.map(({ path }, index) => [path, index]));
  const initial = new Set(states.flatMap((state) => state.initial));
  const isForward = ({ from, to }: DrawnEdge): boolean => (rank.get(from) ?? 0) < (rank.get(to) ?? 0);
  const below = new Map<string, Set<string>>();
  const back = new Set<DrawnEdge>();
  const accept = (from: string, to: string): void => {
    const targets = below.get(from) ?? new Set();
    below.set(from, targets.add(to));
  };
  const reaches = (from: string, to: string): boolean =>
    from === to || [...(below.get(from) ?? [])].some((next) => reaches(next, to));

  for (const edge of [...edges.filter(isForward), ...edges.filter((edge) => !isForward(edge))]) {
    // Nested boxes are laid out level by level: what counts is which siblings the edge connects.
    const [from, to] = siblings(edge);
    if (from === to) continue;
    // Where a figure begins is at its top.
    if (initial.has(to) || reaches(to, from)) back.add(edge);
    else accept(from, to);
  }
  return back;
}

/** The outermost ancestors of both ends that do not contain the other end. */
function siblings({ from, to }: DrawnEdge): readonly [string, string] {
  if (isWithin(from, to) || isWithin(to, from)) return ["", ""];
  const a = from.split(".");
  const b = to.split(".");
  let depth = 0;
  while (a[depth] === b[depth]) depth++;
  return [a.slice(0, depth + 1).join("."), b.slice(0, depth + 1).join(".")];
}
