/** Just enough reading of TypeScript for the house rules: what is code, what is a comment, what is a string, what is imported. */

export interface Import {
  /** As written: "../spec/charts.ts", "node:fs", "xstate". */
  readonly specifier: string;
  readonly line: number;
  /** Erased before it runs. */
  readonly typeOnly: boolean;
}

/** The source with comments, and if asked strings and regular expressions too, blanked out. Lines keep their numbers. */
export function codeOf(source: string, withStrings: boolean): string {
  let out = "";
  let at = 0;
  const keep = (end: number) => {
    out += source.slice(at, end);
    at = end;
  };
  const blank = (end: number) => {
    out += source.slice(at, end).replace(/[^\n]/g, " ");
    at = end;
  };
  while (at < source.length) {
    const rest = source.slice(at, at + 2);
    const character = rest[0] as string;
    if (rest === "//") blank(endOf(source, "\n", at));
    else if (rest === "/*") blank(endOf(source, "*/", at + 2) + 2);
    else if (character === '"' || character === "'") (withStrings ? keep : blank)(endOfString(source, at));
    else if (character === "`") (withStrings ? keep : blank)(endOfTemplate(source, at));
    else if (character === "/" && /(^|[(,=:[!&|?{};>]|\breturn|\n)\s*$/.test(out.slice(-40)))
      blank(endOfRegExp(source, at));
    else keep(at + 1);
  }
  return out;
}

export function importsOf(source: string): Import[] {
  const code = codeOf(source, true);
  const found: Import[] = [];
  const statement =
    /\b(?:import|export)\s+(type\s)?[^;"'`()]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;
  for (const match of code.matchAll(statement)) {
    const [whole, type, from, bare] = match;
    const line = lineAt(code, match.index + whole.length);
    found.push({ specifier: (from ?? bare) as string, line, typeOnly: type !== undefined });
  }
  return found;
}

/** 1-based. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function endOf(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end < 0 ? source.length : end;
}

function endOfString(source: string, start: number): number {
  const quote = source[start];
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === quote || source[at] === "\n") return at + 1;
  }
  return source.length;
}

/** Expressions in a template are skipped with it: what is banned is hardly called from inside one. */
function endOfTemplate(source: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < source.length; at++) {
    if (source[at] === "\\") at++;
    else if (source.startsWith("${", at)) depth++;
    else if (depth > 0 && source[at] === "}") depth--;
    else if (depth > 0 && source[at] === "`") at = endOfTemplate(source, at) - 1;
    else if (source[at] === "`") return at + 1;
  }
  return source.length;
}

function endOfRegExp(source: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < source.length && source[at] !== "\n"; at++) {
    if (source[at] === "\\") at++;
    else if (source[at] === "[") inClass = true;
    else if (source[at] === "]") inClass = false;
    else if (source[at] === "/" && !inClass) return at + 1;
  }
  return start + 1;
}
