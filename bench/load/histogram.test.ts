import { expect, test } from "vitest";
import { Histogram } from "./histogram.ts";

test("percentiles of small values are exact", () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 1000; value++) histogram.add(value);
  expect(histogram.count).toBe(1000);
  expect([50, 95, 99, 99.9, 100].map((p) => histogram.percentile(p))).toEqual([500, 950, 990, 999, 1000]);
  expect(histogram.mean).toBe(500.5);
});

test("large values are right to a tenth of a percent, and never too small", () => {
  for (const value of [2047, 2048, 2049, 4095, 4096, 12_345, 999_999, 123_456_789, 2_000_000_000]) {
    const histogram = new Histogram();
    histogram.add(value);
    histogram.add(value * 2);
    const found = histogram.percentile(50);
    expect(found).toBeGreaterThanOrEqual(Math.min(value, 2 ** 31));
    expect(found).toBeLessThanOrEqual(value * 1.001);
  }
});

test("what is beyond the range counts as the largest value", () => {
  const histogram = new Histogram();
  histogram.add(1e15);
  histogram.add(-1);
  expect(histogram.count).toBe(2);
  expect(histogram.percentile(100)).toBe(2 ** 31 - 1);
  expect(histogram.percentile(50)).toBe(0);
});

test("histograms of several processes merge", () => {
  const [one, two] = [new Histogram(), new Histogram()];
  for (let value = 0; value < 5000; value++) (value % 2 === 0 ? one : two).add(value);
  const merged = Histogram.from(JSON.parse(JSON.stringify(one)));
  merged.merge(two.toJSON());
  const all = new Histogram();
  for (let value = 0; value < 5000; value++) all.add(value);
  for (const p of [1, 50, 99, 99.9]) expect(merged.percentile(p)).toBe(all.percentile(p));
});

test("an empty one has no percentiles, and a reset one is empty", () => {
  const histogram = new Histogram();
  histogram.add(7);
  histogram.reset();
  expect(histogram.count).toBe(0);
  expect(histogram.percentile(99)).toBe(0);
  expect(histogram.mean).toBe(0);
});
