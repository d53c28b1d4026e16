/**
 * Every zoo.cfg key this server understands, as data: the setting it fills, its default and what a right value looks like. A key
 * marked `property` is a Java system property in Apache ZooKeeper, so it may also be written with the prefix `zookeeper.`.
 */
import type { LearnerKind } from "../../spec/vocabulary.ts";
import { parsePort, wildcardAsNull } from "./server-address.ts";

/** What single keys set; server.N, group.N and weight.N lines are added by config.ts. Times in ms, sizes in bytes. */
export interface Settings {
  readonly tickTimeMs: number;
  readonly initLimitTicks: number | null;
  readonly syncLimitTicks: number | null;
  readonly connectToLearnerMasterLimitTicks: number | null;
  readonly dataDir: string | null;
  readonly dataLogDir: string | null;
  /** null: not set, then no client port is opened (unless the server's own `server.N` line names one). */
  readonly clientPort: number | null;
  /** null: all addresses. */
  readonly clientPortAddress: string | null;
  readonly clientPortListenBacklog: number;
  /** null: take the role from the server list. */
  readonly peerTypeSet: LearnerKind | null;
  /** Connections from one address; 0 = no limit. */
  readonly maxClientCnxns: number;
  /** Connections in all; 0 = no limit. */
  readonly maxCnxns: number;
  /** null: 2 ticks, 20 ticks. */
  readonly minSessionTimeoutSet: number | null;
  readonly maxSessionTimeoutSet: number | null;
  readonly electionAlg: number;
  readonly electionPortBindRetry: number;
  readonly cnxTimeoutMs: number;
  readonly quorumListenOnAllIps: boolean;
  readonly standaloneEnabled: boolean;
  readonly reconfigEnabled: boolean;
  readonly readOnlyModeEnabled: boolean;
  readonly leaderServes: boolean;
  readonly syncEnabled: boolean;
  readonly snapCount: number;
  readonly preAllocSizeBytes: number;
  readonly commitLogCount: number;
  readonly forceSync: boolean;
  readonly fsyncWarningThresholdMs: number;
  readonly snapRetainCountSet: number;
  /** Empty directories start an empty tree at zxid 0; if false, only beside a file `initialize`. */
  readonly autoCreate: boolean;
  /** Logs without any snapshot are replayed onto an empty tree, as after an upgrade from ZooKeeper 3.4. */
  readonly trustEmptySnapshot: boolean;
  /** 0 = no automatic purge. */
  readonly purgeIntervalHours: number;
  readonly fourLetterWordWhitelist: readonly string[];
  readonly globalOutstandingLimit: number;
  readonly juteMaxBuffer: number;
  readonly enforceQuota: boolean;
  readonly extendedTypesEnabled: boolean;
  readonly digestEnabled: boolean;
  readonly skipAcl: boolean;
  /** `super:<base64 of sha1>`, or null when there is no super user. */
  readonly superDigest: string | null;
  readonly containerCheckIntervalMs: number;
  readonly adminEnabled: boolean;
  readonly adminPort: number;
  readonly adminAddress: string | null;
  readonly adminCommandUrl: string;
  /** Java class name as Apache's users write it; a Prometheus one switches the exporter on. */
  readonly metricsProviderClass: string | null;
  readonly metricsHttpPort: number;
  readonly metricsHttpHost: string | null;
  /** A trace for `npm run check:traces` is appended to this file; null: none is written. */
  readonly traceFile: string | null;
}

export type MutableSettings = { -readonly [K in keyof Settings]: Settings[K] };

export const DEFAULTS: Settings = {
  tickTimeMs: 3000,
  initLimitTicks: null,
  syncLimitTicks: null,
  connectToLearnerMasterLimitTicks: null,
  dataDir: null,
  dataLogDir: null,
  clientPort: null,
  clientPortAddress: null,
  clientPortListenBacklog: -1,
  peerTypeSet: null,
  maxClientCnxns: 60,
  maxCnxns: 0,
  minSessionTimeoutSet: null,
  maxSessionTimeoutSet: null,
  electionAlg: 3,
  electionPortBindRetry: 3,
  cnxTimeoutMs: 5000,
  quorumListenOnAllIps: false,
  standaloneEnabled: true,
  reconfigEnabled: false,
  readOnlyModeEnabled: false,
  leaderServes: true,
  syncEnabled: true,
  snapCount: 100_000,
  preAllocSizeBytes: 65_536 * 1024,
  commitLogCount: 500,
  forceSync: true,
  fsyncWarningThresholdMs: 1000,
  snapRetainCountSet: 3,
  autoCreate: true,
  trustEmptySnapshot: false,
  purgeIntervalHours: 0,
  fourLetterWordWhitelist: ["srvr"],
  globalOutstandingLimit: 1000,
  juteMaxBuffer: 0xfffff,
  enforceQuota: false,
  extendedTypesEnabled: false,
  digestEnabled: true,
  skipAcl: false,
  superDigest: null,
  containerCheckIntervalMs: 60_000,
  adminEnabled: false,
  adminPort: 8080,
  adminAddress: null,
  adminCommandUrl: "/commands",
  metricsProviderClass: null,
  metricsHttpPort: 7000,
  metricsHttpHost: null,
  traceFile: null,
};

/** How one kind of value is written. `parse` returns undefined for a wrong one. */
interface ValueKind<T> {
  readonly expected: string;
  readonly parse: (text: string) => T | undefined;
}

const INT_MAX = 2 ** 31 - 1;

function integer(min: number, what: string, max = INT_MAX): ValueKind<number> {
  const range = max === INT_MAX ? `of at least ${min}` : `from ${min} to ${max}`;
  return {
    expected: `a whole number ${range}${what === "" ? "" : ` (${what})`}`,
    parse: (text) => {
      const value = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** -1 is Apache's spelling of "the default". */
function integerOrDefault(min: number, what: string): ValueKind<number | null> {
  const kind = integer(min, what);
  return {
    expected: `${kind.expected}, or -1 for the default`,
    parse: (text) => (text === "-1" ? null : kind.parse(text)),
  };
}

const words = <T>(expected: string, values: Readonly<Record<string, T>>): ValueKind<T> => ({
  expected,
  parse: (text) => (Object.hasOwn(values, text.toLowerCase()) ? values[text.toLowerCase()] : undefined),
});
const trueFalse = words("true or false", { true: true, false: false });
/** Apache takes anything but the one exact word for the default, so `forceSync=false` keeps syncing: here it stops. */
const yesNo = words("yes or no", { yes: true, no: false });
const text = (expected: string): ValueKind<string> => ({
  expected,
  parse: (value) => (value === "" ? undefined : value),
});
const address: ValueKind<string | null> = {
  expected: "a host name or IP address",
  parse: (value) =>
    /^[^\s:;[\]]+$|^[0-9a-fA-F:.%]+$|^\[[0-9a-fA-F:.%]+\]$/.test(value)
      ? wildcardAsNull(value.replace(/^\[|\]$/g, ""))
      : undefined,
};
const port: ValueKind<number> = { expected: "a port from 1 to 65535", parse: (value) => parsePort(value) ?? undefined };
const portOrNone: ValueKind<number | null> = {
  expected: "a port from 1 to 65535, or 0 for none",
  parse: (value) => (value === "0" ? null : (parsePort(value) ?? undefined)),
};
const buffer: ValueKind<number> = {
  expected: "a number of bytes, decimal or 0x…, at least 1024",
  parse: (value) => {
    const bytes = /^(0[xX][0-9a-fA-F]{1,8}|\d{1,10})$/.test(value) ? Number(value) : Number.NaN;
    return bytes >= 1024 && bytes <= INT_MAX ? bytes : undefined;
  },
};
const kibibytes: ValueKind<number> = {
  expected: "a whole number of KiB from 64 to 2097151",
  parse: (value) => {
    const kib = integer(64, "", 2_097_151).parse(value);
    return kib === undefined ? undefined : kib * 1024;
  },
};
const wordList: ValueKind<readonly string[]> = {
  expected: "a comma separated list of four-letter words, or *",
  parse: (value) => {
    const list = value.split(",").map((word) => word.trim());
    return list.every((word) => word === "*" || /^[a-z]{4}$/.test(word)) ? list : undefined;
  },
};
const digest: ValueKind<string | null> = {
  expected: "super:<base64 of sha1(super:password)>",
  parse: (value) => (/^super:[A-Za-z0-9+/]{27}=$/.test(value) ? value : undefined),
};

export interface KeyRule {
  readonly field: keyof Settings;
  readonly expected: string;
  readonly property: boolean;
  /** Puts the value into the settings; false when it is wrong. */
  readonly apply: (settings: MutableSettings, value: string) => boolean;
}

function key<K extends keyof Settings>(field: K, kind: ValueKind<Settings[K]>, property = false): KeyRule {
  return {
    field,
    expected: kind.expected,
    property,
    apply: (settings, value) => {
      const parsed = kind.parse(value);
      if (parsed === undefined) return false;
      settings[field] = parsed;
      return true;
    },
  };
}

/** The keys by the names of ZooKeeper's administrator's guide. */
export const KEYS: ReadonlyMap<string, KeyRule> = new Map<string, KeyRule>([
  ["tickTime", key("tickTimeMs", integer(1, "ms"))],
  ["initLimit", key("initLimitTicks", integer(1, "ticks"))],
  ["syncLimit", key("syncLimitTicks", integer(1, "ticks"))],
  ["connectToLearnerMasterLimit", key("connectToLearnerMasterLimitTicks", integer(1, "ticks"))],
  ["dataDir", key("dataDir", text("a directory"))],
  ["dataLogDir", key("dataLogDir", text("a directory"))],
  ["clientPort", key("clientPort", portOrNone)],
  ["clientPortAddress", key("clientPortAddress", address)],
  ["clientPortListenBacklog", key("clientPortListenBacklog", integer(-1, ""), true)],
  [
    "peerType",
    key("peerTypeSet", words("participant or observer", { participant: "participant", observer: "observer" })),
  ],
  ["maxClientCnxns", key("maxClientCnxns", integer(0, "0 = no limit"))],
  ["maxCnxns", key("maxCnxns", integer(0, "0 = no limit"), true)],
  ["minSessionTimeout", key("minSessionTimeoutSet", integerOrDefault(1, "ms"))],
  ["maxSessionTimeout", key("maxSessionTimeoutSet", integerOrDefault(1, "ms"))],
  ["electionAlg", key("electionAlg", integer(3, "fast leader election, the only one there is", 3))],
  ["electionPortBindRetry", key("electionPortBindRetry", integer(0, "0 = for ever"), true)],
  ["cnxTimeout", key("cnxTimeoutMs", integer(1, "ms"), true)],
  ["quorumListenOnAllIPs", key("quorumListenOnAllIps", trueFalse)],
  ["standaloneEnabled", key("standaloneEnabled", trueFalse)],
  ["reconfigEnabled", key("reconfigEnabled", trueFalse)],
  ["readonlymode.enabled", key("readOnlyModeEnabled", trueFalse, true)],
  ["leaderServes", key("leaderServes", yesNo, true)],
  ["syncEnabled", key("syncEnabled", trueFalse)],
  ["snapCount", key("snapCount", integer(2, "txns"), true)],
  ["preAllocSize", key("preAllocSizeBytes", kibibytes, true)],
  ["commitLogCount", key("commitLogCount", integer(1, "txns"), true)],
  ["forceSync", key("forceSync", yesNo, true)],
  ["fsync.warningthresholdms", key("fsyncWarningThresholdMs", integer(1, "ms"), true)],
  ["autopurge.snapRetainCount", key("snapRetainCountSet", integer(0, "snapshots"))],
  ["db.autocreate", key("autoCreate", trueFalse, true)],
  ["snapshot.trust.empty", key("trustEmptySnapshot", trueFalse, true)],
  ["autopurge.purgeInterval", key("purgeIntervalHours", integer(0, "hours, 0 = never"))],
  ["4lw.commands.whitelist", key("fourLetterWordWhitelist", wordList, true)],
  ["globalOutstandingLimit", key("globalOutstandingLimit", integer(1, "requests"), true)],
  ["jute.maxbuffer", key("juteMaxBuffer", buffer, true)],
  ["enforceQuota", key("enforceQuota", trueFalse, true)],
  ["extendedTypesEnabled", key("extendedTypesEnabled", trueFalse, true)],
  ["digest.enabled", key("digestEnabled", trueFalse, true)],
  ["skipACL", key("skipAcl", yesNo, true)],
  ["DigestAuthenticationProvider.superDigest", key("superDigest", digest, true)],
  ["znode.container.checkIntervalMs", key("containerCheckIntervalMs", integer(1, "ms"), true)],
  ["admin.enableServer", key("adminEnabled", trueFalse, true)],
  ["admin.serverPort", key("adminPort", port, true)],
  ["admin.serverAddress", key("adminAddress", address, true)],
  ["admin.commandURL", key("adminCommandUrl", text("a path such as /commands"), true)],
  ["metricsProvider.className", key("metricsProviderClass", text("a class name"))],
  ["metricsProvider.httpPort", key("metricsHttpPort", port)],
  ["metricsProvider.httpHost", key("metricsHttpHost", address)],
  // Not a key of Apache ZooKeeper, hence the prefix of its own.
  ["zoetrope.traceFile", key("traceFile", text("a file"))],
]);

/** Settings that are checked but that nothing acts on yet: whoever sets one to something else than the default is told. */
export const INERT: ReadonlySet<keyof Settings> = new Set([
  "maxCnxns",
  "readOnlyModeEnabled",
  "leaderServes",
  "syncEnabled",
  "reconfigEnabled",
  "adminEnabled",
  "adminPort",
  "adminAddress",
  "adminCommandUrl",
  "metricsProviderClass",
  "metricsHttpPort",
  "metricsHttpHost",
]);

const PREFIX = "zookeeper.";

export function ruleFor(name: string): KeyRule | undefined {
  const rule = KEYS.get(name);
  if (rule !== undefined || !name.startsWith(PREFIX)) return rule;
  const property = KEYS.get(name.slice(PREFIX.length));
  return property?.property === true ? property : undefined;
}

/** Keys that Apache ZooKeeper knows and this server does not act on, so that the warning can say which of the two it is. */
const APACHE_ONLY =
  /^(zookeeper\.)?(secureClientPort(Address)?|portUnification|client\.portUnification|ssl\.|sslQuorum|quorum\.(auth|cnxn)\.|authProvider\.|multiAddress\.|localSessions|dynamicConfigFile$|oraclePath$|metricsProvider\.|snapshot\.|snapSizeLimitInKb$|txnLogSizeLimitInKb$|fastleader\.|nio\.|netty\.|maxResponseCacheSize$|maxGetChildrenResponseCacheSize$|serverCnxnFactory$|throttled|request_throttle|largeRequest|maxBatchSize$|flushDelay$|learner\.|leader\.|observer\.|jmx\.|tcpKeepAlive$|watchManagerName$|digest\.|minSessionTimeout$|audit\.|kerberos\.|sasl|sessionRequireClientSASLAuth$|enforce\.auth\.|DigestAuthenticationProvider\.digestAlg$|X509AuthenticationProvider\.|preserveEphemerals|commitProcessor|closeSessionTxn\.enabled$|maxCommitsInBatch|serializeLastProcessedZxid)/;

export function isApacheOnly(name: string): boolean {
  return APACHE_ONLY.test(name);
}
