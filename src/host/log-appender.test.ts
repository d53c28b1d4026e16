import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type LogAppender, openAppender } from "./log-appender.ts";

const SIZE = 8 * 2 ** 20;

/** A file whose beginning is `text` and whose rest is zeros. */
async function preallocated(text: string, size = SIZE): Promise<{ path: string; handle: FileHandle }> {
  const directory = mkdtempSync(join(tmpdir(), "zoetrope-log-"));
  const path = join(directory, "log.1");
  writeFileSync(path, text);
  if (size > 0) truncateSync(path, size);
  const handle = await open(path, constants.O_RDWR);
  onTestFinished(async () => {
    await handle.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return { path, handle };
}

function append(appender: LogAppender, bytes: Buffer, offset: number): Promise<void> {
  return new Promise((resolve, reject) => {
    appender.append(bytes, offset, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Different at every place. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = 1 + (((i * 7919) ^ (i >> 8) ^ (seed * 31)) & 0x7f);
  return bytes;
}

const onLinux = describe.runIf(process.platform === "linux");

onLinux("a log in a file that was made long enough", () => {
  test("is what was appended, group by group, and zeros behind it", async () => {
    const { path, handle } = await preallocated("header");
    const appender = (await openAppender({ path, handle, end: 6, size: SIZE })) as LogAppender;
    let expected = Buffer.from("header");
    const lengths = [1, 4090, 4096, 8192, 5, 4095, 100_000, 1, 2 ** 20, 2 ** 20 + 1, 3_000_000, 17];
    for (const [i, length] of lengths.entries()) {
      const group = pattern(length, i);
      expect(appender.takes(expected.length, length)).toBe(true);
      await append(appender, group, expected.length);
      expected = Buffer.concat([expected, group]);
      const content = readFileSync(path);
      expect(content.length).toBe(SIZE);
      expect(content.subarray(0, expected.length).equals(expected)).toBe(true);
      expect(content.subarray(expected.length).equals(Buffer.alloc(SIZE - expected.length))).toBe(true);
    }
    await appender.close();
  });

  test("is taken over from another one's memory without any of what that held", async () => {
    const first = await preallocated("first");
    const full = (await openAppender({ ...first, end: 5, size: SIZE })) as LogAppender;
    await append(full, pattern(2 ** 20, 1), 5);
    await full.close();
    const second = await preallocated("2nd");
    const appender = (await openAppender({ ...second, end: 3, size: SIZE })) as LogAppender;
    await append(appender, Buffer.from("!"), 3);
    await appender.close();
    const content = readFileSync(second.path);
    expect(content.toString("latin1", 0, 4)).toBe("2nd!");
    expect(content.subarray(4).equals(Buffer.alloc(SIZE - 4))).toBe(true);
  });

  test("goes on where it ends, not elsewhere, and never beyond the file", async () => {
    const { path, handle } = await preallocated("0123456789", 8192);
    const appender = (await openAppender({ path, handle, end: 10, size: 8192 })) as LogAppender;
    expect(appender.takes(10, 8182)).toBe(true);
    expect(appender.takes(10, 8183)).toBe(false);
    expect(appender.takes(9, 1)).toBe(false);
    expect(appender.takes(11, 1)).toBe(false);
    await append(appender, pattern(8182, 3), 10);
    expect(readFileSync(path).length).toBe(8192);
    await appender.close();
  });

  test("can be read while it is written", async () => {
    const { path, handle } = await preallocated("");
    const appender = (await openAppender({ path, handle, end: 0, size: SIZE })) as LogAppender;
    for (let i = 0; i < 50; i++) {
      await append(appender, Buffer.from(String(i % 10)), i);
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(100), 0, 100, 0);
      const text = buffer.toString("latin1", 0, bytesRead);
      expect(text.replaceAll("\0", "")).toBe("0123456789".repeat(5).slice(0, i + 1));
    }
    await appender.close();
  });
});

onLinux("a log whose end or length nobody knows", () => {
  test.each([
    ["its end", Number.POSITIVE_INFINITY, SIZE],
    ["its length", 6, 0],
  ])("(%s) is appended to at any place, and not made longer than it is", async (_, end, size) => {
    const { path, handle } = await preallocated("header", 0);
    const appender = (await openAppender({ path, handle, end, size })) as LogAppender;
    expect(appender.takes(6, 5)).toBe(true);
    await append(appender, Buffer.from(" 12345"), 6);
    await append(appender, Buffer.from("xyz"), 0);
    expect(readFileSync(path, "utf8")).toBe("xyzder 12345");
    await appender.close();
  });
});

onLinux("what goes wrong", () => {
  test("is told whoever appends", async () => {
    const path = "/dev/full";
    const handle = await open(path, constants.O_RDWR);
    onTestFinished(() => handle.close());
    const appender = (await openAppender({ path, handle, end: Number.POSITIVE_INFINITY, size: 0 })) as LogAppender;
    await expect(append(appender, Buffer.from("text"), 0)).rejects.toMatchObject({ code: "ENOSPC" });
    await appender.close();
  });

  test("leaves a log to whoever has it open when all descriptors are in use, but not when it is gone", async () => {
    const { path, handle } = await preallocated("header");
    const log = { path, handle, end: 6, size: SIZE };
    vi.resetModules();
    const refused = Object.assign(new Error("too many open files"), { code: "EMFILE" });
    vi.doMock("node:fs/promises", () => ({ open: () => Promise.reject(refused) }));
    onTestFinished(() => vi.doUnmock("node:fs/promises"));
    const fresh = await import("./log-appender.ts");
    expect(await fresh.openAppender(log)).toBeNull();
    await expect(openAppender({ ...log, path: `${path}.gone` })).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("leaves the log as it was when its last block cannot be read whole", async () => {
    const { path } = await preallocated("header");
    const other = await preallocated("hea", 0);
    const appender = (await openAppender({ path, handle: other.handle, end: 6, size: SIZE })) as LogAppender;
    expect(readFileSync(path).toString("latin1", 0, 6)).toBe("header");
    await append(appender, Buffer.from("!"), 6);
    expect(readFileSync(path).toString("latin1", 0, 8)).toBe("header!\0");
    await appender.close();
  });

  test("is not tried again where addresses are limited: V8 collects garbage for seconds each time", async () => {
    vi.resetModules();
    const fresh = await import("./log-appender.ts");
    const insides = globalThis as unknown as { WebAssembly: { Memory: unknown } };
    const { Memory } = insides.WebAssembly;
    let asked = 0;
    insides.WebAssembly.Memory = function refused() {
      asked++;
      throw new RangeError("WebAssembly.Memory(): could not allocate memory");
    };
    onTestFinished(() => {
      insides.WebAssembly.Memory = Memory;
    });
    for (let i = 0; i < 3; i++) {
      const { path, handle } = await preallocated("header");
      const appender = (await fresh.openAppender({ path, handle, end: 6, size: SIZE })) as LogAppender;
      await append(appender, Buffer.from("!"), 6);
      expect(readFileSync(path).toString("latin1", 0, 8)).toBe("header!\0");
      await appender.close();
    }
    expect(asked).toBe(1);
  });

  test("leaves another way where the file system knows no writes past its cache", async () => {
    const directory = "/dev/shm";
    const path = join(directory, `zoetrope-log-${process.pid}`);
    closeSync(openSync(path, "w"));
    truncateSync(path, SIZE);
    const handle = await open(path, constants.O_RDWR);
    onTestFinished(async () => {
      await handle.close();
      rmSync(path, { force: true });
    });
    const appender = (await openAppender({ path, handle, end: 0, size: SIZE })) as LogAppender;
    await append(appender, Buffer.from("text"), 0);
    expect(readFileSync(path).toString("latin1", 0, 5)).toBe("text\0");
    await appender.close();
  });
});
