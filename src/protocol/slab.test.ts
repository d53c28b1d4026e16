import { expect, test } from "vitest";
import { JuteWriter } from "./jute-writer.ts";
import { SlabPool } from "./slab.ts";

test("a released slab is used again, the last one first", () => {
  const pool = new SlabPool(64, 2);
  const slabs = [pool.take(), pool.take(), pool.take()];
  expect(new Set(slabs).size).toBe(3);
  for (const slab of slabs) slab.release();
  // No more than two are kept.
  expect(pool.idle).toBe(2);
  expect(pool.take()).toBe(slabs[1]);
  expect(pool.take()).toBe(slabs[0]);
  expect(slabs).not.toContain(pool.take());
});

test("every take of a writer hands over a slab of its own", () => {
  const pool = new SlabPool(8192, 8);
  const writer = new JuteWriter(pool);
  writer.int(1);
  const first = writer.take();
  const firstSlab = writer.takenSlab;
  writer.int(2);
  const second = writer.take();
  const secondSlab = writer.takenSlab;
  expect(second.buffer).not.toBe(first.buffer);
  expect([first.readInt32BE(0), second.readInt32BE(0)]).toEqual([1, 2]);
  secondSlab?.release();
  firstSlab?.release();
  writer.int(3);
  expect(writer.take().buffer).toBe(first.buffer);
  expect(second.readInt32BE(0)).toBe(2);
});

test("what is too much for a slab gets memory of its own, and the slab goes back", () => {
  const pool = new SlabPool(16, 8);
  const writer = new JuteWriter(pool);
  writer.int(7);
  writer.raw(Buffer.alloc(100, 5));
  expect(pool.idle).toBe(1);
  const large = writer.take();
  expect(writer.takenSlab).toBeNull();
  expect(large).toHaveLength(104);
  expect([large.readInt32BE(0), large[4], large[103]]).toEqual([7, 5, 5]);
  writer.raw(Buffer.alloc(17, 1));
  expect(writer.take()).toHaveLength(17);
  expect(writer.takenSlab).toBeNull();
  writer.int(8);
  expect(writer.take().readInt32BE(0)).toBe(8);
  expect(writer.takenSlab).not.toBeNull();
});

test("a reset keeps the slab, and patches and truncations stay inside it", () => {
  const pool = new SlabPool(32, 8);
  const writer = new JuteWriter(pool);
  writer.int(1);
  writer.reset();
  expect(pool.idle).toBe(0);
  writer.int(2);
  writer.int(3);
  writer.patchInt(0, 4);
  writer.truncate(4);
  expect(writer.take()).toEqual(Buffer.from([0, 0, 0, 4]));
});
