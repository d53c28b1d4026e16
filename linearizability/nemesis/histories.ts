/** Ensembles that are set up so that rare ways of catching up become common. */
import { nearEndOfEpoch, seedDataDir } from "../../model-tests/support/seeded-data-dir.ts";
import { ids, type Nemesis, named } from "./nemesis.ts";
import { startAll } from "./processes.ts";

const snapshots: Nemesis = {
  name: "snapshots",
  about: "snapshots all the time and a short memory of what was committed: whoever was away is sent the whole tree",
  kind: "process",
  settings: { snapCount: "60", commitLogCount: "20" },
  strike: async (field, holdMs) => {
    const members = field.random.chance(0.3) ? [await field.leader()] : field.minority();
    await field.fault(ids(members), `${named(members)} away for many snapshots`, {
      inject: async () => {
        for (const member of members) member.heldDown = true;
        await Promise.all(members.map((member) => (field.random.chance(0.5) ? member.kill() : member.stop())));
      },
      during: () => field.hold(holdMs),
      heal: () => startAll(members),
    });
  },
};

const endOfEpoch: Nemesis = {
  name: "zxid-end",
  about: "data directories that end a few zxids before the counter does; then one leader after the other",
  kind: "process",
  changesLeader: true,
  prepare: async (members, random) => {
    const left = random.int(0, 3);
    for (const member of members) seedDataDir(member.filesDir, nearEndOfEpoch(1, left));
  },
  strike: async (field, holdMs) => {
    const leader = await field.leader();
    await field.fault([leader.id], `the leader ${leader.id} restarted`, {
      inject: async () => {
        leader.heldDown = true;
        await leader.kill();
      },
      during: () => field.hold(holdMs),
      heal: () => startAll([leader]),
    });
  },
};

export const HISTORY_NEMESES: readonly Nemesis[] = [snapshots, endOfEpoch];
