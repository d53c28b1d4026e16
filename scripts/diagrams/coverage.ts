/**
 * Marks for transitions that checks have or have not taken (`npm run coverage:charts`). Without the data file diagrams carry
 * no marks. Transitions go by "path EVENT#index", as in chart-model.ts.
 */

/**
 * In a simulated ensemble of production servers, by its trace; in a generated test of a real object (model-tests/paths); by
 * the model checker; in a random walk of the chart alone.
 */
export const COVERAGE_SOURCES = ["run", "path", "model", "walk"] as const;
export type CoverageSource = (typeof COVERAGE_SOURCES)[number];

/** For a person. */
export const SOURCE_WORDS: Readonly<Record<CoverageSource, string>> = {
  run: "simulated runs",
  path: "generated tests",
  model: "the model checker",
  walk: "random walks",
};

export interface Coverage {
  /** What has taken the transition; undefined where nothing is known. */
  taken(key: string): readonly CoverageSource[] | undefined;
}

export interface CoverageData {
  readonly charts: Readonly<Record<string, Readonly<Record<string, readonly CoverageSource[]>>>>;
  /** Chart → transition that nothing takes → why. */
  readonly unfired: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const NO_COVERAGE: Coverage = { taken: () => undefined };
export const NO_COVERAGE_DATA: CoverageData = { charts: {}, unfired: {} };

/** Within a chart that has data, a transition without an entry was never taken. */
export function coverageOf({ charts }: CoverageData, chartId: string): Coverage {
  const known = charts[chartId];
  return known === undefined ? NO_COVERAGE : { taken: (key) => known[key] ?? [] };
}
