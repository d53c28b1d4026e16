import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { DiskEffect, DiskInput } from "../storage/disk-io.ts";
import { diskDirs, NodeDisk } from "./disk.ts";

type WithoutId<T> = T extends DiskEffect ? Omit<T, "id"> : never;

function newDisk() {
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-disk-"));
  const dirs = diskDirs(directory, directory);
  const answers: DiskInput[] = [];
  const waiting = new Map<number, (input: DiskInput) => void>();
  const disk = new NodeDisk(dirs, (input) => {
    answers.push(input);
    waiting.get(input.id)?.(input);
  });
  onTestFinished(async () => {
    await disk.close();
    rmSync(directory, { recursive: true, force: true });
  });
  let lastId = 0;
  const perform = (effect: WithoutId<DiskEffect>): Promise<DiskInput> => {
    const id = ++lastId;
    const answered = new Promise<DiskInput>((resolve) => waiting.set(id, resolve));
    disk.perform({ ...effect, id } as DiskEffect);
    return answered;
  };
  const append = (file: string, offset: number, text: string, more: { sync?: boolean; size?: number } = {}) =>
    perform({ type: "disk.write", area: "log", file, offset, bytes: [Buffer.from(text)], sync: true, ...more });
  const content = (file: string): string => readFileSync(join(dirs.log, file), "utf8");
  return {
    perform,
    append,
    content,
    answers,
    directory: dirs.log,
    made: () => perform({ type: "disk.list", area: "log" }),
  };
}

/** Flags of this process's descriptors of a file, from /proc. */
function flagsOf(path: string): number[] {
  const flags: number[] = [];
  for (const fd of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== path) continue;
      const info = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
      flags.push(Number.parseInt(/^flags:\s+(\d+)/m.exec(info)?.[1] ?? "0", 8));
    } catch {
      // Closed meanwhile.
    }
  }
  return flags;
}

test("groups of a log are written one behind the other, in the order in which they were asked for", async () => {
  const disk = newDisk();
  await disk.made();
  const writes: Promise<DiskInput>[] = [];
  for (let i = 0; i < 20; i++) writes.push(disk.append("log.1", i * 3, `${String(i).padStart(2, "0")},`));
  await Promise.all(writes);
  expect(disk.answers.slice(1).map(({ id }) => id)).toEqual(writes.map((_, i) => i + 2));
  expect(disk.content("log.1")).toBe(Array.from({ length: 20 }, (_, i) => `${String(i).padStart(2, "0")},`).join(""));
});

test("a file grows with zeros before it is written to", async () => {
  const disk = newDisk();
  await disk.made();
  await disk.append("log.1", 0, "one", { size: 10 });
  await disk.append("log.1", 3, "two");
  await disk.append("log.1", 6, "three", { size: 8 });
  expect(disk.content("log.1")).toBe("onetwothree");
  await disk.append("log.1", 11, "four", { size: 20 });
  expect(disk.content("log.1")).toBe(`onetwothreefour${"\0".repeat(5)}`);
});

test("reads see what was written before, and stop where the file ends", async () => {
  const disk = newDisk();
  await disk.made();
  for (const [i, text] of ["ab", "cd", "ef"].entries()) void disk.append("log.1", i * 2, text);
  const read = await disk.perform({ type: "disk.read", area: "log", file: "log.1", offset: 1, length: 100 });
  expect(read).toMatchObject({ type: "DISK_DONE", bytes: Buffer.from("bcdef") });
  await disk.append("log.1", 6, "gh");
  expect(disk.content("log.1")).toBe("abcdefgh");
});

test("a log that was cut, or that was written without a sync, goes on as it should", async () => {
  const disk = newDisk();
  await disk.made();
  for (const [i, text] of ["ab", "cd", "ef"].entries()) await disk.append("log.1", i * 2, text);
  await disk.perform({ type: "disk.truncate", area: "log", file: "log.1", length: 3 });
  await disk.append("log.1", 3, "X", { sync: false });
  await disk.append("log.1", 4, "Y");
  await disk.append("log.1", 5, "Z");
  expect(disk.content("log.1")).toBe("abcXYZ");
});

test("what is written over in the middle of a log stays when the log goes on", async () => {
  const disk = newDisk();
  await disk.made();
  await disk.append("log.1", 0, "ab", { size: 8192 });
  for (const [i, text] of ["cd", "ef"].entries()) await disk.append("log.1", 2 + i * 2, text);
  await disk.append("log.1", 1, "XY");
  await disk.append("log.1", 6, "gh");
  expect(disk.content("log.1").replaceAll("\0", "")).toBe("aXYdefgh");
});

test("a name may be used again after a removal or a renaming", async () => {
  const disk = newDisk();
  await disk.made();
  for (let i = 0; i < 3; i++) await disk.append("log.1", i, "a");
  void disk.perform({ type: "disk.rename", area: "log", from: "log.1", to: "log.2" });
  for (let i = 0; i < 3; i++) await disk.append("log.1", i, "b");
  expect([disk.content("log.1"), disk.content("log.2")]).toEqual(["bbb", "aaa"]);
  void disk.perform({ type: "disk.remove", area: "log", file: "log.1" });
  await disk.append("log.1", 0, "c");
  expect(disk.content("log.1")).toBe("c");
});

test("what fails is answered with errno's name, and the next effect of the file runs all the same", async () => {
  const disk = newDisk();
  await disk.made();
  expect(await disk.perform({ type: "disk.read", area: "log", file: "none", offset: 0, length: 1 })).toMatchObject({
    type: "DISK_FAILED",
    code: "ENOENT",
  });
  writeFileSync(join(disk.directory, "file"), "");
  const inside = { area: "log", file: "file/log.1", offset: 0, bytes: [Buffer.from("x")], sync: true } as const;
  expect(await disk.perform({ type: "disk.write", ...inside })).toMatchObject({ type: "DISK_FAILED", code: "ENOTDIR" });
  expect(await disk.append("log.1", 0, "x")).toMatchObject({ type: "DISK_DONE" });
});

test.runIf(process.platform === "linux")("appending to a log syncs with the write itself", async () => {
  const O_DSYNC = 0o10000;
  const disk = newDisk();
  await disk.made();
  for (let i = 0; i < 4; i++) await disk.append("log.1", i * 20, `a text of its own ${i} `);
  const syncing = flagsOf(join(disk.directory, "log.1")).filter((flags) => (flags & O_DSYNC) !== 0);
  expect(syncing).toHaveLength(1);
});

test("a log is still at hand after many other files were used", async () => {
  const disk = newDisk();
  await disk.made();
  for (let i = 0; i < 3; i++) await disk.append("log.1", i, "a");
  for (let i = 2; i < 40; i++) await disk.append(`log.${i}`, 0, "other");
  await disk.append("log.1", 3, "b");
  expect(disk.content("log.1")).toBe("aaab");
});
