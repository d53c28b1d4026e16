/**
 * Logs that do not tell everything: servers were emptied, and some of what they had logged is only in copies, or nowhere. Then
 * nothing may be called wrong because of what is not known; what is wrong all the same is told.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeZxid, type Zxid } from "../../spec/vocabulary.ts";
import { makeTxn, type Txn } from "../../src/protocol/txn.ts";
import { checkHistory } from "../checker/check-history.ts";
import { readServerLogs, type ServerLog, serverLogOf } from "../checker/witness/server-log.ts";
import type { Line } from "../histories/format.ts";
import { historyOf } from "../histories/read-history.ts";
import { create } from "./requests.ts";
import { type Asking, Stage } from "./stage.ts";
import { logOf } from "./txns.ts";

const EPOCH = 2 ** 32;
const get = (path: string) => ({ op: "getData", args: { path } }) as const;
const set = (path: string, data: string) => ({ op: "setData", args: { path, data, version: -1 } }) as const;

interface Told {
  readonly lines: readonly Line[];
  readonly txns: readonly Txn[];
}

/** Five writes of two clients (with their sessions seven txns), each read by the other. The last `newEpoch` are a second leader's. */
function story({ newEpoch = 0, backAt = 0 } = {}): Told {
  const stage = new Stage();
  const [one, two] = [stage.actor(1), stage.actor(2)];
  const answered: Asking[] = [];
  const ask = (...[actor, asked]: Parameters<Stage["ask"]>): void => {
    answered.push(stage.ask(actor, asked));
    stage.answer(answered.at(-1)!, backAt > 0 && answered.length === 8 ? makeZxid(1, backAt) : undefined);
  };
  ask(one, create("/a", "0", "persistent"));
  ask(two, get("/a"));
  for (const data of ["1", "2", "3", "4"]) {
    ask(one, set("/a", data));
    ask(two, get("/a"));
  }
  stage.end();
  const firstOfNew = stage.txns.length - newEpoch;
  if (newEpoch === 0) return stage;
  const moved = (zxid: number): number => {
    const isLater = zxid > EPOCH + firstOfNew && zxid <= EPOCH + stage.txns.length;
    return isLater ? zxid - firstOfNew + EPOCH : zxid;
  };
  const lines = JSON.parse(JSON.stringify(stage.lines), (_, value) =>
    typeof value === "number" ? moved(value) : value,
  );
  return { lines, txns: stage.txns.map((txn) => at(txn, moved(txn.zxid))) };
}

function at({ sessionId, cxid, time, body, digest }: Txn, zxid: number): Txn {
  return makeTxn(sessionId, cxid, zxid as Zxid, time, body, digest);
}

function log(server: number, txns: readonly Txn[]): ServerLog {
  return serverLogOf(server, [logOf(txns)]);
}

/** One that goes on from a snapshot. */
function logAfter(server: number, txns: readonly Txn[]): ServerLog {
  return { ...log(server, txns), startsEmpty: false };
}

/** What a server had before it was emptied. */
function copy(server: number, txns: readonly Txn[]): ServerLog {
  return { ...log(server, txns), name: `server ${server}, before-1`, final: false };
}

/** The verdict, properties and doubts. */
function judged(lines: readonly Line[], logs: readonly ServerLog[]): string[] {
  const { verdict, violations, doubts } = checkHistory(historyOf(lines), { logs, tickTimeMs: 1000 });
  const properties = violations.map(({ property, anomaly }) => `${property.split(" ")[0]}: ${anomaly}`);
  return [verdict, ...new Set([...properties, ...doubts.map(({ reason }) => reason)])];
}

describe("servers were emptied", () => {
  test("whole logs leave no doubt", () => {
    const { lines, txns } = story();
    expect(judged(lines, [log(1, txns), log(2, txns)])).toEqual(["valid"]);
    const later = story({ newEpoch: 2 });
    expect(judged(later.lines, [log(1, later.txns), log(2, later.txns)])).toEqual(["valid"]);
  });

  test.each([1, 2, 3, 4, 6])("nothing is called wrong when the first %i txns are in no log", (gone) => {
    const { lines, txns } = story();
    expect(judged(lines, [log(1, txns.slice(gone)), log(2, txns.slice(gone + 1))])).toEqual([
      "unknown",
      "incomplete logs",
    ]);
  });

  test("a log of a second epoch is no beginning when a snapshot came before it", () => {
    const { lines, txns } = story({ newEpoch: 3 });
    const logs = [1, 2].map((id) => logAfter(id, txns.slice(4)));
    expect(judged(lines, logs)).toEqual(["unknown", "incomplete logs"]);
  });

  test("the copy of an emptied log makes it whole", () => {
    const { lines, txns } = story();
    expect(judged(lines, [copy(1, txns.slice(0, 4)), log(1, txns.slice(5)), log(2, txns.slice(3))])).toEqual(["valid"]);
  });

  test("several copies join", () => {
    const { lines, txns } = story({ newEpoch: 2 });
    const copies = [copy(1, txns.slice(0, 3)), copy(2, txns.slice(2, 5)), copy(3, txns.slice(4, 6))];
    const logs = [...copies, logAfter(1, txns.slice(5))];
    expect(judged(lines, logs)).toEqual(["valid"]);
  });

  test("copies with a hole between them do not", () => {
    const { lines, txns } = story();
    expect(judged(lines, [copy(1, txns.slice(0, 3)), log(1, txns.slice(4)), log(2, txns.slice(4))])).toEqual([
      "unknown",
      "incomplete logs",
    ]);
  });
});

describe("a tail that only an emptied server had", () => {
  const { lines, txns } = story({ newEpoch: 2 });
  const old = txns.slice(0, -2);
  const tail = [1, 2].map((n) => at(txns[3]!, EPOCH + old.length + n));

  test("is no part of the history when another log goes on without it", () => {
    const logs = [copy(1, [...old, ...tail]), logAfter(1, txns.slice(-1)), log(2, txns.slice(2))];
    expect(judged(lines, logs)).toEqual(["valid"]);
  });

  test("is no part of it either when the server came back and was sent a snapshot", () => {
    const back = log(3, [...old, ...tail, ...txns.slice(-1)]);
    const received = {
      name: "snapshot.200000001",
      size: 0,
      zxid: txns.at(-2)!.zxid,
      compression: "gzip",
      path: "",
    } as const;
    expect(judged(lines, [{ ...back, snapshots: [received] }, log(1, txns), log(2, txns)])).toEqual(["valid"]);
    expect(judged(lines, [back, log(1, txns), log(2, txns)])).toContain("Z2: logs part");
  });

  test("is not relied on when no log shows how its epoch ended", () => {
    const rest = [1, 2].map((id) => logAfter(id, txns.slice(-2)));
    expect(judged(lines, [copy(1, [...old, ...tail]), ...rest])).toEqual(["unknown", "incomplete logs"]);
  });

  test("is a lost write if it was acknowledged, and all others began anew", () => {
    const rest = [2, 3].map((id) => log(id, txns.slice(-2)));
    expect(judged(lines, [copy(1, old), ...rest])).toContain("C5: lost write");
  });
});

describe("txns at the end of an epoch that came with a snapshot", () => {
  const { lines, txns } = story({ newEpoch: 2 });
  // The log goes from one epoch to the beginning of the next as if nothing were missing.
  const without = log(3, [...txns.slice(0, -4), ...txns.slice(-2)]);

  test("are not missing", () => {
    const zxid = txns.at(-3)!.zxid;
    const received = { name: "", size: 0, zxid, compression: "gzip", path: "" } as const;
    expect(judged(lines, [{ ...without, snapshots: [received] }, log(1, txns), log(2, txns)])).toEqual(["valid"]);
  });

  test("are missing where there is no snapshot", () => {
    expect(judged(lines, [without, log(1, txns), log(2, txns)])).toContain("Z2: logs part");
  });
});

describe("what is wrong all the same", () => {
  test("a client that goes back in time", () => {
    const { lines, txns } = story({ backAt: 3 });
    expect(judged(lines, [log(1, txns.slice(1))])).toContain("C4: zxid goes back");
  });

  test("a write that is missing where logs cover", () => {
    const { lines, txns } = story();
    const logs = [1, 2].map((id) => log(id, [...txns.slice(3, 5), ...txns.slice(6)]));
    expect(judged(lines, [...logs, log(3, txns.slice(4, 5))])[0]).toBe("violation");
  });

  test("a write that is missing at the end", () => {
    const { lines, txns } = story();
    expect(judged(lines, [log(1, txns.slice(1, -1))])).toContain("C5: lost write");
  });

  test("a wrong read before the gap", () => {
    const { lines, txns } = story();
    const wrong = JSON.parse(JSON.stringify(lines).replace('"res":{"data":"0"', '"res":{"data":"?"')) as Line[];
    const logs = [copy(1, txns.slice(0, 4)), log(1, txns.slice(5))];
    expect(judged(wrong, logs)[0]).toBe("violation");
    expect(judged(lines, logs)).toEqual(["unknown", "incomplete logs"]);
  });
});

describe("on disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "emptied-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const { lines, txns } = story();

  function write(name: string, files: Readonly<Record<string, Buffer>>): string {
    for (const [file, bytes] of Object.entries(files)) {
      const path = join(folder, name, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, bytes);
    }
    return join(folder, name);
  }
  const own = {
    "data/version-2/snapshot.100000003": Buffer.alloc(0),
    "data/version-2/log.100000004": logOf(txns.slice(3)),
  };

  test("a server's folder holds its own log and the copies", () => {
    const kept = {
      "before-1/version-2/snapshot.0": Buffer.alloc(0),
      "before-1/version-2/log.100000001": logOf(txns.slice(0, 4)),
    };
    const logs = readServerLogs(1, write("whole", { ...own, ...kept }));
    expect(logs.map(({ name, final, startsEmpty }) => [name, final, startsEmpty])).toEqual([
      ["server 1, before-1", false, true],
      ["server 1", true, false],
    ]);
    expect(judged(lines, logs)).toEqual(["valid"]);
    expect(judged(lines, logs.slice(1))).toEqual(["unknown", "incomplete logs"]);
  });

  test("a damaged record is a break: what follows is not what came next", () => {
    const later = story({ newEpoch: 2 });
    const damaged = logOf(later.txns.slice(0, 5));
    damaged[damaged.length - 20]! ^= 1;
    const files = {
      "snapshot.0": Buffer.alloc(0),
      "log.100000001": damaged,
      "log.200000001": logOf(later.txns.slice(5)),
    };
    const [read] = readServerLogs(1, write("damaged", files));
    expect([...read!.torn]).toEqual([4]);
    expect(judged(later.lines, [read!])).toEqual(["unknown", "incomplete logs"]);
  });
});
