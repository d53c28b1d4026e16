/** Which transitions of the charts the generated tests take, and how often: for scripts/chart-coverage. */
import { CHARTS_UNDER_TEST } from "./charts-under-test.ts";
import { cover } from "./cover.ts";

/** Chart → transition ("path EVENT#index", as in the diagrams) → times taken. Takes about half a minute. */
export function firedByPaths(): Record<string, Record<string, number>> {
  return Object.fromEntries(
    CHARTS_UNDER_TEST.map((chart) => [chart.machine.id, Object.fromEntries(cover(chart).coverage.taken)]),
  );
}
