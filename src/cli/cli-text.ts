/** What the shell prints, in zkCli's words (org.apache.zookeeper.cli). */
import { formatSessionId, formatZxid } from "../../spec/vocabulary.ts";
import {
  type Acl,
  BadArguments,
  ErrorCode,
  Perms,
  type Stat,
  type WatchedEvent,
  ZooKeeperError,
} from "../client/index.ts";

/** StatPrinter. */
export function statText(stat: Stat): string {
  return [
    `cZxid = ${formatZxid(stat.czxid)}`,
    `ctime = ${dateText(stat.ctime)}`,
    `mZxid = ${formatZxid(stat.mzxid)}`,
    `mtime = ${dateText(stat.mtime)}`,
    `pZxid = ${formatZxid(stat.pzxid)}`,
    `cversion = ${stat.cversion}`,
    `dataVersion = ${stat.version}`,
    `aclVersion = ${stat.aversion}`,
    `ephemeralOwner = ${formatSessionId(stat.ephemeralOwner)}`,
    `dataLength = ${stat.dataLength}`,
    `numChildren = ${stat.numChildren}`,
    "",
  ].join("\n");
}

/** As java.util.Date prints: `Thu Jan 01 00:00:00 UTC 1970`. */
export function dateText(ms: number): string {
  const parts: Record<string, string> = {};
  for (const { type, value } of dateFormat.formatToParts(ms)) parts[type] = value;
  const { weekday, month, day, hour, minute, second, timeZoneName, year } = parts;
  return `${weekday} ${month} ${day} ${hour}:${minute}:${second} ${timeZoneName} ${year}`;
}

const dateFormat = new Intl.DateTimeFormat("en-US", {
  weekday: "short",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
  timeZoneName: "short",
  year: "numeric",
});

/** Names sorted as Java sorts strings, by UTF-16 units. */
export function listText(names: readonly string[]): string {
  return `[${[...names].sort().join(", ")}]`;
}

/** `'world,'anyone` and, on the next line, `: cdrwa`. */
export function aclText(acl: readonly Acl[]): string {
  return acl.map(({ scheme, id, perms }) => `'${scheme},'${id}\n: ${permsText(perms)}\n`).join("");
}

const PERMS = [
  ["c", Perms.CREATE],
  ["d", Perms.DELETE],
  ["r", Perms.READ],
  ["w", Perms.WRITE],
  ["a", Perms.ADMIN],
] as const;

export function permsText(perms: number): string {
  return PERMS.map(([letter, bit]) => ((perms & bit) === 0 ? "" : letter)).join("");
}

/** `scheme:id:perms,…`. What is not understood is reported and left out, as in zkCli (AclParser). */
export function parseAcl(text: string, complain: (line: string) => void): Acl[] {
  const acl: Acl[] = [];
  for (const entry of text.split(",")) {
    const first = entry.indexOf(":");
    const last = entry.lastIndexOf(":");
    if (first === last) {
      complain(`${entry} does not have the form scheme:id:perm`);
      continue;
    }
    let perms = 0;
    for (const letter of entry.slice(last + 1)) {
      const known = PERMS.find(([name]) => name === letter);
      if (known === undefined) complain(`Unknown perm type: ${letter}`);
      else perms |= known[1];
    }
    acl.push({ scheme: entry.slice(0, first), id: entry.slice(first + 1, last), perms });
  }
  return acl;
}

export function eventText({ state, type, path }: WatchedEvent): string {
  return `\nWATCHER::\n\nWatchedEvent state:${state} type:${type} path:${path}\n`;
}

/** CliWrapperException. */
export function errorText(error: unknown): string {
  if (!(error instanceof ZooKeeperError)) return error instanceof Error ? error.message : String(error);
  // Arguments that this client refuses say what is wrong with them; those that a server refuses do not.
  if (error instanceof BadArguments && !error.message.startsWith("KeeperErrorCode")) return error.message;
  const words = WORDS.get(error.code);
  return words === undefined ? error.message : words.replace("%", String(error.path));
}

const WORDS = new Map<number, string>([
  [ErrorCode.NONODE, "Node does not exist: %"],
  [ErrorCode.NOCHILDRENFOREPHEMERALS, "Ephemerals cannot have children: %"],
  [ErrorCode.NODEEXISTS, "Node already exists: %"],
  [ErrorCode.NOTEMPTY, "Node not empty: %"],
  [ErrorCode.NOTREADONLY, "Not a read-only call: %"],
  [ErrorCode.INVALIDACL, "Acl is not valid : %"],
  [ErrorCode.NOAUTH, "Insufficient permission : %"],
  [ErrorCode.BADARGUMENTS, "Arguments are not valid : %"],
  [ErrorCode.BADVERSION, "version No is not valid : %"],
  [ErrorCode.QUOTAEXCEEDED, "Quota has exceeded : %"],
]);
