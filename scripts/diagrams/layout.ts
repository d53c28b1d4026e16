/**
 * Places a chart's boxes, labels and edges with ELK's layered algorithm, top-down, all levels of nesting at once so that an
 * edge may run from any state to any other. Positions come out absolute, in px.
 */
import ELK from "elkjs/lib/elk.bundled.js";
import type { ElkExtendedEdge, ElkNode, ElkPoint } from "elkjs/lib/elk-api.js";
import type { DrawnEdge, DrawnState } from "./chart-model.ts";
import { BOX_PADDING, type Content, labelContent, stateContent } from "./content.ts";
import type { Coverage } from "./coverage.ts";
import { backEdges } from "./direction.ts";
import { type Figure, isWithin } from "./figures.ts";
import { NBSP, widthOf } from "./text.ts";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedState extends Rect {
  readonly state: DrawnState;
  readonly depth: number;
  readonly content: Content;
}

export interface PlacedEdge {
  /** Undefined for the arrow from an initial dot. */
  readonly edge: DrawnEdge | undefined;
  readonly points: readonly ElkPoint[];
  readonly label: (Rect & { readonly content: Content }) | undefined;
}

export interface Placed {
  readonly width: number;
  readonly height: number;
  readonly states: readonly PlacedState[];
  /** Where everything begins: initial states. */
  readonly dots: readonly Rect[];
  /** "In whatever state": where transitions begin that a state takes to one of its own descendants. */
  readonly anywhere: readonly Rect[];
  readonly edges: readonly PlacedEdge[];
}

/** Text wraps at these widths, px. */
export interface Widths {
  readonly box: number;
  readonly label: number;
}

const DOT = 14;
const MARGIN = 16;
// A CommonJS module with a default export: Node hands over the module itself.
const elk = new ELK.default();

const OPTIONS: Readonly<Record<string, string>> = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.spacing.nodeNode": "24",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "12",
  "elk.spacing.edgeLabel": "4",
  "elk.layered.spacing.nodeNodeBetweenLayers": "28",
  "elk.layered.spacing.edgeNodeBetweenLayers": "14",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "12",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.thoroughness": "5",
  "elk.padding": `[top=${MARGIN},left=${MARGIN},bottom=${MARGIN},right=${MARGIN}]`,
};

export const ANYWHERE = `in any${NBSP}state`;

/**
 * Twice: what stands at the head of a box with children is first wrapped like any other text, then as wide as the children
 * turned out to need.
 */
export async function place(figure: Figure, coverage: Coverage, widths: Widths): Promise<Placed> {
  const first = await arrange(figure, coverage, widths, () => widths.box);
  const room = new Map(first.states.map(({ state, width }) => [state.path, width - 2 * BOX_PADDING]));
  return arrange(figure, coverage, widths, (path) => Math.max(widths.box, room.get(path) ?? 0));
}

async function arrange(
  figure: Figure,
  coverage: Coverage,
  widths: Widths,
  headerWidth: (path: string) => number,
): Promise<Placed> {
  const states = new Map<string, { state: DrawnState; depth: number; content: Content }>();
  const labels = new Map<string, DrawnLabel>();
  const edges: ElkExtendedEdge[] = [];
  const fromAnywhere = new Set(figure.edges.filter(isInward).map(({ from }) => from));

  const nodeOf = (state: DrawnState, depth: number): ElkNode => {
    const id = `state ${state.path}`;
    const isLeaf = state.children.length === 0;
    const content = stateContent(state, isLeaf ? widths.box : headerWidth(state.path), coverage);
    states.set(id, { state, depth, content });
    if (isLeaf) return { id, width: Math.max(content.width, 90), height: content.height + 4 };

    const children: ElkNode[] = [];
    if (fromAnywhere.has(state.path)) children.push(anywhereNode(state.path));
    for (const target of state.initial) {
      children.push(dotNode(state.path));
      edges.push(initialEdge(state.path, target));
    }
    children.push(...state.children.map((child) => nodeOf(child, depth + 1)));
    return {
      id,
      children,
      layoutOptions: {
        "elk.padding": `[top=${content.height + 14},left=14,bottom=14,right=14]`,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        // Height before width: for "top-down" ELK turns the figure and forgets to turn this.
        "elk.nodeSize.minimum": `(${content.height},${content.width})`,
      },
    };
  };
  const roots = [nodeOf(figure.root, 0), ...figure.elsewhere.map((state) => nodeOf(state, 0))];
  const back = backEdges(
    figure.edges,
    [...states.values()].map(({ state }) => state),
  );

  for (const [index, edge] of figure.edges.entries()) {
    const content = labelContent(edge, widths.label, coverage);
    const source = isInward(edge) ? `anywhere ${edge.from}` : `state ${edge.from}`;
    const target = `state ${edge.to}`;
    // Without circles ELK need not guess what is up and what is down: edges that lead back are handed over turned.
    const turned = back.has(edge);
    labels.set(`edge ${index}`, { edge, content, turned });
    edges.push(turned ? labelledEdge(index, target, source, content) : labelledEdge(index, source, target, content));
  }

  const graph: ElkNode = await elk.layout<ElkNode>(
    { id: "figure", children: roots, edges },
    { layoutOptions: OPTIONS },
  );
  return collect(graph, states, labels);
}

/** From a state to one of its own descendants. */
function isInward({ from, to }: DrawnEdge): boolean {
  return from !== to && isWithin(to, from);
}

const FIRST = { "elk.layered.layering.layerConstraint": "FIRST" };

function anywhereNode(path: string): ElkNode {
  return { id: `anywhere ${path}`, width: Math.ceil(widthOf(ANYWHERE, "note")) + 20, height: 24, layoutOptions: FIRST };
}

function dotNode(path: string): ElkNode {
  return { id: `dot ${path}`, width: DOT, height: DOT, layoutOptions: FIRST };
}

function initialEdge(path: string, target: string): ElkExtendedEdge {
  const layoutOptions = { "elk.layered.priority.straightness": "10" };
  return { id: `initial ${path}`, sources: [`dot ${path}`], targets: [`state ${target}`], layoutOptions };
}

function labelledEdge(index: number, source: string, target: string, { width, height }: Content): ElkExtendedEdge {
  const layoutOptions = { "elk.edgeLabels.inline": "true", "elk.edgeLabels.placement": "CENTER" };
  return {
    id: `edge ${index}`,
    sources: [source],
    targets: [target],
    labels: [{ id: `label ${index}`, text: " ", width, height, layoutOptions }],
  };
}

interface DrawnLabel {
  readonly edge: DrawnEdge;
  readonly content: Content;
  /** Handed to ELK from target to source. */
  readonly turned: boolean;
}

type States = ReadonlyMap<string, { state: DrawnState; depth: number; content: Content }>;
type Labels = ReadonlyMap<string, DrawnLabel>;

function collect(graph: ElkNode, states: States, labels: Labels): Placed {
  const placed: PlacedState[] = [];
  const dots: Rect[] = [];
  const anywhere: Rect[] = [];
  const visit = (node: ElkNode): void => {
    const rect = rectOf(node);
    const known = states.get(node.id);
    if (known !== undefined) placed.push({ ...rect, ...known });
    else if (node.id.startsWith("dot ")) dots.push(rect);
    else anywhere.push(rect);
    for (const child of node.children ?? []) visit(child);
  };
  for (const child of graph.children ?? []) visit(child);
  return {
    width: Math.ceil(graph.width ?? 0),
    height: Math.ceil(graph.height ?? 0),
    states: placed,
    dots,
    anywhere,
    edges: (graph.edges ?? []).map((edge) => placedEdge(edge, labels)),
  };
}

function placedEdge(edge: ElkExtendedEdge, labels: Labels): PlacedEdge {
  const points = (edge.sections ?? []).flatMap(({ startPoint, bendPoints, endPoint }) => [
    startPoint,
    ...(bendPoints ?? []),
    endPoint,
  ]);
  const drawn = labels.get(edge.id);
  const [label] = edge.labels ?? [];
  return {
    edge: drawn?.edge,
    points: drawn?.turned ? points.reverse() : points,
    label: drawn === undefined || label === undefined ? undefined : { ...rectOf(label), content: drawn.content },
  };
}

function rectOf({ x = 0, y = 0, width = 0, height = 0 }: Partial<Rect>): Rect {
  return { x, y, width, height };
}
