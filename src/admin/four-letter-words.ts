/**
 * The four-letter words: plain text answers in Apache ZooKeeper 3.8.0's formats (server.command.*), to the first four bytes of a fresh
 * client connection. A pure view; the connection writes the answer and closes.
 */
import type { Buffer } from "node:buffer";
import { formatSessionId, formatZxid, type SessionId } from "../../spec/vocabulary.ts";
import { FULL_VERSION } from "../server/version.ts";
import type { ConnectionView, ServerView } from "../server/view.ts";
import { confText } from "./conf-text.ts";
import { connectionLine, javaDate, javaDouble } from "./java-format.ts";
import { monitorValues } from "./monitor.ts";

const NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n";

/** ZooTrace's default mask. The masks steer nothing here; they are kept so that gtmk tells what stmk set. */
const DEFAULT_TRACE_MASK = 306n;

/** What telnet sends on Ctrl-C, read as a word: close without an answer. */
const TELNET_CLOSE = "\xff\xf4\xff\xfd";

interface Word {
  /** Answers while the server is not serving too. */
  readonly always?: true;
  readonly answer: (view: ServerView, rest: Buffer, words: FourLetterWords) => string;
}

const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ["ruok", { always: true, answer: () => "imok" }],
  ["isro", { always: true, answer: isro }],
  ["srvr", { answer: (view) => statistics(view, false) }],
  ["stat", { answer: (view) => statistics(view, true) }],
  ["mntr", { answer: mntr }],
  ["conf", { answer: confText }],
  ["cons", { answer: (view) => `${connectionLines(view, true)}\n` }],
  ["crst", { answer: crst }],
  ["srst", { answer: srst }],
  ["dirs", { answer: (view) => `datadir_size: ${view.host.dataDirSize()}\nlogdir_size: ${view.host.logDirSize()}\n` }],
  ["dump", { answer: dump }],
  ["envi", { always: true, answer: envi }],
  ["wchs", { answer: wchs }],
  ["wchc", { answer: wchc }],
  ["wchp", { answer: wchp }],
  ["hash", { answer: hash }],
  ["gtmk", { always: true, answer: (_view, _rest, words) => String(words.traceMask) }],
  ["stmk", { always: true, answer: stmk }],
]);

export class FourLetterWords {
  readonly #view: ServerView;
  readonly #enabled: ReadonlySet<string>;
  traceMask = DEFAULT_TRACE_MASK;

  constructor(view: ServerView) {
    this.#view = view;
    const { fourLetterWordWhitelist: list, readOnlyModeEnabled } = view.config;
    const enabled = new Set(list.includes("*") ? WORDS.keys() : list);
    // Clients that look for a read-write server ask isro.
    if (readOnlyModeEnabled) enabled.add("isro");
    this.#enabled = enabled;
  }

  /**
   * @param word the first four bytes as latin1
   * @param rest what came in behind them
   * @returns the answer, after which the connection closes; null when it is no such word (then it is a frame's length)
   */
  answer(word: string, rest: Buffer): string | null {
    if (word === TELNET_CLOSE) return "";
    const known = WORDS.get(word);
    if (known === undefined) return null;
    if (!this.#enabled.has(word)) return `${word} is not executed because it is not in the whitelist.\n`;
    if (known.always !== true && this.#view.mode() === null) return NOT_SERVING;
    return known.answer(this.#view, rest, this);
  }
}

function isro(view: ServerView): string {
  const mode = view.mode();
  return mode === null ? "null" : mode === "read-only" ? "ro" : "rw";
}

/** srvr, and stat when it lists the clients. */
function statistics(view: ServerView, clients: boolean): string {
  const { latency, packetsReceived, packetsSent, outstanding, proposalSize } = view.counters;
  const mode = view.mode();
  const readOnly = mode === "read-only" ? "READ-ONLY mode; serving only read-only clients\n" : "";
  const list = clients ? `Clients:\n${connectionLines(view, false)}\n` : "";
  const proposals =
    mode === "leader"
      ? `Proposal sizes last/min/max: ${proposalSize.last}/${proposalSize.min}/${proposalSize.max}\n`
      : "";
  return (
    `Zookeeper version: ${FULL_VERSION}\n${readOnly}${list}` +
    `Latency min/avg/max: ${latency.min}/${javaDouble(latency.average())}/${latency.max}\n` +
    `Received: ${packetsReceived}\nSent: ${packetsSent}\nConnections: ${view.connectionCount()}\n` +
    `Outstanding: ${outstanding}\nZxid: ${formatZxid(view.lastProcessedZxid())}\nMode: ${mode}\n` +
    `Node count: ${view.nodeCount()}\n${proposals}`
  );
}

function connectionLines(view: ServerView, full: boolean): string {
  let lines = "";
  for (const connection of view.connections()) lines += `${connectionLine(connection, full)}\n`;
  return lines;
}

function mntr(view: ServerView): string {
  return monitorValues(view)
    .map(([key, value]) => `zk_${key}\t${value}\n`)
    .join("");
}

function crst(view: ServerView): string {
  for (const connection of view.connections()) connection.counters.reset();
  return "Connection stats reset.\n";
}

function srst(view: ServerView): string {
  view.counters.reset();
  return "Server stats reset.\n";
}

function envi(view: ServerView): string {
  const lines = [`zookeeper.version=${FULL_VERSION}`];
  for (const [key, value] of view.host.environment()) lines.push(`${key}=${value}`);
  return `Environment:\n${lines.map((line) => `${line}\n`).join("")}`;
}

function wchs({ watches }: ServerView): string {
  const sessions = watches.dataWatchingSessions();
  return `${sessions} connections watching ${watches.dataWatchedPaths()} paths\nTotal watches:${watches.dataWatchCount()}\n`;
}

function wchc({ watches }: ServerView): string {
  const bySession = new Map<SessionId, string[]>();
  for (const [path, sessions] of watches.dataWatchesByPath())
    for (const session of sessions) {
      const paths = bySession.get(session);
      if (paths === undefined) bySession.set(session, [path]);
      else paths.push(path);
    }
  let text = "";
  for (const [session, paths] of bySession) text += indented(formatSessionId(session), paths);
  return `${text}\n`;
}

function wchp({ watches }: ServerView): string {
  let text = "";
  for (const [path, sessions] of watches.dataWatchesByPath())
    text += indented(path, Array.from(sessions, formatSessionId));
  return `${text}\n`;
}

/** A Java long in decimal: the two halves as one signed 64-bit number. */
function hash(view: ServerView): string {
  let text = "";
  for (const { zxid, hi, lo } of view.digestHistory())
    text += `${zxid.toString(16)}: ${BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo))}\n`;
  return text;
}

function indented(head: string, lines: Iterable<string>): string {
  let text = `${head}\n`;
  for (const line of lines) text += `\t${line}\n`;
  return text;
}

function stmk(_view: ServerView, rest: Buffer, words: FourLetterWords): string {
  words.traceMask = rest.length >= 8 ? rest.readBigInt64BE(0) : 0n;
  return String(words.traceMask);
}

function dump(view: ServerView): string {
  const ephemerals = Array.from(view.ephemerals(), ([session, paths]) => [session, [...paths]] as const);
  const withEphemerals = ephemerals.filter(([, paths]) => paths.length > 0);
  let text = `SessionTracker dump:\n${sessionDump(view)}ephemeral nodes dump:\n`;
  text += `Sessions with Ephemerals (${withEphemerals.length}):\n`;
  for (const [session, paths] of withEphemerals) text += indented(`${formatSessionId(session)}:`, paths);
  return `${text}Connections dump:\n${connectionDump(view)}`;
}

function sessionDump(view: ServerView): string {
  const buckets = view.sessions.buckets();
  if (buckets === null) {
    let text = `Global Sessions(${view.sessions.count()}):\n`;
    for (const [session, timeoutMs] of view.sessions.all()) text += `${formatSessionId(session)}\t${timeoutMs}ms\n`;
    return text;
  }
  let text = "";
  let count = 0;
  const toWall = view.wallMs() - view.monotonicMs();
  for (const { expiresAtMs, sessions } of buckets) {
    const ids = Array.from(sessions, formatSessionId);
    text += indented(`${ids.length} expire at ${javaDate(expiresAtMs + toWall)}:`, ids);
    count++;
  }
  return `Session Sets (${count})/(${view.sessions.count()}):\n${text}`;
}

/** Apache sorts connections into its own expiry buckets; here a session's expiry is the connection's, so there is one set. */
function connectionDump(view: ServerView): string {
  const line = (connection: ConnectionView) =>
    `ip: /${connection.remote.host}:${connection.remote.port} sessionId: ${formatSessionId(connection.sessionId)}`;
  const lines = Array.from(view.connections(), line);
  const sets = lines.length === 0 ? 0 : 1;
  const set = sets === 0 ? "" : indented(`${lines.length} expire at ${javaDate(view.wallMs())}:`, lines);
  return `Connections Sets (${sets})/(${lines.length}):\n${set}`;
}
