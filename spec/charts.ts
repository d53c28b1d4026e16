/**
 * Every chart of the system. The diagrams (docs/charts), the parity tests (model-tests/parity) and the shape rules iterate
 * over this list: a chart that is not here is neither drawn nor checked.
 *
 * After adding one: give its events sample payloads in model-tests/parity/samples.ts, and run `npm run diagrams`.
 */
import type { AnyStateMachine } from "xstate";
import { clientConnectionMachine } from "./connection/client-connection.machine.ts";
import { serverConnectionMachine } from "./connection/server-connection.machine.ts";
import { electionMachine } from "./election/election.machine.ts";
import { learnerHandlerMachine } from "./ensemble/learner-handler.machine.ts";
import { peerMachine } from "./peer/peer.machine.ts";
import { sessionMachine } from "./session/session.machine.ts";
import { recoveryMachine } from "./storage/recovery.machine.ts";

/** The sections of docs/charts/index.html, in this order. */
export const CHART_ROLES = ["Ensemble", "Sessions", "Storage", "Client"] as const;
export type ChartRole = (typeof CHART_ROLES)[number];

export interface Chart {
  readonly role: ChartRole;
  /** One sentence for the diagram's heading: whose life, and how many of them run. */
  readonly title: string;
  /** Its `id` is the diagram's name. */
  readonly machine: AnyStateMachine;
}

export const charts: readonly Chart[] = [
  { role: "Ensemble", title: "A server's whole life in its ensemble; one per server.", machine: peerMachine },
  { role: "Ensemble", title: "Fast leader election; one per server.", machine: electionMachine },
  { role: "Ensemble", title: "The leader's view of one learner; one per link.", machine: learnerHandlerMachine },
  {
    role: "Sessions",
    title: "One client's connection as its server sees it; one per socket, compiled to an integer.",
    machine: serverConnectionMachine,
  },
  {
    role: "Sessions",
    title: "A session as its tracker sees it; one per session, compiled to an integer.",
    machine: sessionMachine,
  },
  {
    role: "Storage",
    title: "How a server comes back from its disk, and how TRUNC cuts its log; one per start or TRUNC.",
    machine: recoveryMachine,
  },
  { role: "Client", title: "A client's session, across all its connections.", machine: clientConnectionMachine },
];
