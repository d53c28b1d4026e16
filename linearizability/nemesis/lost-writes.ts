/**
 * Power failures: every server is killed at once, and what it had written but not synced is gone, as a page cache is. A plain
 * kill -9 leaves all of that to the kernel, so that a server which acknowledges before it syncs goes unnoticed.
 */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Member } from "../cluster/member.ts";
import type { Random } from "../cluster/random.ts";
import { killTraced, noteWrites, straceLacks } from "../cluster/strace.ts";
import { type UnsyncedWrite, unsyncedWrites } from "../cluster/unsynced.ts";
import { type Field, ids, type Nemesis, named } from "./nemesis.ts";
import { startAll } from "./processes.ts";

const NOTES = "writes.strace";

function notesOf(member: Member): string {
  return join(member.directory, NOTES);
}

async function powerFailure(field: Field, members: readonly Member[], holdMs: number): Promise<void> {
  await field.fault(ids(members), `power failure at ${named(members)}`, {
    inject: async () => {
      for (const member of members) member.heldDown = true;
      await Promise.all(members.map(killTraced));
      for (const member of members) field.point([member.id], lose(member, field.random));
    },
    during: () => field.hold(holdMs),
    heal: () => startAll(members),
  });
}

/** Any prefix of the writes that were not synced survives, and a part of the next; the rest reads as if never written. */
function lose(member: Member, random: Random): string {
  const notes = existsSync(notesOf(member)) ? readFileSync(notesOf(member), "latin1") : "";
  const writes = unsyncedWrites(notes).filter(({ file }) => file.startsWith(member.filesDir) && existsSync(file));
  // The next incarnation starts a new page.
  writeFileSync(notesOf(member), "");
  const kept = random.int(0, writes.length);
  let lost = 0;
  for (const [index, write] of writes.entries()) {
    if (index < kept) continue;
    const survives = index === kept ? random.int(0, write.length) : 0;
    blank(write, survives);
    lost += write.length - survives;
  }
  const unsynced = writes.reduce((sum, { length }) => sum + length, 0);
  return `server ${member.id} loses ${lost} of ${unsynced} bytes that were not synced (${writes.length} writes)`;
}

function blank({ file, offset, length }: UnsyncedWrite, survives: number): void {
  const descriptor = openSync(file, "r+");
  try {
    writeSync(descriptor, Buffer.alloc(length - survives), 0, length - survives, offset + survives);
  } finally {
    closeSync(descriptor);
  }
}

async function watchWrites(members: readonly Member[]): Promise<void> {
  for (const member of members) {
    rmSync(notesOf(member), { force: true });
    member.wrap = (launch) => noteWrites(launch, notesOf(member));
  }
}

async function forget(members: readonly Member[]): Promise<void> {
  for (const member of members) rmSync(notesOf(member), { force: true });
}

export const LOST_WRITES_NEMESES: readonly Nemesis[] = [
  {
    name: "lost-writes",
    about: "every server loses power at once, and with it what it had not synced",
    kind: "process",
    changesLeader: true,
    lacks: ({ kind }) => (kind === "zoetrope" ? straceLacks() : "only positional writes to the log can be followed"),
    prepare: watchWrites,
    cleanUp: forget,
    strike: async (field, holdMs) => {
      const all = field.random.chance(0.6);
      const members = all ? field.cluster.members : [await field.leader()];
      await powerFailure(field, members, all ? holdMs / 3 : holdMs);
    },
  },
];
