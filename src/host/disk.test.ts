import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DiskEffect, DiskInput } from "../storage/disk-io.ts";
import { diskDirs, NodeDisk } from "./disk.ts";

let root: string;
let disk: NodeDisk;
let inputs: DiskInput[];
let told: () => void;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "disk-"));
  inputs = [];
  told = () => {};
  disk = new NodeDisk(diskDirs(join(root, "data"), join(root, "logs")), (input) => {
    inputs.push(input);
    told();
  });
});
afterEach(async () => {
  await disk.close();
  rmSync(root, { recursive: true, force: true });
});

type Unnumbered = DiskEffect extends infer E ? (E extends DiskEffect ? Omit<E, "id"> : never) : never;

/** Performs all at once and waits for all answers, in the order of the effects. */
async function perform(...effects: Unnumbered[]): Promise<DiskInput[]> {
  const before = inputs.length;
  for (const [index, effect] of effects.entries()) disk.perform({ ...effect, id: before + index } as DiskEffect);
  await new Promise<void>((resolve) => {
    told = () => inputs.length === before + effects.length && resolve();
    told();
  });
  return inputs.slice(before).sort((a, b) => a.id - b.id);
}

const list = (area: "log" | "snap") => ({ type: "disk.list", area }) as const;
const write = (file: string, offset: number, text: string, sync = true, size?: number) =>
  ({
    type: "disk.write",
    area: "log",
    file,
    offset,
    bytes: [Buffer.from(text)],
    sync,
    ...(size === undefined ? {} : { size }),
  }) as const;
const read = (file: string, offset: number, length: number) =>
  ({ type: "disk.read", area: "log", file, offset, length }) as const;
const path = (file: string) => join(root, "logs", "version-2", file);

test("directories are made, and list plain files with their sizes", async () => {
  expect(await perform(list("log"), list("snap"))).toMatchObject([{ files: [] }, { files: [] }]);
  await perform(write("log.1", 0, "abc"));
  writeFileSync(path("other"), "12345");
  const [listed] = await perform(list("log"));
  expect(listed).toMatchObject({ type: "DISK_DONE" });
  expect(listed?.type === "DISK_DONE" && [...(listed.files ?? [])].sort((a, b) => a.size - b.size)).toEqual([
    { name: "log.1", size: 3 },
    { name: "other", size: 5 },
  ]);
});

test("effects on one file run in order, whatever is asked for at once", async () => {
  await perform(list("log"));
  const effects: Unnumbered[] = [];
  for (let i = 0; i < 50; i++) effects.push(write("f", i, String(i % 10), i % 5 === 0), read("f", 0, 100));
  const answers = await perform(...effects);
  for (let i = 0; i < 50; i++) {
    const answer = answers[i * 2 + 1];
    expect(answer?.type === "DISK_DONE" && answer.bytes?.length).toBe(i + 1);
  }
});

test("a write in several pieces lands in one place after the other", async () => {
  await perform(list("log"));
  await perform({
    type: "disk.write",
    area: "log",
    file: "f",
    offset: 2,
    bytes: ["a", "bc", "", "def"].map((text) => Buffer.from(text)),
    sync: true,
  });
  expect(readFileSync(path("f"))).toEqual(Buffer.from("\0\0abcdef"));
});

test("a file grows ahead sparsely, and never shrinks that way", async () => {
  await perform(list("log"));
  await perform(write("f", 0, "abc", true, 8_000_000), write("f", 3, "def", true, 100));
  expect(statSync(path("f"))).toMatchObject({ size: 8_000_000 });
  expect(statSync(path("f")).blocks * 512).toBeLessThan(1_000_000);
  expect(readFileSync(path("f")).subarray(0, 7)).toEqual(Buffer.from("abcdef\0"));
});

test("a read ends where the file ends", async () => {
  await perform(list("log"));
  const [, tail, behind] = await perform(write("f", 0, "abcdef"), read("f", 4, 100), read("f", 100, 5));
  expect(tail).toMatchObject({ bytes: Buffer.from("ef") });
  expect(behind).toMatchObject({ bytes: Buffer.alloc(0) });
});

test("a rename replaces, a truncate cuts, a remove removes and may come twice", async () => {
  await perform(list("log"));
  await perform(write("new", 0, "new"), write("old", 0, "old content"));
  await perform({ type: "disk.rename", area: "log", from: "new", to: "old" });
  expect(readdirSync(join(root, "logs", "version-2"))).toEqual(["old"]);
  // The file behind the name changed: nothing may still look at the one before.
  expect(await perform(read("old", 0, 100))).toMatchObject([{ bytes: Buffer.from("new") }]);
  await perform({ type: "disk.truncate", area: "log", file: "old", length: 1 });
  expect(readFileSync(path("old"), "utf8")).toBe("n");
  const gone = { type: "disk.remove", area: "log", file: "old" } as const;
  expect(await perform(gone, gone)).toMatchObject([{ type: "DISK_DONE" }, { type: "DISK_DONE" }]);
  expect(readdirSync(join(root, "logs", "version-2"))).toEqual([]);
});

test("a file that is created again after its removal is a new one", async () => {
  await perform(list("log"));
  await perform(write("f", 0, "first, and long"));
  await perform({ type: "disk.remove", area: "log", file: "f" }, write("f", 0, "2"));
  expect(readFileSync(path("f"), "utf8")).toBe("2");
});

test("failures name themselves as the operating system does", async () => {
  await perform(list("log"));
  symlinkSync("/dev/full", path("full"));
  const answers = await perform(read("nothing", 0, 1), write("full", 0, "x"), {
    type: "disk.rename",
    area: "log",
    from: "nothing",
    to: "f",
  });
  expect(answers.map((answer) => answer.type === "DISK_FAILED" && answer.code)).toEqual(["ENOENT", "ENOSPC", "ENOENT"]);
  // The lane goes on.
  expect(await perform(write("f", 0, "x"))).toMatchObject([{ type: "DISK_DONE" }]);
});

test("many files are written and read without running out of descriptors", async () => {
  await perform(list("log"));
  const names = Array.from({ length: 100 }, (_, i) => `f${i}`);
  await perform(...names.map((name) => write(name, 0, name)));
  await perform(...names.map((name) => write(name, name.length, "!", true)));
  const answers = await perform(...names.map((name) => read(name, 0, 10)));
  expect(answers.map((answer) => answer.type === "DISK_DONE" && answer.bytes?.toString())).toEqual(
    names.map((name) => `${name}!`),
  );
  expect(readdirSync("/proc/self/fd").length).toBeLessThan(100);
});

test("what answers an answer may ask at once for more of the same file", async () => {
  await perform(list("log"));
  let next = 0;
  await new Promise<void>((resolve) => {
    told = () => {
      if (next === 20) return resolve();
      disk.perform({ ...write("f", next, "x"), id: 1000 + next });
      next++;
    };
    told();
  });
  expect(readFileSync(path("f"), "utf8")).toBe("x".repeat(20));
});
