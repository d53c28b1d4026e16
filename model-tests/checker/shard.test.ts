import { expect, test } from "vitest";
import { type Batch, BatchReader, BatchWriter } from "./batch.ts";
import { explore } from "./explorer.ts";
import type { Model } from "./model.ts";
import { Shard } from "./shard.ts";
import { createModel, MAX_EPOCH } from "./zab-tla/zab-model.ts";

const BOUNDS = { servers: 2, txns: 2, timeouts: 2, restarts: 0, epochs: MAX_EPOCH };

/** The workers' protocol without the workers: every shard has a model of its own, and batches are cloned. */
function exploreInShards(load: () => Model<unknown>, shards: number) {
  const models = Array.from({ length: shards }, load);
  const mail: { readonly from: number; readonly to: number; readonly batch: Batch }[] = [];
  const writers = models.map((model, from) =>
    models.map((_, to) => new BatchWriter(model, (batch) => mail.push({ from, to, batch: structuredClone(batch) }))),
  );
  const readers = models.map((model) => models.map(() => new BatchReader(model)));
  const all = models.map((model, index) => {
    const limits = { symmetry: false, keepGoing: false, maxStates: Number.POSITIVE_INFINITY, recordGraph: false };
    return new Shard(
      model,
      { index, shards, ...limits },
      {
        send: (owner, words, lo, hi, parent, ordinal) => writers[index]![owner]!.add(words, lo, hi, parent, ordinal),
      },
    );
  });
  for (const shard of all) shard.seed();
  while (all.map((shard) => shard.advance()).some((size) => size > 0)) {
    for (const shard of all) shard.expand(Number.POSITIVE_INFINITY);
    for (const row of writers) for (const writer of row) writer.flush();
    for (const { from, to, batch } of mail.splice(0))
      readers[to]![from]!.read(batch, (words, lo, hi, parent, ordinal) =>
        all[to]!.receive(words, lo, hi, parent, ordinal),
      );
  }
  return all;
}

test.each([2, 3])("%i shards find the same states, successors and depth as one", (shards) => {
  const one = explore(createModel({ bounds: BOUNDS }));
  const parts = exploreInShards(() => createModel({ bounds: BOUNDS }), shards);
  const sum = (of: (shard: Shard<unknown>) => number) => parts.reduce((total, shard) => total + of(shard), 0);
  expect(sum((shard) => shard.distinct)).toBe(one.distinct);
  expect(sum((shard) => shard.generated)).toBe(one.generated);
  expect(Math.max(...parts.map((shard) => shard.depth))).toBe(one.depth);
  // Fingerprints spread the states evenly.
  for (const shard of parts) expect(shard.distinct * shards).toBeGreaterThan(one.distinct * 0.95);
});
