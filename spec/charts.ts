/**
 * Every chart of the system. The diagrams (docs/charts), the parity tests (model-tests/parity) and the shape rules iterate
 * over this list: a chart that is not here is neither drawn nor checked.
 *
 * After adding one: give its events sample payloads in model-tests/parity/samples.ts, and run `npm run diagrams`.
 */
import type { AnyStateMachine } from "xstate";
import { serverConnectionMachine } from "./connection/server-connection.machine.ts";
import { sessionMachine } from "./session/session.machine.ts";

/** Who lives by the chart; also the sections of docs/charts/index.html, in this order. */
export const CHART_ROLES = ["Server", "Ensemble", "Sessions", "Storage", "Client"] as const;
export type ChartRole = (typeof CHART_ROLES)[number];

export interface Chart {
  readonly role: ChartRole;
  /** Its `id` is the diagram's name. */
  readonly machine: AnyStateMachine;
}

export const charts: readonly Chart[] = [
  { role: "Sessions", machine: sessionMachine },
  { role: "Sessions", machine: serverConnectionMachine },
];
