/** Where the search would have no end if it tried every way: it finds one, and still refuses what is wrong. */
import { expect, test } from "vitest";
import type { Line } from "../../histories/format.ts";
import { historyOf } from "../../histories/read-history.ts";
import { create } from "../../proof/requests.ts";
import { Stage } from "../../proof/stage.ts";
import { checkBySearch } from "./search.ts";

function setData(path: string, data: string) {
  return { op: "setData", args: { path, data, version: -1 } } as const;
}

function lists(stage: Stage, children: number) {
  const [writer, reader] = [stage.actor(1), stage.actor(2)];
  stage.answer(stage.ask(writer, create("/set", "", "persistent")));
  for (let i = 0; i < children; i++) stage.answer(stage.ask(writer, create(`/set/${i}`, "", "persistent")));
  stage.answer(stage.ask(reader, { op: "sync", args: { path: "/" } }));
  return stage.answer(stage.ask(reader, { op: "getChildren", args: { path: "/set" } }));
}

/** The list of the last reader without one child. */
function without(lines: readonly Line[], name: string): Line[] {
  return lines.map((line) => {
    if (line.kind !== "ok" || !("children" in line.res)) return line;
    return { ...line, res: { ...line.res, children: line.res.children.filter((child) => child !== name) } } as Line;
  });
}

test.each([20, 320])("a list of %i children is held against each of them", (children) => {
  const stage = new Stage();
  lists(stage, children);
  const lines = stage.end();
  const { result, partitions } = checkBySearch(historyOf(lines));
  expect([result, partitions > 1]).toEqual(["valid", children > 300]);
  const missing = checkBySearch(historyOf(without(lines, "7")));
  expect(missing.result).toBe("invalid");
  expect(missing.violations[0]!.path).toBe(children > 300 ? "/set/7" : "/set");
});

test("of a hundred writes that were lost at once, so many happened as the answers after them tell", () => {
  for (const happened of [0, 1, 60, 100]) {
    const stage = new Stage();
    const actor = stage.actor(1);
    stage.answer(stage.ask(actor, create("/log", "", "persistent")));
    const lost = Array.from({ length: 100 }, (_, i) => stage.ask(actor, setData("/log", String(i))));
    for (const asking of lost.slice(0, happened)) stage.order(asking);
    stage.lose(actor);
    stage.connect(actor, 2);
    stage.answer(stage.ask(actor, setData("/log", "after")));
    const lines = stage.end();
    expect(checkBySearch(historyOf(lines)).result).toBe("valid");
    const wrong = lines.map((line) => {
      if (line.kind !== "ok" || !("stat" in line.res) || line.res.stat === undefined) return line;
      const { stat } = line.res;
      return { ...line, res: { ...line.res, stat: { ...stat, version: stat.version + 200 } } } as Line;
    });
    expect(checkBySearch(historyOf(wrong), [20_000]).result).not.toBe("valid");
  }
});

test("of lost writes of many clients only the number matters: too many of them are told, and not searched for", () => {
  for (const happened of [0, 17, 40]) {
    const stage = new Stage();
    const reader = stage.actor(1);
    stage.answer(stage.ask(reader, create("/log", "", "persistent")));
    const writers = Array.from({ length: 40 }, (_, i) => stage.actor(2 + i));
    const lost = writers.map((writer, i) => stage.ask(writer, setData("/log", String(i % 20))));
    for (const asking of lost.slice(0, happened)) stage.order(asking);
    for (const writer of writers) stage.lose(writer);
    stage.answer(stage.ask(reader, setData("/log", "after")));
    const lines = stage.end();
    expect(checkBySearch(historyOf(lines), [20_000]).result).toBe("valid");
    const wrong = lines.map((line) => {
      if (line.kind !== "ok" || !("stat" in line.res) || line.res.stat === undefined) return line;
      const { stat } = line.res;
      return stat.version === 0 ? line : { ...line, res: { ...line.res, stat: { ...stat, version: 42 } } };
    });
    expect(checkBySearch(historyOf(wrong as Line[]), [20_000]).result).toBe("invalid");
  }
});

test("znodes that multis bind together are searched nearly as if each were alone", () => {
  const stage = new Stage();
  const paths = Array.from({ length: 12 }, (_, i) => `/r${i}`);
  const maker = stage.actor(1);
  for (const path of paths) stage.answer(stage.ask(maker, create(path, "", "persistent")));
  const sets = paths.map((path) => ({ op: "setData", args: { path, data: "m", version: -1 } }) as const);
  stage.answer(stage.ask(maker, { op: "multi", args: { ops: sets } }));
  // All at once: one order of each pair is right, and nothing else tells which but the last one's version.
  const asked = paths.flatMap((path, i) =>
    ["x", "y"].map((data, j) => stage.ask(stage.actor(2 + 2 * i + j), setData(path, data))),
  );
  for (const asking of asked) stage.order(asking);
  for (const asking of asked.toReversed()) stage.answer(asking);
  const lines = stage.end();
  const { result, partitions } = checkBySearch(historyOf(lines), [2000]);
  expect([result, partitions]).toEqual(["valid", 1]);
  const at = lines.findLastIndex((line) => line.kind === "ok");
  const last = lines[at] as Line & { kind: "ok"; res: { stat: { version: number } } };
  const stat = { ...last.res.stat, version: last.res.stat.version + 2 };
  const wrong = lines.with(at, { ...last, res: { ...last.res, stat } } as Line);
  expect(checkBySearch(historyOf(wrong), [2000]).result).toBe("invalid");
});
