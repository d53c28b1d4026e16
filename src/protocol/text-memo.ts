const PLACES = 64;

/** The strings of short texts that come again and again: comparing their bytes costs less than decoding them. */
export class TextMemo {
  readonly #bytes: (Buffer | undefined)[] = new Array(PLACES).fill(undefined);
  readonly #texts: string[] = new Array(PLACES).fill("");

  /** UTF-8 text of `bytes[start, end)`. */
  text(bytes: Buffer, start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    const place = (length * 31 + bytes[start]! * 7 + bytes[end - 1]!) & (PLACES - 1);
    const known = this.#bytes[place];
    if (known !== undefined && known.length === length && isAt(known, bytes, start)) return this.#texts[place]!;
    const text = bytes.toString("utf8", start, end);
    this.#bytes[place] = Buffer.from(bytes.subarray(start, end));
    this.#texts[place] = text;
    return text;
  }
}

function isAt(known: Buffer, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
