/** Histories in files. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LegalWorld } from "../proof/legal-world.ts";
import { everything } from "../proof/mixes.ts";
import type { Line } from "./format.ts";
import type { History } from "./history.ts";
import { historyOf, readHistoryFile } from "./read-history.ts";

const folder = mkdtempSync(join(tmpdir(), "zoetrope-read-history-"));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string): History {
  const file = join(folder, "history.jsonl");
  writeFileSync(file, text);
  return readHistoryFile(file);
}

/** Everything about every operation, and the other lists. */
function contents({ operations, ...rest }: History): unknown {
  const columns = Array.from({ length: operations.count }, (_, i) => {
    const { id, proc, conn, server, xid, op, outcome, mode, watch, version, invoked, completed, zxid } = operations;
    const numbers = [id, proc, conn, server, xid, op, outcome, mode, watch, version, invoked, completed, zxid];
    const { path, created, data, err, extra, invokeLine, completeLine, sessions, session } = operations;
    const texts = [path[i], created[i], data[i], err[i], extra[i], sessions.text(sessions.ids[session[i]!]!)];
    return [...numbers.map((column) => column[i]), ...texts, invokeLine[i], completeLine[i], operations.statOf(i)];
  });
  return { ...rest, columns };
}

test("a file says what its lines say", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const lines: Line[] = [];
    const mix = everything(1 + (seed % 3));
    new LegalWorld({ seed, mix, breaks: 0.02, expires: 0.3, finalReads: true }, (line) => lines.push(line)).run(150);
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const expected = contents(historyOf(lines));
    expect(contents(read(text))).toEqual(expected);
  }
});

test("texts with escapes, fractions of a µs, fields in another order, and unknown fields are read all the same", () => {
  const header = { kind: "header", format: "zoetrope-history", version: 1, startedAt: 0 };
  const where = { proc: 1, session: "0x100000000000001", conn: 1, server: 2 };
  const stat = { czxid: 1, mzxid: 1, ctime: -1, mtime: 1, version: 0, cversion: -1, aversion: 0 };
  const rest = { ephemeralOwner: "0x0", dataLength: 5, numChildren: 0, pzxid: 1 };
  const data = 'say "ü"\n\\ and more of it';
  const lines = [
    header,
    { kind: "invoke", t: 1.5, id: 1, xid: 1, ...where, op: "getData", args: { path: "/ä", note: true } },
    { kind: "ok", t: 2.25, id: 1, xid: 1, zxid: 7, ...where, res: { data, stat: { ...stat, ...rest } } },
    { kind: "invoke", id: 2, t: 3, xid: 2, ...where, op: "exists", args: { path: "/b" } },
    { kind: "ok", t: 4, id: 2, xid: 2, zxid: 2 ** 52, ...where, res: { stat: { ...rest, ...stat, more: 1 } } },
    { kind: "invoke", t: 5, id: 3, xid: 3, ...where, op: "getChildren", args: { path: "/b" } },
    { kind: "ok", t: 6, id: 3, xid: 3, zxid: 8, ...where, res: { children: ["a", "b"], stat: { ...stat, ...rest } } },
    { kind: "end", t: 7, lines: 8 },
  ] as unknown as Line[];
  const history = read(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  expect(contents(history)).toEqual(contents(historyOf(lines)));
  expect(history.whole).toBe(true);
  expect(history.operations.data[0]).toBe(data);
  expect(history.operations.statOf(2)).toEqual({ ...stat, ...rest });
});

test("what is no history, or broken, is told with its line", () => {
  expect(() => read('{"kind":"invoke","t":1}\n')).toThrow(/NOT_A_HISTORY/);
  const header = '{"kind":"header","format":"zoetrope-history","version":1,"startedAt":0}\n';
  expect(() => read(`${header}{"kind":"ok","t":\n`)).toThrow(/NOT_JSON/);
  const ok = '{"kind":"ok","t":2,"id":9,"xid":1,"zxid":7,"proc":1,"session":"0x1","conn":1,"server":2,"res":{}}\n';
  expect(() => read(`${header}${ok}`)).toThrow(/NO_INVOKE/);
  expect(read(header + ok.slice(0, 30)).whole).toBe(false);
});
