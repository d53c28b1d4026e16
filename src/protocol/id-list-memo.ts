import type { Id } from "../../spec/vocabulary.ts";

const PLACES = 64;
/** Longer lists are rare, and not worth keeping. */
const MAX_BYTES = 256;

/** Ids as they stand in a packet, `bytes` long with their count. */
export interface IdList {
  readonly list: readonly Id[] | null;
  readonly bytes: number;
}

/** The null list. */
export const NO_IDS: IdList = { list: null, bytes: 4 };

/**
 * The ids of the few clients whose requests come again and again: comparing their bytes costs less than making the objects, and
 * all requests of a client share one list.
 */
export class IdListMemo {
  readonly #known: (IdList | undefined)[] = new Array(PLACES).fill(undefined);
  readonly #bytes: (Buffer | undefined)[] = new Array(PLACES).fill(undefined);

  /** The list whose count stands at `at`; undefined where it is not whole before `end`, or anything about it is unusual. */
  find(bytes: Buffer, at: number, end: number): IdList | undefined {
    const count = intAt(bytes, at);
    if (count < 0) return undefined;
    let to = at + 4;
    for (let texts = count * 2; texts > 0; texts--) {
      if (end - to < 4) return undefined;
      const length = intAt(bytes, to);
      if (length < 0 || length > MAX_BYTES || length > end - to - 4) return undefined;
      to += 4 + length;
    }
    if (to - at > MAX_BYTES) return undefined;
    const place = ((to - at) * 31 + (bytes[to - 1] as number)) & (PLACES - 1);
    const known = this.#known[place];
    if (known?.bytes === to - at && isAt(this.#bytes[place] as Buffer, bytes, at)) return known;
    const found = { list: read(bytes, at + 4, count), bytes: to - at };
    this.#known[place] = found;
    this.#bytes[place] = Buffer.from(bytes.subarray(at, to));
    return found;
  }
}

/** 32 bits, signed, big endian. */
export function intAt(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

function read(bytes: Buffer, from: number, count: number): Id[] {
  const ids: Id[] = [];
  let at = from;
  const text = (): string => {
    const start = at + 4;
    at = start + intAt(bytes, at);
    return bytes.toString("utf8", start, at);
  };
  for (let i = 0; i < count; i++) ids.push({ scheme: text(), id: text() });
  return ids;
}

function isAt(known: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
