/**
 * Cuts a chart that is too wide into figures: an overview in which some states are folded, and one figure for each folded
 * state, with stubs for the states of other figures that its transitions lead to.
 */
import type { DrawnChart, DrawnEdge, DrawnState, DrawnTransition } from "./chart-model.ts";

export interface Figure {
  /** File name without its ending: "peer", "peer.following". */
  readonly name: string;
  /** Dotted path of the state it shows, "" for the whole chart. */
  readonly path: string;
  readonly root: DrawnState;
  readonly elsewhere: readonly DrawnState[];
  readonly edges: readonly DrawnEdge[];
}

/** The state and everything in it, except for the insides of `folded` states. */
export function figureOf(chart: DrawnChart, path: string, folded: ReadonlySet<string>): Figure {
  const root = stateAt(chart.root, path);
  const shown = new Map<string, DrawnState>();
  const show = (state: DrawnState): DrawnState => {
    const closed = state.path !== path && folded.has(state.path);
    const drawn = closed
      ? { ...state, children: [], initial: [], figure: figureName(chart, state.path) }
      : { ...state, children: state.children.map(show) };
    shown.set(state.path, drawn);
    return drawn;
  };
  const drawnRoot = show(root);

  const elsewhere = new Map<string, DrawnState>();
  const edges = new Map<string, DrawnEdge>();
  for (const edge of chart.edges) {
    const leaves = isWithin(edge.from, path);
    // How the figure's own root is entered is told where the root is folded.
    if (!leaves && (edge.to === path || !isWithin(edge.to, path))) continue;
    const around = !leaves && isWithin(path, edge.from);
    const outside = around ? `any state of ${edge.from || chart.id}` : edge.from;
    const from = leaves ? visiblePath(edge.from, shown) : outside;
    const to = isWithin(edge.to, path) ? visiblePath(edge.to, shown) : edge.to;
    for (const end of [from, to]) if (!shown.has(end)) elsewhere.set(end, stub(end));
    // What happens inside a folded state is told in its own figure.
    if (from === to && from !== edge.from) continue;
    const key = `${from} ${to}`;
    edges.set(key, { from, to, transitions: distinct([...(edges.get(key)?.transitions ?? []), ...edge.transitions]) });
  }
  return {
    name: figureName(chart, path),
    path,
    root: drawnRoot,
    elsewhere: [...elsewhere.values()],
    edges: [...edges.values()],
  };
}

function figureName(chart: DrawnChart, path: string): string {
  return path === "" ? chart.id : `${chart.id}.${path}`;
}

/** States with children right below the figure's root, the one with most inside first. */
export function foldable(figure: Figure): string[] {
  return figure.root.children
    .filter((state) => state.children.length > 0)
    .sort((a, b) => leaves(b) - leaves(a))
    .map((state) => state.path);
}

/** How many boxes without children a state holds, or 1 for itself. */
export function leaves(state: DrawnState): number {
  return state.children.length === 0 ? 1 : state.children.reduce((sum, child) => sum + leaves(child), 0);
}

export function stateAt(root: DrawnState, path: string): DrawnState {
  if (root.path === path) return root;
  const child = root.children.find((it) => isWithin(path, it.path));
  if (child === undefined) throw new Error(`There is no state ${path}.`);
  return stateAt(child, path);
}

export function isWithin(path: string, ancestor: string): boolean {
  return ancestor === "" || path === ancestor || path.startsWith(`${ancestor}.`);
}

/** The state itself, or the folded one that hides it. */
function visiblePath(path: string, shown: ReadonlyMap<string, DrawnState>): string {
  let visible = path;
  while (!shown.has(visible) && visible.includes(".")) visible = visible.slice(0, visible.lastIndexOf("."));
  return visible;
}

function stub(path: string): DrawnState {
  return {
    path,
    title: path,
    kind: "elsewhere",
    description: "",
    entry: [],
    exit: [],
    internal: [],
    ignored: [],
    hot: [],
    initial: [],
    children: [],
  };
}

/** Several states inside a folded one often leave it in the same way: once is enough. */
function distinct(transitions: readonly DrawnTransition[]): DrawnTransition[] {
  const seen = new Set<string>();
  return transitions.filter(({ trigger, guard, effects }) => {
    const said = JSON.stringify([trigger, guard, effects]);
    if (seen.has(said)) return false;
    seen.add(said);
    return true;
  });
}
