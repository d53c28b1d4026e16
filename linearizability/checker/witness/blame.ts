/** Names what is wrong when a reply contradicts the tree: which property, and which other operations show it. */
import type { ZnodeTree } from "../../../spec/models/znode-tree.ts";
import { formatZxid, type Zxid } from "../../../spec/vocabulary.ts";
import type { History } from "../../histories/history.ts";
import { Op, STAT_WIDTH } from "../../histories/operations.ts";
import { describeOp } from "../describe.ts";
import type { Property, Violation } from "../violation.ts";
import { type PathEvent, storyOf } from "./path-story.ts";
import type { Timeline } from "./timeline.ts";

export type WriteFault = "C1" | "C3" | "C10" | "Z1";

const WRITE_FAULTS: Readonly<Record<WriteFault, readonly [Property, string]>> = {
  C1: ["C1 linearizable writes", "reply against the order"],
  C3: ["C3 atomic multi", "multi against the order"],
  C10: ["C10 versions and sequence numbers", "wrong version or name"],
  Z1: ["Z1 integrity", "logged otherwise than asked for"],
};

export function blameWrite(
  history: History,
  timeline: Timeline,
  i: number,
  expected: string,
  actual: string,
  hint: WriteFault,
): Violation {
  const { operations } = history;
  const zxid = timeline.place[i]!;
  const path = subjectOfWrite(history, i, expected);
  const wrongVersion = expected === "BADVERSION" || actual === "BADVERSION";
  const [property, anomaly] = WRITE_FAULTS[hint === "C1" && wrongVersion ? "C10" : hint];
  const before = storyOf(path, history, timeline).filter((event) => event.zxid < zxid && event.op >= 0);
  return {
    property,
    rule: "4 replay",
    anomaly,
    summary: `${describeOp(operations, i)} at ${hex(zxid)}: the order of writes says ${expected}, the reply ${actual}.`,
    expected,
    actual,
    ops: [i, ...before.slice(-2).map(({ op }) => op)],
    line: operations.completeLine[i]!,
    zxid,
    path,
  };
}

/** Of a multi: the znode of the op that should have failed, or of the first. */
export function subjectOfWrite({ operations }: History, i: number, expected = ""): string {
  const subs = operations.extra[i]!.ops;
  if (operations.op[i] !== Op.multi || subs === undefined) return operations.path[i]!;
  const culprit = expected.split(", ").findIndex((code) => code !== "OK");
  return (subs[culprit] ?? subs[0])?.args.path ?? "";
}

export function blameRead(
  history: History,
  timeline: Timeline,
  tree: ZnodeTree,
  i: number,
  expected: string,
  actual: string,
): Violation {
  const { operations } = history;
  const zxid = timeline.place[i]!;
  const path = subjectOf(history, tree, i);
  const story = storyOf(path, history, timeline);
  const now = story.findLast((event) => event.zxid <= zxid);
  const { property, anomaly, witness } =
    path === operations.path[i]
      ? judgeNode(history, tree, i, story, now)
      : judgeChild(story, now, tree.nodes.has(path));
  const others = [now, witness].filter((event) => event !== undefined && event.op >= 0).map((event) => event!.op);
  return {
    property,
    rule: "5 reads",
    anomaly,
    summary: `${describeOp(operations, i)} at ${hex(zxid)}: the tree there has ${expected}, the reply says ${actual}.`,
    expected,
    actual,
    ops: [i, ...new Set(others.filter((op) => op !== i))],
    line: operations.completeLine[i]!,
    zxid,
    path,
  };
}

interface Judgement {
  readonly property: Property;
  readonly anomaly: string;
  /** The write whose effect was seen, or missed. */
  readonly witness?: PathEvent | undefined;
}

/** The node a wrong read is about: of a list of children, the first that should not be there, or should. */
function subjectOf({ operations }: History, tree: ZnodeTree, i: number): string {
  const path = operations.path[i]!;
  const node = tree.nodes.get(path);
  if (operations.op[i] !== Op.getChildren || node === undefined) return path;
  const found = new Set(operations.extra[i]!.children ?? []);
  const wrong =
    [...found].find((name) => !node.children.has(name)) ?? [...node.children].find((name) => !found.has(name));
  return wrong === undefined ? path : `${path === "/" ? "" : path}/${wrong}`;
}

function judgeNode(
  { operations }: History,
  tree: ZnodeTree,
  i: number,
  story: readonly PathEvent[],
  now: PathEvent | undefined,
): Judgement {
  const node = tree.nodes.get(operations.path[i]!);
  const found = operations.err[i] === "";
  if (node === undefined || !found) return judgeChild(story, now, node !== undefined);
  const row = operations.stat[i]!;
  const mzxid = row < 0 ? -1 : operations.stats[row * STAT_WIDTH + 1]!;
  const data = operations.op[i] === Op.getData ? operations.data[i]! : undefined;
  const seen = story.find((event) => event.zxid === mzxid);
  const writers = data === undefined ? [] : story.filter((event) => isValue(event) && event.data === data);
  const zxid = operations.zxid[i]!;
  if (mzxid === node.mzxid && (data === undefined || data === node.data)) {
    return { property: "C10 versions and sequence numbers", anomaly: "wrong Stat", witness: seen };
  }
  if (data !== undefined && writers.length === 0) {
    return { property: "C6 no read of what never was", anomaly: "read of what was never written" };
  }
  if (mzxid > zxid || writers.every((event) => event.zxid > zxid) === (data !== undefined)) {
    return { property: "C6 no read of what never was", anomaly: "read from the future", witness: writers[0] ?? seen };
  }
  if (mzxid >= 0 && seen === undefined && mzxid < node.mzxid) {
    return { property: "C6 no read of what never was", anomaly: "read of what was never written" };
  }
  return { property: "C5 durability", anomaly: "read misses a write", witness: writers.at(-1) ?? seen };
}

/** A node is there that should not be, or the other way round. */
function judgeChild(story: readonly PathEvent[], now: PathEvent | undefined, shouldExist: boolean): Judgement {
  const created = story.findLast(({ kind }) => kind === "create");
  if (shouldExist) return { property: "C5 durability", anomaly: "read misses a node", witness: created };
  if (now?.kind === "closeSession") {
    const property = "S4 a close deletes exactly the session's ephemerals";
    return { property, anomaly: "ephemeral outlives its session", witness: created };
  }
  if (now?.kind === "delete") return { property: "C5 durability", anomaly: "deleted node is back", witness: created };
  if (created !== undefined) {
    return { property: "C6 no read of what never was", anomaly: "read from the future", witness: created };
  }
  return { property: "C6 no read of what never was", anomaly: "read of what was never written" };
}

function isValue({ kind }: PathEvent): boolean {
  return kind === "create" || kind === "setData";
}

function hex(zxid: number): string {
  return formatZxid(zxid as Zxid);
}
