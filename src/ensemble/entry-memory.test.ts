import { expect, test } from "vitest";
import type { Zxid } from "../../spec/vocabulary.ts";
import { EntryMemory } from "./entry-memory.ts";

const ENTRY_BYTES = 8192;
const PER_SLAB = 8;

function kept(memory: EntryMemory, from: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => memory.keep((from + i) as Zxid, Buffer.alloc(ENTRY_BYTES, from + i)));
}

function slabsOf(entries: readonly Buffer[]): number {
  return new Set(entries.map((entry) => entry.buffer)).size;
}

test("entries are copies, and stay as they are while others come", () => {
  const memory = new EntryMemory();
  const original = Buffer.alloc(ENTRY_BYTES, 1);
  const first = memory.keep(1 as Zxid, original);
  original.fill(9);
  kept(memory, 2, 5 * PER_SLAB);
  expect(first.equals(Buffer.alloc(ENTRY_BYTES, 1))).toBe(true);
});

test("with a window that moves on, the same few slabs are used for ever", () => {
  const memory = new EntryMemory();
  const window = 2 * PER_SLAB;
  const entries: Buffer[] = [];
  for (let zxid = 1; zxid <= 200; zxid++) {
    entries.push(memory.keep(zxid as Zxid, Buffer.alloc(ENTRY_BYTES, zxid)));
    if (zxid <= window) continue;
    memory.forget((zxid - window) as Zxid);
    const living = entries.slice(zxid - window, zxid);
    for (const [i, entry] of living.entries()) expect(entry[0]).toBe(zxid - window + 1 + i);
  }
  expect(slabsOf(entries)).toBeLessThanOrEqual(4);
});

test("a slab waits for its highest zxid, in whatever order they came", () => {
  const memory = new EntryMemory();
  const [late] = kept(memory, 100, 1);
  kept(memory, 50, PER_SLAB - 1);
  kept(memory, 200, PER_SLAB);
  memory.forget(99 as Zxid);
  kept(memory, 300, 3 * PER_SLAB);
  expect(late?.equals(Buffer.alloc(ENTRY_BYTES, 100))).toBe(true);
});

test("what was abandoned is not used again", () => {
  const memory = new EntryMemory();
  const old = kept(memory, 1, 3 * PER_SLAB);
  memory.abandon();
  memory.forget(1000 as Zxid);
  kept(memory, 1001, 5 * PER_SLAB);
  for (const [i, entry] of old.entries()) expect(entry.equals(Buffer.alloc(ENTRY_BYTES, 1 + i))).toBe(true);
});

test("a large entry has memory of its own", () => {
  const large = new EntryMemory().keep(1 as Zxid, Buffer.alloc(ENTRY_BYTES + 1, 1));
  expect(large.buffer.byteLength).toBeLessThan(2 * ENTRY_BYTES);
});
