import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkQueue } from "./chunk-queue.ts";
import { cut, cutsArbitrary } from "./records.arbitrary.ts";

function taken(queue: ChunkQueue): string {
  return queue.bytes.toString("latin1", queue.start, queue.end);
}

test("bytes come out in the order they went in, whatever sizes are asked for", () => {
  const sizes = fc.array(fc.nat(50), { minLength: 1 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), cutsArbitrary, sizes, (bytes, cuts, takes) => {
      const queue = new ChunkQueue();
      let out = "";
      for (const chunk of cut(Buffer.from(bytes), cuts)) {
        queue.push(chunk);
        for (const size of takes) if (queue.take(size)) out += taken(queue);
      }
      out += queue.takeRest().toString("latin1");
      expect(out).toBe(Buffer.from(bytes).toString("latin1"));
      expect([queue.length, queue.chunks, queue.take(1)]).toEqual([0, 0, false]);
    }),
  );
});

test("nothing can be taken from an empty queue, again and again", () => {
  const queue = new ChunkQueue();
  queue.push(Buffer.from("abc"));
  expect(queue.take(3)).toBe(true);
  expect([queue.take(0), taken(queue), queue.takeRest().length, queue.take(1)]).toEqual([true, "", 0, false]);
});

test("a peer that sends byte by byte costs few buffers", () => {
  const queue = new ChunkQueue();
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 251));
  for (let i = 0; i < bytes.length; i++) queue.push(bytes.subarray(i, i + 1));
  expect(queue.chunks).toBeLessThan(60);
  expect(queue.takeRest().equals(bytes)).toBe(true);
});

test("large chunks are never joined", () => {
  const queue = new ChunkQueue();
  for (let i = 0; i < 40; i++) queue.push(Buffer.alloc(8192, i));
  expect(queue.chunks).toBe(40);
  expect(queue.take(8192 * 39)).toBe(true);
  expect(queue.takeRest().equals(Buffer.alloc(8192, 39))).toBe(true);
});
