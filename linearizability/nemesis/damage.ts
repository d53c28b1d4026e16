/** Files that are damaged while their server is down, or gone. On a minority, and nothing else happens until it has caught up. */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Member } from "../cluster/member.ts";
import type { Random } from "../cluster/random.ts";
import type { Field, Nemesis } from "./nemesis.ts";
import { startAll } from "./processes.ts";

/** Until a damaged server serves, or is given up and gets an empty directory. */
const PATIENCE_MS = 8000;
const SYNCED_WITHIN_MS = 30_000;

/** Changes files of a member that is down; says what it did, or null where there is nothing to damage. */
type Damage = (member: Member, random: Random) => string | null;

async function damaged(field: Field, kind: string, damage: Damage): Promise<void> {
  const member = field.random.chance(0.4) ? await field.leader() : await field.follower();
  // Everybody else holds everything before this one loses anything.
  if (!(await everybodyServes(field, SYNCED_WITHIN_MS))) return;
  let done: string | null = null;
  await field.fault([member.id], `${kind} of server ${member.id} while it is down`, {
    inject: async () => {
      member.heldDown = true;
      member.excused = "its files are damaged";
      await member.kill();
      done = damage(member, field.random);
    },
    during: async () => {
      field.point([member.id], `server ${member.id}: ${done ?? "nothing to damage"}`);
      await field.hold(field.random.int(100, 1500));
      member.start();
      if (await serves(field, member, PATIENCE_MS)) return;
      // It does not start on these files, and says so: an operator gives it an empty directory.
      field.point([member.id], `server ${member.id} does not start on its files, and gets an empty directory`);
      await member.kill();
      setAside(member);
    },
    heal: async () => {
      member.excused = null;
      startAll([member]);
      await everybodyServes(field, SYNCED_WITHIN_MS);
    },
  });
}

async function everybodyServes(field: Field, timeoutMs: number): Promise<boolean> {
  return field.cluster.serving(timeoutMs).then(
    () => true,
    () => false,
  );
}

async function serves(field: Field, member: Member, timeoutMs: number): Promise<boolean> {
  const untilMs = performance.now() + timeoutMs;
  while (member.running && performance.now() < untilMs && !field.over) {
    if ((await field.cluster.lastZxid(member)) !== null) return true;
    await field.hold(100);
  }
  return false;
}

// ---- what is lost is kept for the checker, which reads such copies as logs of their own

/** A new folder beside the server's own. */
function copyFolder({ directory }: Member): string {
  for (let n = 1; ; n++) {
    const folder = join(directory, `before-${n}`, "version-2");
    if (existsSync(folder)) continue;
    mkdirSync(folder, { recursive: true });
    return folder;
  }
}

/** Empties the directory of a member that is down. */
function setAside(member: Member): void {
  if (!existsSync(member.filesDir)) return;
  const folder = copyFolder(member);
  for (const name of readdirSync(member.filesDir)) move(join(member.filesDir, name), join(folder, name));
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    // A small disk is a file system of its own.
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    cpSync(from, to, { recursive: true });
    rmSync(from, { recursive: true });
  }
}

function keepLog(member: Member, file: string): void {
  copyFileSync(file, join(copyFolder(member), basename(file)));
}

// ---- kinds of damage

/** By zxid, the newest last. */
function filesOf(directory: string, prefix: string): string[] {
  if (!existsSync(directory)) return [];
  const zxid = (name: string) => Number.parseInt(name.slice(prefix.length), 16);
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix) && !Number.isNaN(zxid(name)))
    .sort((a, b) => zxid(a) - zxid(b))
    .map((name) => join(directory, name));
}

/** Without the padding behind it. */
function lengthOf(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}

function flip(bytes: Buffer, at: number, random: Random): void {
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(0, 7));
}

/** The last `span` bytes of a log's records. */
function inTail(
  file: string,
  span: number,
  change: (bytes: Buffer, from: number, end: number) => string,
): string | null {
  const bytes = readFileSync(file);
  const end = lengthOf(bytes);
  if (end <= 32) return null;
  const said = change(bytes, Math.max(16, end - span), end);
  writeFileSync(file, bytes);
  return `${said} in ${file.slice(file.lastIndexOf("/") + 1)}`;
}

const damagedLogTail: Damage = (member, random) => {
  const file = filesOf(member.filesDir, "log.").at(-1);
  if (file === undefined) return null;
  keepLog(member, file);
  switch (random.pick(["flip", "truncate", "zero"])) {
    case "flip":
      return inTail(file, 400, (bytes, from, end) => {
        const at = random.int(from, end - 1);
        flip(bytes, at, random);
        return `a bit flipped at byte ${at}, ${end - at} before the end of the records,`;
      });
    case "zero":
      return inTail(file, random.int(1, 600), (bytes, from, end) => {
        bytes.fill(0, from, end);
        return `the last ${end - from} bytes of the records zeroed`;
      });
    default: {
      const end = lengthOf(readFileSync(file));
      const length = Math.max(0, end - random.int(1, 600));
      truncateSync(file, length);
      return `the log cut to ${length} of ${end} bytes`;
    }
  }
};

const damagedLogMiddle: Damage = (member, random) => {
  const logs = filesOf(member.filesDir, "log.");
  if (logs.length === 0) return null;
  const file = random.pick(logs);
  keepLog(member, file);
  return inTail(file, Number.MAX_SAFE_INTEGER, (bytes, from, end) => {
    const at = random.int(from, end - 1);
    flip(bytes, at, random);
    return `a bit flipped at byte ${at} of ${end}`;
  });
};

const damagedSnapshot: Damage = ({ filesDir }, random) => {
  const file = filesOf(filesDir, "snapshot.").at(-1);
  if (file === undefined) return null;
  const bytes = readFileSync(file);
  const name = file.slice(file.lastIndexOf("/") + 1);
  if (random.chance(0.5)) {
    truncateSync(file, random.int(0, bytes.length - 1));
    return `${name} cut`;
  }
  const at = random.int(0, bytes.length - 1);
  flip(bytes, at, random);
  writeFileSync(file, bytes);
  return `a bit flipped at byte ${at} of ${name}`;
};

const damagedEpoch: Damage = ({ filesDir }, random) => {
  const file = join(filesDir, random.pick(["currentEpoch", "acceptedEpoch"]));
  if (!existsSync(file)) return null;
  const name = file.slice(file.lastIndexOf("/") + 1);
  const text = random.pick(["", "x", "-7", "\0\0"]);
  if (random.chance(0.3)) {
    rmSync(file);
    return `${name} removed`;
  }
  writeFileSync(file, text);
  return `${name} reads ${JSON.stringify(text)}`;
};

const wiped: Damage = (member) => {
  setAside(member);
  return "its data directory emptied";
};

function nemesis(name: string, about: string, kind: string, damage: Damage): Nemesis {
  return { name, about, kind: "process", exclusive: true, strike: (field) => damaged(field, kind, damage) };
}

export const DAMAGE_NEMESES: readonly Nemesis[] = [
  nemesis("corrupt-log-tail", "the end of a server's log is damaged while it is down", "log tail", damagedLogTail),
  nemesis("corrupt-log", "a bit somewhere in a server's logs flips while it is down", "log", damagedLogMiddle),
  nemesis("corrupt-snapshot", "a server's newest snapshot is damaged while it is down", "snapshot", damagedSnapshot),
  nemesis("corrupt-epoch", "a server's epoch file is damaged while it is down", "epoch file", damagedEpoch),
  nemesis("wipe", "a server comes back with an empty data directory", "data directory", wiped),
];
