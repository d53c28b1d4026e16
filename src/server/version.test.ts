import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FULL_VERSION, PRODUCT_VERSION } from "./version.ts";

test("the version told to clients is the package's", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(PRODUCT_VERSION).toBe(version);
});

test("its first three numbers are a ZooKeeper release, which clients parse", () => {
  expect(FULL_VERSION).toMatch(/^3\.8\.0-/);
});
