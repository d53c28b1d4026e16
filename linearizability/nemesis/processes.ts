/** Processes that are killed, stopped in their tracks, and restarted one after the other. */
import type { Member } from "../cluster/member.ts";
import { SESSION_MS } from "../workloads/stage.ts";
import { type Field, ids, type Nemesis, named } from "./nemesis.ts";

/** Long enough for every session to run out. */
const PAST_SESSIONS_MS = SESSION_MS * 1.5;

/** kill -9; after the hold they are started again. */
async function kill(field: Field, members: readonly Member[], what: string, holdMs: number): Promise<void> {
  await field.fault(ids(members), `${named(members)} killed (${what})`, {
    inject: async () => {
      for (const member of members) member.heldDown = true;
      await Promise.all(members.map((member) => member.kill()));
    },
    during: () => field.hold(holdMs),
    heal: () => startAll(members),
  });
}

export function startAll(members: readonly Member[]): void {
  for (const member of members) {
    member.heldDown = false;
    if (!member.running) member.start();
  }
}

async function pause(field: Field, members: readonly Member[], what: string, holdMs: number): Promise<void> {
  const alive = members.filter((member) => member.running);
  await field.fault(ids(alive), `${named(alive)} paused (${what})`, {
    inject: () => {
      for (const member of alive) member.pause();
    },
    during: () => field.hold(Math.max(holdMs, PAST_SESSIONS_MS)),
    heal: () => {
      for (const member of alive) member.resume();
    },
  });
}

const killOne: Nemesis = {
  name: "kill-one",
  about: "kill -9 of a follower",
  kind: "process",
  strike: async (field, holdMs) => kill(field, [await field.follower()], "a follower", holdMs),
};

const killLeader: Nemesis = {
  name: "kill-leader",
  about: "kill -9 of the leader",
  kind: "process",
  changesLeader: true,
  strike: async (field, holdMs) => kill(field, [await field.leader()], "the leader", holdMs),
};

const killQuorum: Nemesis = {
  name: "kill-quorum",
  about: "kill -9 of more than half of the servers, the leader among them",
  kind: "process",
  changesLeader: true,
  strike: async (field, holdMs) => {
    const leader = await field.leader();
    const others = field.random.shuffled(field.cluster.members.filter((member) => member !== leader));
    await kill(field, [leader, ...others.slice(0, field.cluster.quorum - 1)], "a quorum", holdMs / 2);
  },
};

const killAll: Nemesis = {
  name: "kill-all",
  about: "kill -9 of every server at once",
  kind: "process",
  changesLeader: true,
  strike: (field, holdMs) => kill(field, field.cluster.members, "all at once", holdMs / 3),
};

const killLoop: Nemesis = {
  name: "kill-loop",
  about: "kill -9 of whoever leads, again and again while the ensemble recovers",
  kind: "process",
  changesLeader: true,
  strike: async (field, holdMs) => {
    for (let round = field.random.int(3, 5); round > 0 && !field.over; round--) {
      const target = field.random.chance(0.7) ? await field.leader() : await field.follower();
      await kill(field, [target], "during recovery", field.random.int(100, 900));
      // Into its recovery, its election or its synchronization.
      await field.hold(field.random.int(150, Math.max(400, holdMs / 5)));
    }
  },
};

const pauseLeader: Nemesis = {
  name: "pause-leader",
  about: "the leader stops beyond the session timeout, then goes on as if it still led",
  kind: "process",
  changesLeader: true,
  strike: async (field, holdMs) => pause(field, [await field.leader()], "the leader", holdMs),
};

const pauseOne: Nemesis = {
  name: "pause-one",
  about: "a follower stops beyond the session timeout, then goes on",
  kind: "process",
  strike: async (field, holdMs) => pause(field, [await field.follower()], "a follower", holdMs),
};

const pauseAll: Nemesis = {
  name: "pause-all",
  about: "every server stops beyond the session timeout",
  kind: "process",
  strike: (field, holdMs) => pause(field, field.cluster.members, "all", holdMs),
};

const rollingRestart: Nemesis = {
  name: "rolling-restart",
  about: "every server is stopped in order and started again, the leader last",
  kind: "process",
  changesLeader: true,
  strike: async (field) => {
    const leader = await field.leader();
    const order = [...field.random.shuffled(field.cluster.members.filter((member) => member !== leader)), leader];
    for (const member of order) {
      if (field.over) return;
      await field.fault([member.id], `${named([member])} restarted in order`, {
        inject: () => {
          member.heldDown = true;
          return member.stop();
        },
        during: () => field.hold(field.random.int(100, 600)),
        heal: () => startAll([member]),
      });
      await field.cluster.serving(20_000).catch(() => {});
    }
  },
};

export const PROCESS_NEMESES: readonly Nemesis[] = [
  killOne,
  killLeader,
  killQuorum,
  killAll,
  killLoop,
  pauseOne,
  pauseLeader,
  pauseAll,
  rollingRestart,
];
