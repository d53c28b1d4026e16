/**
 * Java's `.properties` syntax (java.util.Properties), which zoo.cfg is written in, with the line of every entry: `key=value`, `key: value` or
 * `key value`, comments with `#` or `!`, a trailing backslash continues the line, backslash escapes.
 */

export interface PropertyEntry {
  readonly key: string;
  readonly value: string;
  /** 1-based line of the key. */
  readonly line: number;
}

/** All entries in file order; keys and values are trimmed, as QuorumPeerConfig does. */
export function parseProperties(text: string): PropertyEntry[] {
  const entries: PropertyEntry[] = [];
  const lines = text.split(/\r\n|\r|\n/);
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    let logical = lines[index]!.trimStart();
    if (logical === "" || logical.startsWith("#") || logical.startsWith("!")) continue;
    while (endsWithContinuation(logical) && index + 1 < lines.length) {
      index++;
      logical = logical.slice(0, -1) + lines[index]!.trimStart();
    }
    const cut = separator(logical);
    const value = logical.slice(cut).replace(/^[ \t\f]*[=:]?[ \t\f]*/, "");
    entries.push({ key: unescaped(logical.slice(0, cut)).trim(), value: unescaped(value).trim(), line });
  }
  return entries;
}

/** An odd number of backslashes at the end; an even number is escaped backslashes. */
function endsWithContinuation(line: string): boolean {
  let backslashes = 0;
  while (backslashes < line.length && line[line.length - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

/** Where the key ends: the first unescaped `=`, `:` or blank. */
function separator(line: string): number {
  for (let i = 0; i < line.length; i++) {
    const character = line[i]!;
    if (character === "\\") i++;
    else if ("=: \t\f".includes(character)) return i;
  }
  return line.length;
}

const ESCAPES: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f" };

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[\s\S]?)/g, (_, code: string) =>
    code.length === 5 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ESCAPES[code] ?? code),
  );
}
