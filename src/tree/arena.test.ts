import fc from "fast-check";
import { expect, test } from "vitest";
import { Arena } from "./arena.ts";

const SLAB_BYTES = 65536;

/** Fills a cell to its asked-for size with a letter of its own. */
function fill(arena: Arena, ref: number, size: number, letter: number): void {
  arena.slab(ref).fill(letter, arena.offset(ref), arena.offset(ref) + size);
}

function holds(arena: Arena, ref: number, size: number, letter: number): boolean {
  const bytes = arena.slab(ref).subarray(arena.offset(ref), arena.offset(ref) + size);
  return bytes.length === size && bytes.every((byte) => byte === letter);
}

test("cells never overlap, whatever is allocated and freed in which order", () => {
  const size = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 9000 }), fc.constantFrom(0, 8192, 8193, 20_000));
  const step = fc.oneof(fc.record({ allocate: size }), fc.record({ free: fc.nat() }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
      const arena = new Arena();
      const cells: { ref: number; size: number; letter: number }[] = [];
      steps.forEach((each, index) => {
        if ("allocate" in each) {
          const cell = { ref: arena.allocate(each.allocate), size: each.allocate, letter: index & 255 };
          fill(arena, cell.ref, cell.size, cell.letter);
          cells.push(cell);
        } else if (cells.length > 0) {
          const [cell] = cells.splice(each.free % cells.length, 1);
          arena.free(cell!.ref);
        }
      });
      for (const { ref, size: bytes, letter } of cells) expect(holds(arena, ref, bytes, letter)).toBe(true);
    }),
  );
});

test("a freed cell is the next one of its size", () => {
  const arena = new Arena();
  const [first] = [arena.allocate(100), arena.allocate(100)];
  arena.free(first);
  expect(arena.allocate(98)).toBe(first);
});

test("a million bytes in small cells cost little more than a million bytes", () => {
  const arena = new Arena();
  for (let i = 0; i < 10_000; i++) arena.allocate(100);
  expect(arena.reservedBytes).toBeLessThan(1_000_000 * 1.15 + SLAB_BYTES);
});

test("slabs whose cells are all free serve other sizes: memory does not grow with what was", () => {
  const arena = new Arena();
  for (const size of [40, 200, 1000, 5000]) {
    const refs = Array.from({ length: 5000 }, () => arena.allocate(size));
    for (const ref of refs) arena.free(ref);
    expect(arena.reservedBytes).toBeLessThan(10 * SLAB_BYTES);
  }
});

test("a node created and deleted in turn keeps its slab", () => {
  const arena = new Arena();
  arena.free(arena.allocate(64));
  const reserved = arena.reservedBytes;
  const ref = arena.allocate(64);
  expect(arena.reservedBytes).toBe(reserved);
  arena.free(ref);
});

test("data above 8 KiB has memory of its own, which goes with it", () => {
  const arena = new Arena();
  const ref = arena.allocate(100_000);
  expect(arena.slab(ref).length).toBeGreaterThanOrEqual(100_000);
  arena.free(ref);
  expect(arena.reservedBytes).toBe(0);
});

test("a cell is rewritten in place when the new size falls into the same class", () => {
  const arena = new Arena();
  const small = arena.allocate(100);
  expect(arena.fits(small, 112)).toBe(true);
  expect(arena.fits(small, 113)).toBe(false);
  const large = arena.allocate(9000);
  expect(arena.fits(large, 12_000)).toBe(true);
  expect(arena.fits(large, 13_000)).toBe(false);
  expect(arena.fits(large, 100)).toBe(false);
});
