/**
 * Marks for transitions that checks have or have not taken. The data file is optional: without it diagrams carry no marks.
 * It maps a chart's id to its transitions ("path EVENT#index", as in chart-model.ts) and how often each was taken.
 */
export interface Coverage {
  /** How often the transition was taken; undefined where nothing is known. */
  taken(key: string): number | undefined;
}

export type CoverageData = Readonly<Record<string, Readonly<Record<string, number>>>>;

export const NO_COVERAGE: Coverage = { taken: () => undefined };

/** Within a chart that has data, a transition without an entry was never taken. */
export function coverageOf(data: CoverageData, chartId: string): Coverage {
  const counts = data[chartId];
  return counts === undefined ? NO_COVERAGE : { taken: (key) => counts[key] ?? 0 };
}
