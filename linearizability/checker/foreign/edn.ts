/** EDN, as far as histories need it: nil, booleans, numbers, strings, keywords, symbols, lists, vectors, sets and maps. */
import { ForeignError, type ForeignEvent, type Value } from "./events.ts";

/** Keywords and symbols are strings, keywords with their colon; maps are Maps. */
export type Edn = number | string | boolean | null | readonly Edn[] | Map<Edn, Edn>;

/** All values of a text. Throws SyntaxError. */
export function parseEdn(text: string): Edn[] {
  const reader = new EdnReader(text);
  const values: Edn[] = [];
  while (!reader.atEnd()) values.push(reader.value());
  return values;
}

/** A history: one map for each event, in a row or in a vector. Throws ForeignError. */
export function parseEdnHistory(text: string): ForeignEvent[] {
  const events: ForeignEvent[] = [];
  const reader = new EdnReader(text);
  try {
    while (!reader.atEnd()) {
      const line = reader.line;
      const value = reader.value();
      for (const one of Array.isArray(value) ? (value as readonly Edn[]) : [value]) {
        const event = eventOf(one, line);
        if (event !== null) events.push(event);
      }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new ForeignError({ code: "BAD_LINE", line: reader.line, message: error.message }, { cause: error });
  }
  return events;
}

/** null: not a client's. */
function eventOf(value: Edn, line: number): ForeignEvent | null {
  const type = value instanceof Map ? String(value.get(":type")).slice(1) : "";
  if (!(value instanceof Map) || !["invoke", "ok", "fail", "info"].includes(type)) {
    throw new ForeignError({ code: "BAD_LINE", line, wanted: "a map with :process, :type, :f" });
  }
  const process = String(value.get(":process"));
  if (process === ":nemesis") return null;
  return {
    process,
    type: type as ForeignEvent["type"],
    f: String(value.get(":f")).slice(1),
    key: String(value.get(":key") ?? ""),
    value: (value.get(":value") ?? null) as Value,
    line,
  };
}

const CLOSING: Readonly<Record<string, string>> = { "[": "]", "(": ")", "{": "}", "#{": "}" };
const ATOM = /[^\s,()[\]{}";]+/y;
const BLANK = /(?:[\s,]+|;[^\n]*)*/y;
const STRING = /"(?:[^"\\]|\\[\s\S])*"/y;

class EdnReader {
  readonly #text: string;
  #at = 0;
  /** Where `line` has counted to, and how far. */
  #counted = 0;
  #lines = 1;

  constructor(text: string) {
    this.#text = text;
  }

  get line(): number {
    for (; this.#counted < this.#at; this.#counted++) if (this.#text[this.#counted] === "\n") this.#lines++;
    return this.#lines;
  }

  atEnd(): boolean {
    this.#take(BLANK);
    return this.#at >= this.#text.length;
  }

  value(): Edn {
    this.#take(BLANK);
    const open = this.#text.startsWith("#{", this.#at) ? "#{" : (this.#text[this.#at] ?? "");
    if (open in CLOSING) {
      this.#at += open.length;
      const items = this.#until(CLOSING[open]!);
      return open === "{" ? mapOf(items) : items;
    }
    const string = this.#take(STRING);
    if (string !== "") return JSON.parse(string.replaceAll("\n", "\\n")) as string;
    const atom = this.#take(ATOM);
    if (atom === "") throw new SyntaxError(`no value at "${this.#text.slice(this.#at, this.#at + 20)}"`);
    // A tag says how to read the next value; its plain form will do.
    if (atom.startsWith("#")) return this.value();
    if (atom === "nil") return null;
    if (atom === "true" || atom === "false") return atom === "true";
    const number = /^[+-]?\d[\d.eE+-]*[NM]?$/.test(atom) ? Number.parseFloat(atom) : Number.NaN;
    return Number.isNaN(number) ? atom : number;
  }

  #until(end: string): Edn[] {
    const items: Edn[] = [];
    for (;;) {
      if (this.atEnd()) throw new SyntaxError(`"${end}" is missing`);
      if (this.#text[this.#at] === end) break;
      items.push(this.value());
    }
    this.#at++;
    return items;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }
}

function mapOf(items: readonly Edn[]): Map<Edn, Edn> {
  const map = new Map<Edn, Edn>();
  for (let at = 0; at + 1 < items.length; at += 2) map.set(items[at]!, items[at + 1]!);
  return map;
}
