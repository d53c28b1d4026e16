/** Disks that are slow, fail, or are full. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { fillDisk, freeDisk } from "../../model-tests/support/ballast.ts";
import type { Member } from "../cluster/member.ts";
import { injectIntoSyncs, straceLacks } from "../cluster/strace.ts";
import { type Field, ids, type Nemesis, named } from "./nemesis.ts";
import { startAll } from "./processes.ts";

const needsStrace = (): string | null => straceLacks();

async function slowSyncs(field: Field, members: readonly Member[], holdMs: number): Promise<void> {
  const delayMs = field.random.int(100, 400);
  const lifts: (() => Promise<void>)[] = [];
  await field.fault(ids(members), `every write to the disk of ${named(members)} takes ${delayMs} ms more`, {
    inject: async () => {
      for (const member of members) {
        if (member.healthy) lifts.push((await injectIntoSyncs(member, `delay_enter=${delayMs * 1000}`)).lift);
      }
    },
    during: () => field.hold(holdMs),
    heal: () => Promise.all(lifts.map((lift) => lift())),
  });
}

const slowFollower: Nemesis = {
  name: "slow-disk-follower",
  about: "a follower's disk is slow",
  kind: "process",
  lacks: needsStrace,
  strike: async (field, holdMs) => slowSyncs(field, [await field.follower()], holdMs),
};

const slowLeader: Nemesis = {
  name: "slow-disk-leader",
  about: "the leader's disk is slow",
  kind: "process",
  lacks: needsStrace,
  strike: async (field, holdMs) => slowSyncs(field, [await field.leader()], holdMs),
};

const slowMajority: Nemesis = {
  name: "slow-disk-majority",
  about: "more than half of the disks are slow, so that every write is",
  kind: "process",
  lacks: needsStrace,
  strike: (field, holdMs) => {
    const members = field.random.shuffled(field.cluster.members).slice(0, field.cluster.quorum);
    return slowSyncs(field, members, holdMs);
  },
};

const failingSync: Nemesis = {
  name: "fsync-error",
  about: "writes and syncs fail on one server: what they were for must not be acknowledged",
  kind: "process",
  lacks: needsStrace,
  strike: async (field, holdMs) => {
    const member = field.random.chance(0.5) ? await field.leader() : await field.follower();
    if (!member.healthy) return;
    let lift: () => Promise<void> = async () => {};
    await field.fault([member.id], `the disk of server ${member.id} fails with EIO`, {
      inject: async () => {
        member.excused = "its disk fails";
        member.heldDown = true;
        lift = (await injectIntoSyncs(member, "error=EIO")).lift;
      },
      during: () => field.hold(holdMs),
      heal: async () => {
        await lift();
        member.excused = null;
        startAll([member]);
      },
    });
  },
};

/** Of the small file system that one server has for its data. */
const SMALL_DISK = "64m";

const fullDisk: Nemesis = {
  name: "full-disk",
  about: "one server's disk has no room left",
  kind: "process",
  lacks: () => {
    if (process.platform !== "linux") return "a small file system is mounted with Linux's tmpfs";
    return process.getuid?.() === 0 ? null : "mounting a small file system takes root";
  },
  prepare: async (members, random) => {
    const member = random.pick(members);
    mkdirSync(member.filesDir, { recursive: true });
    const mount = ["-t", "tmpfs", "-o", `size=${SMALL_DISK}`, "zoetrope-faults", member.filesDir];
    if (spawnSync("mount", mount).status !== 0) throw new Error(`Cannot mount a tmpfs on ${member.filesDir}`);
    member.smallDisk = true;
  },
  cleanUp: async (members) => {
    for (const member of members.filter(({ smallDisk }) => smallDisk)) {
      // The run folder keeps the files, not the file system.
      const copy = `${member.filesDir}.copy`;
      freeDisk(member.filesDir);
      cpSync(member.filesDir, copy, { recursive: true });
      spawnSync("umount", [member.filesDir]);
      rmSync(member.filesDir, { recursive: true, force: true });
      renameSync(copy, member.filesDir);
      member.smallDisk = false;
    }
  },
  strike: async (field, holdMs) => {
    const member = field.cluster.members.find(({ smallDisk }) => smallDisk);
    if (member === undefined) throw new Error("No server has a small disk");
    await field.fault([member.id], `the disk of server ${member.id} is full`, {
      inject: () => {
        member.excused = "its disk is full";
        fillDisk(member.filesDir);
      },
      during: () => field.hold(holdMs),
      heal: () => {
        freeDisk(member.filesDir);
        member.excused = null;
        if (!member.running) startAll([member]);
      },
    });
  },
};

export const DISK_NEMESES: readonly Nemesis[] = [slowFollower, slowLeader, slowMajority, failingSync, fullDisk];
