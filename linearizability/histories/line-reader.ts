/**
 * Reads the lines that nearly all of a history consists of (invokes and completions of plain operations, as JSON.stringify
 * writes them) straight from their bytes, without an object for each: a million operations take a second instead of six.
 * Whatever looks the least bit different, escapes and characters beyond ASCII included, is left to JSON.parse, which also knows
 * what is wrong with a line that is wrong.
 */
import type { Completion } from "./format.ts";
import { MODES, OPS, Op, Outcome, type SessionNames, STAT_FIELDS, STAT_WIDTH } from "./operations.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const CLOSE_BRACE = 0x7d;
/** 1: a character that stands for itself in JSON, and in ASCII. */
const ORDINARY = Uint8Array.from({ length: 256 }, (_, byte) => {
  return byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0;
});

/** Beyond this a number may not be exact, and is left to JSON.parse. */
const MAX_DIGITS = 15;

const KIND = literal('{"kind":"');
const INVOKE = literal('invoke","t":');
const INFO = literal('info","t":');
const OK = literal('ok","t":');
const FAIL = literal('fail","t":');
const ID = literal(',"id":');
const XID = literal(',"xid":');
const ZXID = literal(',"zxid":');
const PROC = literal(',"proc":');
const SESSION = literal(',"session":"');
const CONN = literal(',"conn":');
const SERVER = literal(',"server":');
const OP = literal(',"op":"');
const ARGS = literal(',"args":{');
const RES = literal(',"res":{');
const ERR = literal(',"err":"');
const END = literal("}\n");
const NULL = literal("null");
const TRUE = literal("true");
const FALSE = literal("false");
const PATH_KEY = literal('"path":"');
const DATA_KEY = literal('"data":');
const VERSION_KEY = literal('"version":');
const MODE_KEY = literal('"mode":"');
const WATCH_KEY = literal('"watch":');
const STAT_KEY = literal('"stat":{');
const CHILDREN_KEY = literal('"children":[');
const STAT_KEYS = STAT_FIELDS.map((field) => literal(`"${field}":`));
const OWNER = STAT_FIELDS.indexOf("ephemeralOwner");

/** Operations of which all arguments are read here. */
const OP_OF = new Map<string, number>(
  OPS.filter((name) => Op[name] <= Op.sync && name !== "multi" && name !== "setACL").map((name) => [name, Op[name]]),
);
const MODE_OF = new Map<string, number>(MODES.map((name, index) => [name, index]));

/** The line that was read last. */
export class LineReader implements Completion {
  /** null: an invoke; else a value of Outcome. */
  outcome: number | null = null;
  t = 0;
  id = 0;
  xid = 0;
  zxid = -1;
  proc = 0;
  session = "";
  conn = 0;
  server = 0;
  /** Of an invoke: a value of Op, and its arguments. */
  op = 0;
  path = "";
  version = -1;
  /** Index into MODES. */
  mode = 0;
  watch = false;
  /** Of an invoke or a success; undefined: not there. */
  data: string | null | undefined = undefined;
  /** Of a success. */
  created: string | null = null;
  children: string[] | null = null;
  hasStat = false;
  /** As a row of `Operations.stats`. */
  readonly stat: Float64Array = new Float64Array(STAT_WIDTH);
  err = "";

  readonly #sessions: SessionNames;
  readonly #texts = new Texts();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #failed = false;
  /** The order of a Stat's fields, as the last one had them. */
  readonly #order = Array.from(STAT_FIELDS, (_, field) => field);

  constructor(sessions: SessionNames) {
    this.#sessions = sessions;
  }

  /** @returns where the next line begins; -1: it is none of the usual ones. `bytes` ends with a line feed. */
  read(bytes: Buffer, from: number): number {
    this.#bytes = bytes;
    this.#at = from;
    this.#failed = false;
    if (!this.#is(KIND) || !this.#kind()) return -1;
    this.t = this.#integer();
    this.#must(ID);
    this.id = this.#integer();
    this.#must(XID);
    this.xid = this.#integer();
    this.zxid = -1;
    if (this.outcome !== null) {
      this.#must(ZXID);
      this.zxid = this.#integer();
    }
    this.#must(PROC);
    this.proc = this.#integer();
    this.#must(SESSION);
    this.session = this.#text();
    this.#must(CONN);
    this.conn = this.#integer();
    this.#must(SERVER);
    this.server = this.#integer();
    if (this.#failed) return -1;
    if (this.outcome === null) this.#invoke();
    else if (this.outcome === Outcome.ok) this.#success();
    else {
      this.#must(ERR);
      this.err = this.#text();
    }
    this.#must(END);
    return this.#failed ? -1 : this.#at;
  }

  #kind(): boolean {
    switch (this.#bytes[this.#at + 1]) {
      case 0x6e: // in…
        if (this.#is(INVOKE)) this.outcome = null;
        else if (this.#is(INFO)) this.outcome = Outcome.info;
        else return false;
        return true;
      case 0x6b: // ok
        this.outcome = Outcome.ok;
        return this.#is(OK);
      default:
        this.outcome = Outcome.fail;
        return this.#is(FAIL);
    }
  }

  #invoke(): void {
    this.#must(OP);
    const op = OP_OF.get(this.#text());
    this.#must(ARGS);
    if (this.#failed || op === undefined) return this.#fail();
    this.op = op;
    this.path = "";
    this.data = undefined;
    this.version = -1;
    this.mode = 0;
    this.watch = false;
    if (this.#bytes[this.#at] === CLOSE_BRACE) {
      this.#at++;
      return;
    }
    do {
      if (this.#is(PATH_KEY)) this.path = this.#text();
      else if (this.#is(DATA_KEY)) this.data = this.#textOrNull();
      else if (this.#is(VERSION_KEY)) this.version = this.#integer();
      else if (op === Op.create && this.#is(MODE_KEY)) this.#mode();
      else if (this.#is(WATCH_KEY)) this.#boolean();
      else this.#fail();
    } while (this.#isMore(CLOSE_BRACE));
  }

  #success(): void {
    this.#must(RES);
    this.data = undefined;
    this.created = null;
    this.children = null;
    this.hasStat = false;
    if (this.#bytes[this.#at] === CLOSE_BRACE) {
      this.#at++;
      return;
    }
    do {
      if (this.#is(STAT_KEY)) this.#stat();
      else if (this.#is(DATA_KEY)) this.data = this.#textOrNull();
      else if (this.#is(PATH_KEY)) this.created = this.#text();
      else if (this.#is(CHILDREN_KEY)) this.#children();
      else this.#fail();
    } while (this.#isMore(CLOSE_BRACE));
  }

  #mode(): void {
    const mode = MODE_OF.get(this.#text());
    if (mode === undefined) this.#fail();
    else this.mode = mode;
  }

  #boolean(): void {
    if (this.#is(TRUE)) this.watch = true;
    else this.#must(FALSE);
  }

  #stat(): void {
    this.hasStat = true;
    const order = this.#order;
    for (let n = 0; n < STAT_WIDTH; n++) {
      if (!this.#is(STAT_KEYS[order[n]!]!)) {
        const at = order.findIndex((field, m) => m > n && this.#is(STAT_KEYS[field]!));
        if (at < 0) return this.#fail();
        const [field] = order.splice(at, 1);
        order.splice(n, 0, field!);
      }
      const field = order[n]!;
      this.stat[field] = field === OWNER ? this.#owner() : this.#integer();
      const isLast = n === STAT_WIDTH - 1;
      if (this.#bytes[this.#at++] !== (isLast ? CLOSE_BRACE : COMMA)) return this.#fail();
    }
  }

  #owner(): number {
    if (this.#bytes[this.#at++] !== QUOTE) this.#fail();
    const text = this.#text();
    // What is no session id must not be taken for one.
    return this.#failed ? 0 : this.#sessions.index(text);
  }

  #children(): void {
    const children: string[] = [];
    this.children = children;
    if (this.#bytes[this.#at] === CLOSE_BRACKET) {
      this.#at++;
      return;
    }
    do {
      if (this.#bytes[this.#at++] !== QUOTE) return this.#fail();
      children.push(this.#text());
    } while (this.#isMore(CLOSE_BRACKET));
  }

  // ---- what lines are made of

  #fail(): void {
    this.#failed = true;
  }

  /** Goes past it if it is there. */
  #is(expected: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
    this.#at = at + expected.length;
    return true;
  }

  #must(expected: Uint8Array): void {
    if (!this.#is(expected)) this.#failed = true;
  }

  /** After an element: is there another one? */
  #isMore(close: number): boolean {
    if (this.#failed) return false;
    const byte = this.#bytes[this.#at++];
    if (byte === COMMA) return true;
    if (byte !== close) this.#failed = true;
    return false;
  }

  #integer(): number {
    const bytes = this.#bytes;
    let at = this.#at;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let value = 0;
    for (let digit = bytes[at]! - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO)
      value = value * 10 + digit;
    const digits = at - first;
    if (digits === 0 || digits > MAX_DIGITS || (digits > 1 && bytes[first] === ZERO)) this.#failed = true;
    this.#at = at;
    return negative ? -value : value;
  }

  #textOrNull(): string | null {
    if (this.#bytes[this.#at] === QUOTE) {
      this.#at++;
      return this.#text();
    }
    this.#must(NULL);
    return null;
  }

  /** What stands before the next quote, which is passed. */
  #text(): string {
    const bytes = this.#bytes;
    const from = this.#at;
    let at = from;
    while (ORDINARY[bytes[at]!] === 1) at++;
    if (bytes[at] !== QUOTE) {
      this.#failed = true;
      return "";
    }
    this.#at = at + 1;
    return this.#texts.of(bytes, from, at);
  }
}

const SLOTS = 1 << 16;

/** The same texts come again and again: each is made once, as long as no other takes its slot. */
class Texts {
  readonly #slots: string[] = new Array<string>(SLOTS).fill("");

  of(bytes: Buffer, from: number, to: number): string {
    const length = to - from;
    if (length === 0) return "";
    // Texts differ most at their ends.
    let hash = Math.imul(length, 31) + bytes[from + (length >> 1)]!;
    for (let at = Math.max(from, to - 6); at < to; at++) hash = Math.imul(hash, 31) + bytes[at]!;
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const known = this.#slots[slot]!;
    if (known.length === length && isSame(known, bytes, from)) return known;
    const text = bytes.toString("latin1", from, to);
    this.#slots[slot] = text;
    return text;
  }
}

function isSame(text: string, bytes: Buffer, from: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

function literal(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}
