/** A model with its bounds and what is expected of it, as the command line and the workers know it: by its name. */

import type { Model } from "./model.ts";

export interface Check {
  /** `family/variant`; a family's name on the command line stands for all its checks. */
  readonly name: string;
  /** The bounds, in words. */
  readonly bounds: string;
  /** `quick` checks run by default, `long` ones when they are named in full or with --long. */
  readonly length: "quick" | "long";
  /** A fresh model: its pools are not shared. */
  readonly load: () => Promise<Model<unknown>>;
  readonly symmetry?: boolean;
  /** The search ends at this level: what is deeper is left to random walks. */
  readonly maxDepth?: number;
  /** The exact size of the explored graph; a difference is a failure. */
  readonly expected?: Counts;
}

export interface Counts {
  readonly distinct: number;
  readonly generated: number;
  readonly depth: number;
}

/** A wrong variant of a model, and the property that must notice. */
export interface Mutant {
  readonly name: string;
  /** What was changed, and why that is wrong. */
  readonly story: string;
  readonly bounds: string;
  readonly load: () => Promise<Model<unknown>>;
  readonly symmetry?: boolean;
  /** An invariant; or a goal, which the wrong variant must never reach. */
  readonly killer: string;
  /** States of the shortest trace, the initial one included; levels of the search where the killer is a goal. */
  readonly depth: number;
}
