/**
 * Sizes of the state graph of Zab.tla as TLC finds them; the explorer must find the same.
 *
 * There are two texts of the specification. Apache's asks in `CheckRestart` for what is left of MaxTimeoutFailures too,
 * so with 0 timeouts nothing ever restarts; the version of its authors, with which their published numbers were made
 * (those with symmetry), asks for MaxRestarts alone. With 0 restarts the two are the same.
 *
 * MaxEpoch is 3, except where the authors must have had it larger: only so do their numbers of generated states and
 * depths come out. For those rows and the one with four servers the number of distinct states is the explorer's own.
 */

import type { Counts } from "../check.ts";
import { MAX_EPOCH } from "./zab-model.ts";

export interface ZabCounts extends Counts {
  readonly bounds: readonly [servers: number, txns: number, timeouts: number, restarts: number];
  readonly epochs: number;
  readonly text: "both" | "authors" | "apache";
  readonly symmetry: boolean;
  readonly length: "quick" | "long";
}

const row = (
  bounds: ZabCounts["bounds"],
  text: ZabCounts["text"],
  symmetry: boolean,
  [distinct, generated, depth]: readonly [number, number, number],
  epochs = MAX_EPOCH,
): ZabCounts => {
  return { bounds, epochs, text, symmetry, distinct, generated, depth, length: generated > 1e6 ? "long" : "quick" };
};

export const ZAB_COUNTS: readonly ZabCounts[] = [
  row([2, 2, 2, 0], "both", false, [30_993, 39_957, 38]),
  row([2, 2, 2, 0], "both", true, [15_497, 19_980, 38]),
  row([2, 2, 1, 1], "authors", false, [39_143, 53_725, 38]),
  row([2, 2, 1, 1], "authors", true, [19_572, 26_865, 38]),
  row([2, 2, 1, 1], "apache", false, [4_715, 6_347, 29]),
  row([2, 2, 1, 1], "apache", true, [2_358, 3_176, 29]),
  row([2, 2, 0, 2], "authors", false, [37_251, 51_913, 38]),
  row([2, 2, 0, 2], "authors", true, [18_626, 25_959, 38]),
  row([2, 2, 0, 2], "apache", false, [103, 151, 20]),
  row([2, 2, 0, 2], "apache", true, [52, 77, 20]),
  row([3, 2, 1, 0], "both", false, [1_507_798, 3_659_611, 43]),
  row([3, 2, 1, 0], "both", true, [251_332, 610_035, 43]),
  row([3, 2, 1, 1], "apache", false, [6_577_621, 15_016_453, 50]),
  row([3, 2, 0, 1], "authors", true, [848_734, 1_902_139, 50]),
  row([2, 3, 2, 2], "authors", true, [6_669_149, 10_370_967, 60], 5),
  row([4, 2, 1, 0], "both", true, [6_634_696, 21_393_294, 64]),
  row([3, 2, 2, 0], "both", true, [10_984_272, 26_126_204, 54], 4),
  row([3, 2, 1, 1], "authors", true, [38_178_237, 84_543_312, 61], 4),
];
