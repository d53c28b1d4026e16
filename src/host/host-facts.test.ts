import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { hostFacts } from "./host-facts.ts";

test("directory sizes are the bytes of the files, and 0 before there are any", () => {
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-facts-"));
  const facts = hostFacts({ dataDir: directory, dataLogDir: join(directory, "log") });
  expect(facts.dataDirSize()).toBe(0);
  mkdirSync(join(directory, "version-2"));
  writeFileSync(join(directory, "version-2", "snapshot.0"), "12345");
  expect(facts.dataDirSize()).toBe(5);
  expect(facts.logDirSize()).toBe(0);
  rmSync(directory, { recursive: true });
});

test("the environment has no empty key and names the runtime", () => {
  const facts = hostFacts({ dataDir: "/none", dataLogDir: "/none" });
  const environment = new Map(facts.environment());
  expect(environment.get("node.version")).toBe(process.version);
  expect(environment.has("host.name")).toBe(true);
  expect(facts.openFileDescriptors()).not.toBe(0);
  expect(facts.maxFileDescriptors()).not.toBe(0);
});
