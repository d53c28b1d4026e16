import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NEMESES, NONE } from "../nemesis/index.ts";
import { WORKLOADS } from "../workloads/index.ts";
import { PLANTS } from "./plants.ts";

const CHECKOUT = new URL("../../", import.meta.url);

test("every plant still finds its place in the built code, once", { timeout: 120_000 }, () => {
  const { status, stderr } = spawnSync(process.execPath, [fileURLToPath(new URL("bin/build.js", CHECKOUT))], {
    encoding: "utf8",
  });
  expect([status, stderr]).toEqual([0, ""]);
  for (const { name, file, before } of PLANTS) {
    const text = readFileSync(new URL(`build/${file}`, CHECKOUT), "utf8");
    expect([name, text.split(before).length - 1]).toEqual([name, 1]);
  }
});

test("every plant names workloads and a nemesis that there are", () => {
  const nemeses = [NONE, ...NEMESES.map(({ name }) => name)];
  const workloads = WORKLOADS.map(({ name }) => name);
  for (const plant of PLANTS) {
    expect(nemeses).toContain(plant.nemesis);
    for (const name of plant.workloads) expect(workloads).toContain(name);
  }
});
