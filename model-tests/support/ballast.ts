/** Fills a disk, for tests of what comes after. */
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

const NAME = "ballast";
const CHUNK = Buffer.alloc(1 << 20);

/** Until not even a byte fits, whatever others write meanwhile. Only for small disks. */
export function fillDisk(directory: string): void {
  const file = openSync(join(directory, NAME), "w");
  try {
    for (let length = CHUNK.length; length >= 1; ) {
      const written = write(file, length);
      if (written === 0) length = Math.floor(length / 2);
    }
  } finally {
    closeSync(file);
  }
}

export function freeDisk(directory: string): void {
  rmSync(join(directory, NAME), { force: true });
}

/** @returns 0 when there is no room */
function write(file: number, length: number): number {
  try {
    return writeSync(file, CHUNK, 0, length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    return 0;
  }
}
