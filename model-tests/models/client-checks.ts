/** The models of what clients see: sessions, requests, watches; and of snapshots, on which their data rests. */

import type { Check } from "../checker/check.ts";
import { type StateProperty, sometimes } from "../checker/model.ts";
import { COUNTER_BOUNDS, counterBoundsText, counterModel } from "./replay/counter-model.ts";
import { QUICK_REPLAY_BOUNDS, REPLAY_BOUNDS, replayBoundsText, replayModel } from "./replay/replay-model.ts";
import { boundsText, type SessionBounds, sessionModel } from "./sessions/session-model.ts";
import type { SessionState } from "./sessions/world-state.ts";
import { SYNC_BOUNDS, syncBoundsText, syncModel } from "./sync/sync-model.ts";

/** MC6: a session is closed, by its client or by expiry, among another one's requests and a link that breaks. */
const CLOSING: SessionBounds = {
  scripts: ["EX", "F"],
  breaks: 0,
  ticks: 0,
  leaderChanges: 0,
  others: "",
  torn: 1,
  swift: false,
};
/** MC6: the client moves while its session is about to expire. */
const MOVING: SessionBounds = { ...CLOSING, scripts: ["E"], breaks: 1, ticks: 3, torn: 0, swift: true };
/** MC6: the leader changes, with what is under way kept or lost. */
const LEADING: SessionBounds = { ...CLOSING, scripts: ["E"], ticks: 3, leaderChanges: 1, torn: 0 };
/** MC6, all of it at once; the three above are its slices. */
const JOINED: SessionBounds = { ...LEADING, scripts: ["E", "F"], breaks: 1, swift: true };
/** MC7: a write, a read, a write; one reconnection, replies cut anywhere. */
const PIPELINE: SessionBounds = { ...CLOSING, scripts: ["WRW"], breaks: 1, torn: 0, swift: true };
/** MC8: a one-shot watch, and a persistent one, over a reconnection. */
const ONE_SHOT: SessionBounds = { ...CLOSING, scripts: ["G"], breaks: 1, others: "WW", torn: 0, swift: true };
const PERSISTENT: SessionBounds = { ...CLOSING, scripts: ["P"], breaks: 1, others: "VV", torn: 0, swift: true };

function sessions(name: string, bounds: SessionBounds, sometimes: readonly StateProperty<SessionState>[]): Check {
  const load = async () => sessionModel({ name, bounds, sometimes });
  return { name, bounds: boundsText(bounds), length: "quick", load };
}

const closed = sometimes<SessionState>("a session is closed everywhere", ({ log, servers }) => {
  return log.at(-1)?.kind === "close" && servers.every(({ applied }) => applied === log.length);
});
const expired = sometimes<SessionState>("a session expires", ({ log }) => log.some((txn) => txn.expired !== null));
const told = sometimes<SessionState>("its client hears of it", ({ clients }) => {
  return clients.some(({ phase }) => phase === "expired");
});
const moved = sometimes<SessionState>("what came through the old server is refused", ({ log }) => {
  return log.some(({ kind, via, owner }) => kind === "error" && via !== owner);
});
const cutOff = sometimes<SessionState>("a leader takes over without what was under way", ({ log, epoch }) => {
  return epoch > 1 && log.length === 3;
});
const again = sometimes<SessionState>("a watch is there on the second connection", ({ clients, nextSocket }) => {
  return nextSocket > 2 && clients.some(({ watches, phase }) => watches.length > 0 && phase === "connected");
});

export const CLIENT_CHECKS: readonly Check[] = [
  {
    name: "replay/MC9",
    bounds: replayBoundsText(REPLAY_BOUNDS),
    length: "quick",
    load: async () => replayModel({ bounds: REPLAY_BOUNDS }),
  },
  {
    name: "replay/short",
    bounds: replayBoundsText(QUICK_REPLAY_BOUNDS),
    length: "quick",
    load: async () => replayModel({ bounds: QUICK_REPLAY_BOUNDS }),
  },
  {
    name: "counter",
    bounds: counterBoundsText(COUNTER_BOUNDS),
    length: "quick",
    load: async () => counterModel(COUNTER_BOUNDS),
  },
  sessions("sessions/MC6 closing", CLOSING, [closed]),
  sessions("sessions/MC6 moving", MOVING, [expired, told]),
  sessions("sessions/MC6 leader change", LEADING, [expired, cutOff]),
  { ...sessions("sessions/MC6 joined", JOINED, [expired, told]), length: "long" },
  sessions("pipeline/MC7", PIPELINE, [moved]),
  sessions("watches/MC8 one-shot", ONE_SHOT, [again]),
  sessions("watches/MC8 persistent", PERSISTENT, [again]),
  {
    name: "sync",
    bounds: syncBoundsText(SYNC_BOUNDS),
    length: "quick",
    load: async () => syncModel(SYNC_BOUNDS),
  },
];
