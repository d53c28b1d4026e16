/**
 * zoo.cfg as Apache ZooKeeper reads it (QuorumPeerConfig), stricter where a silent default would surprise: a wrong value stops with its
 * key, line and what was expected; an unknown key is a warning by name. Pure: `src/host` reads the files.
 */
import type { LearnerKind, ServerId } from "../../spec/vocabulary.ts";
import { DEFAULTS, INERT, isApacheOnly, type MutableSettings, ruleFor, type Settings } from "./config-keys.ts";
import { type PropertyEntry, parseProperties } from "./properties.ts";
import { parseServerSpec, SERVER_SPEC_SHAPE, type ServerSpec } from "./server-address.ts";

/** All settings of one server, defaults filled in. Times in ms, sizes in bytes. */
export interface ServerConfig
  extends Omit<
    Settings,
    | "dataDir"
    | "dataLogDir"
    | "initLimitTicks"
    | "syncLimitTicks"
    | "connectToLearnerMasterLimitTicks"
    | "minSessionTimeoutSet"
    | "maxSessionTimeoutSet"
    | "snapRetainCountSet"
  > {
  /** Where this came from, for messages. */
  readonly file: string;
  /** `myid`; 0 for a standalone server, and until `withMyId` has been asked. */
  readonly serverId: ServerId;
  /** No ensemble: no server lines, or one voter while standaloneEnabled (Apache's rule). */
  readonly standalone: boolean;
  /** Sorted by id; empty when there are no server lines. */
  readonly servers: readonly ServerSpec[];
  /** Hierarchical quorums: group number → members. Empty: majority. */
  readonly groups: ReadonlyMap<number, readonly ServerId[]>;
  /** Missing = 1. Only used with groups. */
  readonly weights: ReadonlyMap<ServerId, number>;
  /** This server's role by the server list. */
  readonly peerType: LearnerKind;
  readonly dataDir: string;
  /** Same as dataDir when not set. */
  readonly dataLogDir: string;
  readonly initLimitTicks: number;
  readonly syncLimitTicks: number;
  readonly connectToLearnerMasterLimitTicks: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly snapRetainCount: number;
}

export interface ParsedConfig {
  readonly config: ServerConfig;
  /** Sentences for the operator's log. */
  readonly warnings: readonly string[];
}

/** A setting that a server cannot start with. `line` is null when the key is missing. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly key: string;
  readonly line: number | null;
  readonly value: string | null;
  readonly expected: string;

  constructor(file: string, key: string, line: number | null, value: string | null, expected: string) {
    const where = line === null ? file : `${file} line ${line}`;
    const found = value === null ? `${key} is missing` : `${key}=${value} is wrong`;
    super(`${where}: ${found}; expected ${expected}.`);
    this.key = key;
    this.line = line;
    this.value = value;
    this.expected = expected;
  }
}

/** Fewer snapshots than this would let a purge outrun a recovery (DatadirCleanupManager). */
const MIN_SNAP_RETAIN_COUNT = 3;

/** Session ids carry the server's id in their top byte, so an id is one byte. */
const MAX_SERVER_ID = 255;

/** The top byte 0xff marks TTL and container owners (EphemeralType). */
const MAX_SERVER_ID_WITH_EXTENDED_TYPES = 254;

/** @throws ConfigError */
export function parseConfig(text: string, file: string): ParsedConfig {
  const warnings: string[] = [];
  const settings: MutableSettings = { ...DEFAULTS };
  const seen = new Map<string, PropertyEntry>();
  const servers = new Map<ServerId, ServerSpec>();
  const groups = new Map<number, readonly ServerId[]>();
  const weights = new Map<ServerId, number>();

  for (const entry of parseProperties(text)) {
    const { key, value, line } = entry;
    const fail = (expected: string) => new ConfigError(file, key, line, value, expected);
    const earlier = seen.get(key);
    const member = /^(server|group|weight)\.(.*)$/.exec(key);
    if (earlier !== undefined) {
      if (member !== null) throw fail(`one ${key} line; the first is on line ${earlier.line}`);
      warnings.push(`${file} line ${line}: ${key} was already set on line ${earlier.line}; this line counts.`);
    }
    seen.set(key, entry);
    if (member?.[1] === "server") {
      const id = parseServerId(member[2]!);
      if (id === null) throw fail(`server.N with N from 0 to ${MAX_SERVER_ID}`);
      const spec = parseServerSpec(id, value);
      if (spec === null) throw fail(SERVER_SPEC_SHAPE);
      servers.set(id, spec);
    } else if (member?.[1] === "group") {
      const members = value.split(":").map((part) => parseServerId(part.trim()));
      if (!/^\d+$/.test(member[2]!) || members.includes(null)) throw fail("group.N=id:id:…, such as group.1=1:2:3");
      groups.set(Number(member[2]), members as ServerId[]);
    } else if (member?.[1] === "weight") {
      const id = parseServerId(member[2]!);
      if (id === null || !/^\d{1,9}$/.test(value)) throw fail("weight.N=W with W a whole number of at least 0");
      weights.set(id, Number(value));
    } else {
      const rule = ruleFor(key);
      if (rule === undefined) warnings.push(unknownKey(file, entry));
      else if (!rule.apply(settings, value)) throw fail(rule.expected);
      else if (INERT.has(rule.field) && settings[rule.field] !== DEFAULTS[rule.field])
        warnings.push(`${file} line ${line}: ${key}=${value} has no effect here yet.`);
    }
  }
  const list = [...servers.values()].sort((a, b) => a.id - b.id);
  const line = (key: string) => seen.get(key)?.line ?? null;
  checkPorts(file, list, line);
  checkGroups(file, list, groups, weights, line);
  return { config: complete(file, settings, list, groups, weights, line, warnings), warnings };
}

function unknownKey(file: string, entry: PropertyEntry): string {
  return isApacheOnly(entry.key)
    ? `${file} line ${entry.line}: ${entry.key} is a setting of Apache ZooKeeper that has no effect here.`
    : `${file} line ${entry.line}: unknown key ${entry.key} is ignored.`;
}

function parseServerId(text: string): ServerId | null {
  return /^\d{1,3}$/.test(text) && Number(text) <= MAX_SERVER_ID ? (Number(text) as ServerId) : null;
}

type LineOf = (key: string) => number | null;

function complete(
  file: string,
  settings: Settings,
  servers: readonly ServerSpec[],
  groups: ReadonlyMap<number, readonly ServerId[]>,
  weights: ReadonlyMap<ServerId, number>,
  line: LineOf,
  warnings: string[],
): ServerConfig {
  const { dataDir, tickTimeMs } = settings;
  const missing = (key: string, expected: string) => new ConfigError(file, key, null, null, expected);
  if (dataDir === null) throw missing("dataDir", "the directory for snapshots (and the log, unless dataLogDir is set)");

  const minSessionTimeoutMs = settings.minSessionTimeoutSet ?? 2 * tickTimeMs;
  const maxSessionTimeoutMs = settings.maxSessionTimeoutSet ?? 20 * tickTimeMs;
  if (minSessionTimeoutMs > maxSessionTimeoutMs) {
    const key = line("minSessionTimeout") === null ? "maxSessionTimeout" : "minSessionTimeout";
    const expected = `minSessionTimeout (${minSessionTimeoutMs}) not to be larger than maxSessionTimeout (${maxSessionTimeoutMs})`;
    const value = key === "minSessionTimeout" ? minSessionTimeoutMs : maxSessionTimeoutMs;
    throw new ConfigError(file, key, line(key), String(value), expected);
  }

  const voters = servers.filter((server) => server.kind === "participant").length;
  if (servers.length > 0 && voters === 0) {
    const first = servers[0]!;
    throw new ConfigError(
      file,
      `server.${first.id}`,
      line(`server.${first.id}`),
      "observer",
      "at least one participant",
    );
  }
  const standalone = servers.length === 0 || (voters === 1 && settings.standaloneEnabled);
  if (standalone && servers.length > 1) {
    const observer = servers.find((server) => server.kind === "observer")!;
    const expected = "standaloneEnabled=false, or at least two participants, when there are observers";
    throw new ConfigError(file, `server.${observer.id}`, line(`server.${observer.id}`), "observer", expected);
  }
  if (!standalone) {
    if (settings.initLimitTicks === null)
      throw missing("initLimit", "ticks a follower may take to connect and synchronize");
    if (settings.syncLimitTicks === null) throw missing("syncLimit", "ticks a follower may lag behind its leader");
    if (groups.size === 0 && voters === 2) warnings.push(`${file}: with two voters no server may fail; use three.`);
    else if (groups.size === 0 && voters % 2 === 0)
      warnings.push(`${file}: an even number of voters (${voters}) survives no more failures than ${voters - 1}.`);
  } else if (servers.length === 1) {
    warnings.push(`${file}: only one server line, so this server is standalone.`);
  }
  if (standalone && settings.clientPort === null && (servers[0]?.client ?? null) === null)
    throw missing("clientPort", "the port for clients; a standalone server without one serves nobody");
  if (settings.clientPortAddress !== null && settings.clientPort === null)
    throw missing("clientPort", "a port, because clientPortAddress is set");
  if (settings.snapRetainCountSet < MIN_SNAP_RETAIN_COUNT)
    warnings.push(
      `${file} line ${line("autopurge.snapRetainCount")}: autopurge.snapRetainCount is raised to ${MIN_SNAP_RETAIN_COUNT}.`,
    );

  const initLimitTicks = settings.initLimitTicks ?? 10;
  const own = standalone ? servers[0] : undefined;
  const config: ServerConfig = {
    ...settings,
    file,
    serverId: 0 as ServerId,
    standalone,
    servers,
    groups,
    weights,
    peerType: "participant",
    dataDir,
    dataLogDir: settings.dataLogDir ?? dataDir,
    initLimitTicks,
    syncLimitTicks: settings.syncLimitTicks ?? 5,
    connectToLearnerMasterLimitTicks: settings.connectToLearnerMasterLimitTicks ?? initLimitTicks,
    minSessionTimeoutMs,
    maxSessionTimeoutMs,
    snapRetainCount: Math.max(settings.snapRetainCountSet, MIN_SNAP_RETAIN_COUNT),
  };
  return own === undefined ? config : withClientAddress(config, own);
}

/**
 * The configuration of one member: its id from the text of the `myid` file (null when there is none), its role and client
 * address from its own server line. A standalone server needs no myid.
 * @throws ConfigError
 */
export function withMyId(parsed: ParsedConfig, myid: string | null): ParsedConfig {
  const { config } = parsed;
  if (config.standalone) return parsed;
  const file = `${config.dataDir}/myid`;
  const ids = config.servers.map((server) => server.id).join(", ");
  const max = config.extendedTypesEnabled ? MAX_SERVER_ID_WITH_EXTENDED_TYPES : MAX_SERVER_ID;
  if (myid === null) throw new ConfigError(file, "myid", null, null, `a file with this server's number, one of ${ids}`);
  const text = myid.trim();
  const serverId = parseServerId(text);
  if (serverId === null || serverId > max)
    throw new ConfigError(file, "myid", 1, text, `a whole number from 0 to ${max}`);
  const own = config.servers.find((server) => server.id === serverId);
  if (own === undefined) throw new ConfigError(file, "myid", 1, text, `a number of the server list: ${ids}`);
  const warnings = [...parsed.warnings];
  const withClient = withClientAddress(config, own);
  const { clientPort } = withClient;
  if (clientPort === own.quorumPort || clientPort === own.electionPort) {
    const expected = `another port than server.${serverId} uses for the ${clientPort === own.quorumPort ? "quorum" : "election"}`;
    throw new ConfigError(config.file, "clientPort", null, String(clientPort), expected);
  }
  if (config.peerTypeSet !== null && config.peerTypeSet !== own.kind)
    warnings.push(
      `${config.file}: peerType=${config.peerTypeSet} differs from server.${serverId}, which counts: ${own.kind}.`,
    );
  return { config: { ...withClient, serverId, peerType: own.kind }, warnings };
}

/** The `;[host:]port` part of the own server line wins over clientPort and clientPortAddress, which must not contradict it. */
function withClientAddress(config: ServerConfig, own: ServerSpec): ServerConfig {
  if (own.client === null) return config;
  const { clientPort, clientPortAddress, file } = config;
  const differs =
    (clientPort !== null && clientPort !== own.client.port) ||
    (clientPortAddress !== null && clientPortAddress !== own.client.host);
  if (differs) {
    const expected = `the client address of server.${own.id}: ${own.client.host ?? "0.0.0.0"}:${own.client.port}`;
    throw new ConfigError(file, "clientPort", null, `${clientPortAddress ?? "0.0.0.0"}:${clientPort ?? ""}`, expected);
  }
  return { ...config, clientPort: own.client.port, clientPortAddress: own.client.host };
}

/** Two sockets of one host cannot share a port. Server lines may share ports only if their hosts differ. */
function checkPorts(file: string, servers: readonly ServerSpec[], line: LineOf): void {
  const taken = new Map<string, string>();
  const claim = (host: string, port: number, key: string, role: string) => {
    const other = taken.get(`${host} ${port}`);
    if (other !== undefined)
      throw new ConfigError(
        file,
        key,
        line(key),
        `…${port}…`,
        `another ${role} port: ${host}:${port} is already ${other}`,
      );
    taken.set(`${host} ${port}`, `the ${role} port of ${key}`);
  };
  for (const server of servers) {
    const key = `server.${server.id}`;
    claim(server.host, server.quorumPort, key, "quorum");
    claim(server.host, server.electionPort, key, "election");
    if (server.client !== null) claim(server.client.host ?? server.host, server.client.port, key, "client");
  }
}

function checkGroups(
  file: string,
  servers: readonly ServerSpec[],
  groups: ReadonlyMap<number, readonly ServerId[]>,
  weights: ReadonlyMap<ServerId, number>,
  line: LineOf,
): void {
  const groupOf = new Map<ServerId, number>();
  const known = new Set(servers.map((server) => server.id));
  for (const [group, members] of groups) {
    const key = `group.${group}`;
    for (const id of members) {
      const fail = (expected: string) => new ConfigError(file, key, line(key), members.join(":"), expected);
      if (!known.has(id)) throw fail(`members of the server list; there is no server.${id}`);
      if (groupOf.has(id)) throw fail(`each server in one group; server ${id} is in group.${groupOf.get(id)} too`);
      groupOf.set(id, group);
    }
  }
  for (const [id, weight] of weights)
    if (!known.has(id))
      throw new ConfigError(file, `weight.${id}`, line(`weight.${id}`), String(weight), "a member of the server list");
  if (groups.size === 0) return;
  for (const server of servers)
    if (server.kind === "participant" && !groupOf.has(server.id))
      throw new ConfigError(
        file,
        `group of server.${server.id}`,
        null,
        null,
        "every participant in a group when there are groups",
      );
}
