import { expect, test } from "vitest";
import { unsyncedWrites } from "./unsynced.ts";

const log = "/d/log.1";

test("a write is safe once a sync that began after it has returned", () => {
  const notes = [
    `10  pwrite64(18<${log}>, ""..., 100, 16) = 100`,
    `11  fdatasync(18<${log}>) = 0`,
    `10  pwrite64(18<${log}>, ""..., 50, 116) = 50`,
  ].join("\n");
  expect(unsyncedWrites(notes)).toEqual([{ file: log, offset: 116, length: 50 }]);
});

test("a sync does not cover what was written after it began", () => {
  const notes = [
    `10  pwrite64(18<${log}>, ""..., 100, 16) = 100`,
    `11  fdatasync(18<${log}> <unfinished ...>`,
    `10  pwrite64(18<${log}>, ""..., 50, 116) = 50`,
    "11  <... fdatasync resumed>)            = 0",
  ].join("\n");
  expect(unsyncedWrites(notes)).toEqual([{ file: log, offset: 116, length: 50 }]);
});

test("a sync that failed, or had not returned at the kill, covers nothing", () => {
  const notes = [
    `10  pwritev(18<${log}>, [{iov_base=""..., iov_len=60}, {iov_base=""..., iov_len=40}], 2, 16) = 100`,
    `11  fdatasync(18<${log}>) = -1 EIO (Input/output error)`,
    `12  fsync(18<${log}> <unfinished ...>`,
    "12  <... fsync resumed>)                = ?",
    "12  +++ killed by SIGKILL +++",
  ].join("\n");
  expect(unsyncedWrites(notes)).toEqual([{ file: log, offset: 16, length: 100 }]);
});

test("a write that others interrupted counts with its own offset and length", () => {
  const notes = [
    `10  pwrite64(18<${log}>, ""..., 100, 16 <unfinished ...>`,
    `11  fsync(19</d/snapshot.0>) = 0`,
    "10  <... pwrite64 resumed>)             = 100",
  ].join("\n");
  expect(unsyncedWrites(notes)).toEqual([{ file: log, offset: 16, length: 100 }]);
});

test("a write through a descriptor that syncs by itself is safe when it has returned, and not before", () => {
  const notes = [
    `10  openat(AT_FDCWD, "${log}", O_WRONLY|O_DSYNC|O_CLOEXEC) = 20<${log}>`,
    `10  pwrite64(20<${log}>, ""..., 100, 16) = 100`,
    `11  openat(AT_FDCWD, "/d/other", O_RDWR|O_CLOEXEC) = 21</d/other>`,
    `11  pwrite64(21</d/other>, ""..., 7, 0) = 7`,
    `10  pwrite64(20<${log}>, ""..., 50, 116 <unfinished ...>`,
    "10  <... pwrite64 resumed>)             = ?",
  ].join("\n");
  expect(unsyncedWrites(notes)).toEqual([
    { file: "/d/other", offset: 0, length: 7 },
    { file: log, offset: 116, length: 50 },
  ]);
});
