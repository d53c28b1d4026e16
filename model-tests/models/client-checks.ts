/** The models of what clients see: sessions, requests, watches; and of snapshots, on which their data rests. */

import type { Check } from "../checker/check.ts";
import { type StateProperty, sometimes } from "../checker/model.ts";
import { COUNTER_BOUNDS, counterBoundsText, counterModel } from "./replay/counter-model.ts";
import { QUICK_REPLAY_BOUNDS, REPLAY_BOUNDS, replayBoundsText, replayModel } from "./replay/replay-model.ts";
import { ANY_LAG, boundsText, type SessionBounds, sessionModel } from "./sessions/session-model.ts";
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
  near: 0,
  lag: ANY_LAG,
  intruder: false,
  connected: false,
};
/** MC6: the client moves while its session is about to expire. */
const MOVING: SessionBounds = { ...CLOSING, scripts: ["E"], breaks: 1, ticks: 5, torn: 0, swift: true };
/** MC6: the leader changes, with what is under way kept or lost. */
const LEADING: SessionBounds = { ...CLOSING, scripts: ["E"], ticks: 3, leaderChanges: 1, torn: 0 };
/** MC6, all of it at once, between clients that have their sessions; the second client is one without delays. */
const JOINED: SessionBounds = {
  ...LEADING,
  scripts: ["E", "F"],
  breaks: 1,
  swift: true,
  near: 1,
  lag: 1,
  connected: true,
};
/** MC6: the client moves twice, and what it asked of the server in between reaches the leader late (ZOOKEEPER-2886). */
const STEALING: SessionBounds = { ...CLOSING, scripts: ["WW"], breaks: 2, torn: 0, connected: true };
/** MC6: somebody tries to get the client's session. */
const INTRUDING: SessionBounds = { ...CLOSING, scripts: ["E", ""], torn: 0, swift: true, intruder: true };
/** MC7: a write, a read, a write; one reconnection, replies cut anywhere. */
const PIPELINE: SessionBounds = { ...CLOSING, scripts: ["WRW"], breaks: 1, torn: 0, swift: true };
/** MC8: a one-shot watch, and a persistent one, over a reconnection. */
const ONE_SHOT: SessionBounds = { ...CLOSING, scripts: ["G"], breaks: 1, others: "WWW", torn: 0, swift: true };
const PERSISTENT: SessionBounds = { ...CLOSING, scripts: ["P"], breaks: 1, others: "VVV", torn: 0, swift: true };

function sessions(
  name: string,
  bounds: SessionBounds,
  sometimes: readonly StateProperty<SessionState>[],
  goesOn = false,
): Check {
  const load = async () => sessionModel({ name, bounds, sometimes, goesOn });
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
const stolen = sometimes<SessionState>("a late question takes the session away from the client's server", (state) => {
  const { clients, owners, wires } = state;
  const wire = wires.find(({ client, cut }) => client === 0 && !cut);
  const [client] = clients;
  const owner = owners[client?.session ?? ""];
  return client?.phase === "connected" && wire !== undefined && owner !== undefined && owner !== wire.server + 1;
});
const refused = sometimes<SessionState>("the intruder is refused", ({ clients }) => {
  return clients.some(({ honest, phase }) => !honest && phase === "expired");
});
const cutOff = sometimes<SessionState>("a leader takes over without what was under way", ({ log, epoch }) => {
  return epoch > 1 && log.length === 3;
});
const again = sometimes<SessionState>("a watch is there on the second connection", ({ clients, spent }) => {
  return spent.breaks > 0 && clients.some(({ watches, phase }) => watches.length > 0 && phase === "connected");
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
  sessions("sessions/MC6 joined", JOINED, [expired, told]),
  sessions("sessions/MC6 stealing", STEALING, [moved, stolen], true),
  sessions("sessions/MC6 intruder", INTRUDING, [refused]),
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
