import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { ConfigError } from "../server/config.ts";
import { loadConfig, makeDirectory, prepareDirectories, StartError, startFailure } from "./load-config.ts";

const directory = mkdtempSync(join(tmpdir(), "zoetrope-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

const file = join(directory, "zoo.cfg");
const dataDir = join(directory, "data");
const ensemble = `dataDir=${dataDir}\nclientPort=2181\ninitLimit=5\nsyncLimit=2\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\n`;

test("a server learns its number from myid in its data directory", () => {
  writeFileSync(file, ensemble);
  mkdirSync(dataDir);
  expect(() => loadConfig(file)).toThrow(ConfigError);
  writeFileSync(join(dataDir, "myid"), "3\n");
  expect(loadConfig(file).config).toMatchObject({ serverId: 3, dataDir });
});

test("a configuration that is not there is one sentence", () => {
  expect(() => loadConfig(join(directory, "none.cfg"))).toThrow(
    `Cannot read the configuration ${join(directory, "none.cfg")}: there is no such file or directory.`,
  );
});

test("the data directories are made, or the sentence says which cannot be", () => {
  prepareDirectories({ dataDir, dataLogDir: join(directory, "log") });
  writeFileSync(join(directory, "file"), "");
  let error: unknown;
  try {
    prepareDirectories({ dataDir, dataLogDir: join(directory, "file") });
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(StartError);
  expect(startFailure(error)).toBe(
    `Cannot use ${join(directory, "file", "version-2")} (dataLogDir): a part of the path is not a directory.`,
  );
  expect(startFailure(new Error("ours"))).toBe(null);
});

// Node's recursive mkdir asks for the same directory for ever.
test("a directory that cannot be made where its parent is does not keep the start busy", () => {
  const nowhere = process.platform === "linux" ? "/proc/zoetrope" : join(directory, "file");
  expect(() => prepareDirectories({ dataDir: nowhere, dataLogDir: nowhere })).toThrow(
    `Cannot use ${nowhere}/version-2`,
  );
});

// As when two servers below the same new directory start at once: `new/.` is there as soon as `new` is.
test("a directory that somebody else makes meanwhile is as good", () => {
  makeDirectory(`${join(directory, "new")}/.`);
  makeDirectory(join(directory, "new", "a", "b"));
  expect(statSync(join(directory, "new", "a", "b")).isDirectory()).toBe(true);
});
