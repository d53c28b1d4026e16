import {
  type ServerConnectionEvent,
  serverConnectionMachine,
} from "../../spec/connection/server-connection.machine.ts";
import { compileTable } from "../runtime/compiled-table.ts";

/** The server-connection chart as integers: one per connection. */
export const connectionTable = compileTable(serverConnectionMachine);

export type ConnectionEventType = ServerConnectionEvent["type"];
export const connectionEvents: Readonly<Record<ConnectionEventType, number>> = connectionTable.events;

function whichStates(holds: (state: number) => boolean): readonly boolean[] {
  return connectionTable.states.map((_, state) => holds(state));
}

function lists(state: number, event: ConnectionEventType): boolean {
  return connectionTable.next(state, connectionEvents[event]) >= 0;
}

/** Requests may be taken from the connection's bytes: its state admits the hot REQUEST. */
export const admitsRequest = whichStates((state) => connectionTable.admitted(state)["REQUEST"] !== undefined);
/** Still waiting for the first message. */
export const awaitsFirstFrame = whichStates((state) => lists(state, "SESSION_REQUESTED"));
/** A session was asked for; the ensemble has not answered. */
export const awaitsSession = whichStates((state) => lists(state, "SESSION_CONFIRMED"));
/** Reading is paused, to go on later. */
export const isHeldBack = whichStates((state) => lists(state, "LET_GO"));
/** The session is served here: replies and watch events may be written. */
export const isServed = whichStates((state) => lists(state, "OVERFLOWED") && !lists(state, "FLUSHED"));
/** Closes as soon as its output is handed over. */
export const isDraining = whichStates((state) => lists(state, "FLUSHED"));
export const isClosed = whichStates((state) => connectionTable.isFinal(state));
