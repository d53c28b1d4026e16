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
