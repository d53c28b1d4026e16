/**
 * The same bytes to our server and to a running Apache ZooKeeper: the same frames must come back, up to session ids and clocks.
 * Where we differ on purpose, the test says so and does not ask.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ErrorCode, errorName } from "../../src/protocol/error-codes.ts";
import { AddWatchMode, OpCode, Perms, WatcherType } from "../../src/protocol/opcodes.ts";
import { decodeTxn } from "../../src/protocol/txn.ts";
import { apacheVersion, unless } from "../support/installed.ts";
import * as op from "../support/raw-requests.ts";
import { frame } from "../support/standalone-server.ts";
import { onlyPerms, STAGE, WRITE_ERRORS } from "../support/write-errors.ts";
import { Dialogue } from "./dialogue.ts";
import { describeTxns, txnsIn } from "./logged-txns.ts";
import { type Peer, Sides } from "./peers.ts";

/** What is compared byte by byte was read from this version; later ones differ in places (docs/deviations.md). */
const installed = apacheVersion?.startsWith("3.8.") ?? false;

describe.skipIf(!installed)(`the same bytes to both${unless(installed, "Apache ZooKeeper 3.8")}`, () => {
  let sides: Sides;
  let peers: readonly Peer[] = [];

  beforeAll(async () => {
    sides = await Sides.start();
    peers = sides.peers;
  }, 90_000);

  afterAll(() => sides?.end());

  test("the initial tree", async () => {
    const client = await new Dialogue(peers).connect();
    for (const path of ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", ""]) {
      await client.ask(op.exists(path));
      await client.ask(op.getData(path));
      await client.ask(op.getChildren(path, false, OpCode.getChildren2));
      await client.ask(op.getAcl(path));
    }
  });

  test("every way in which a write fails", async () => {
    const client = await new Dialogue(peers).connect();
    for (const request of STAGE) await client.ask(request);
    for (const [what, request, err] of WRITE_ERRORS) {
      const [reply] = await client.ask(request);
      expect(`${what} → ${errorName(reply?.err ?? 0)}`).toBe(`${what} → ${err}`);
    }
  });

  test("opening a session", async () => {
    const dialogue = new Dialogue(peers);
    for (const timeOut of [0, -1, 1, 4000, 4001, 5_000_000]) await (await dialogue.open()).connect({ timeOut });
    const old = await dialogue.open();
    await old.connect({ readOnly: null });
    await (await dialogue.open()).connect({ passwd: null });
    await (await dialogue.open()).connect({ passwd: Buffer.alloc(0), readOnly: true });
    await (await dialogue.open()).connect({ lastZxidSeen: 0x7fffffffffffffffn });
    await (await dialogue.open()).connect({ lastZxidSeen: 0x7fffffffn });
    await (await dialogue.open()).connect({ lastZxidSeen: -1n });
  });

  test("coming back to a session", async () => {
    const dialogue = new Dialogue(peers);
    const first = await dialogue.connect();
    await first.ask(op.create("/back", { flags: 1 }));
    const second = await dialogue.open();
    await second.connect({ of: first, timeOut: 5000 });
    expect(await first.closes()).toBe(true);
    await second.ask(op.exists("/back"));
    // What Apache then does to the owner's connection is not asked: here it stays (docs/deviations.md).
    const thief = await dialogue.open();
    await thief.connect({ of: second, passwd: Buffer.alloc(16, 1) });
    const third = await dialogue.open();
    await third.connect({ of: first });
    await third.ask(op.closeSession);
    await (await dialogue.open()).connect({ of: first });
  });

  test.each([
    ["a negative length", "ffffffff00"],
    ["a length above jute.maxbuffer", "00100000"],
    ["a length that is far too large", "7fffffff"],
    ["an empty frame", "00000000"],
    ["a connect request that is cut", "0000000400000000"],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n").toString("hex")],
    ["a word nobody knows", Buffer.from("wxyz").toString("hex")],
  ])("first bytes: %s", async (_what, hex) => {
    const client = await new Dialogue(peers).open();
    client.say(() => Buffer.from(hex, "hex"));
    expect(await client.closes()).toBe(true);
  });

  test.each([
    ["a negative length", "fffffffe"],
    ["a length above jute.maxbuffer", "00100000"],
    ["an empty frame", "00000000"],
    ["half a header", "0000000400000001"],
  ])("bytes in an open session: %s", async (_what, hex) => {
    const client = await new Dialogue(peers).connect();
    client.say(() => Buffer.from(hex, "hex"));
    expect(await client.closes()).toBe(true);
    await client.hear();
  });

  test.each([55, 0, 10, 13_000, -1, -2, 108, 99])("opcode %i", async (type) => {
    const client = await new Dialogue(peers).connect();
    // Alone: Apache answers such a request from another thread than the ping before it, now and then too early.
    await client.ask(op.empty(type));
    expect(await client.closes()).toBe(true);
  });

  test("reads, good and bad", async () => {
    const client = await new Dialogue(peers).connect();
    const made = [
      op.create("/r", { data: "text" }),
      op.create("/r/null", { data: null }),
      op.create("/r/empty", { data: "" }),
      op.create("/r/ephemeral", { flags: 1, data: "e" }),
      op.create("/r/hidden", { acl: onlyPerms(Perms.ALL & ~Perms.READ) }),
      op.create("/r/sealed", { acl: onlyPerms(Perms.WRITE) }),
      op.create("/r/adminless", {
        acl: [
          { perms: Perms.READ, scheme: "world", id: "anyone" },
          { perms: Perms.ALL, scheme: "digest", id: "bob:hash=" },
          { perms: Perms.ALL, scheme: "ip", id: "10.0.0.0/8" },
        ],
      }),
      op.create("/r/ünïcödé→", { data: "ü" }),
    ];
    for (const request of made) await client.ask(request);
    const paths = [
      "/r",
      "/r/null",
      "/r/empty",
      "/r/ephemeral",
      "/r/hidden",
      "/r/sealed",
      "/r/adminless",
      "/r/ünïcödé→",
      "/none",
      "/r/",
      "/r//null",
      "r",
      "",
      "/r/.",
      "/r/null\0",
      "/\ud83d",
    ];
    for (const path of paths) {
      await client.ask(op.exists(path));
      await client.ask(op.getData(path));
      await client.ask(op.getChildren(path));
      await client.ask(op.getChildren(path, false, OpCode.getChildren2));
      await client.ask(op.getAcl(path));
      // Of "" Apache also counts the root as its own descendant.
      if (path !== "") await client.ask(op.plain(OpCode.getAllChildrenNumber, path));
      await client.ask(op.sync(path));
    }
    await client.ask(op.plain(OpCode.getAllChildrenNumber, "/"));
    for (const prefix of [null, "", "/", " ", "/r", "/r/eph", "/x"])
      await client.ask(op.plain(OpCode.getEphemerals, prefix));
    await client.ask(op.whoAmI);
    await client.ask(op.ping);
  });

  test("reads that are cut short", async () => {
    const client = await new Dialogue(peers).connect();
    await client.ask(op.create("/short"));
    const requests = [
      op.cut(op.getData("/short"), 1),
      op.cut(op.exists("/short"), 3),
      op.cut(op.getChildren("/short"), 6),
      op.cut(op.getAcl("/short"), 1),
      op.empty(OpCode.getData),
      op.plain(OpCode.getData, null),
      op.multi([op.getData("/short"), op.create("/x")], OpCode.multiRead),
      op.multi([op.empty(55)], OpCode.multiRead),
      op.addWatch("/short", 7),
      op.checkWatches("/short", 9),
    ];
    for (const request of requests) await client.ask(request, { zxid: true });
  });

  test("sequences and what parents show of their children", async () => {
    const client = await new Dialogue(peers).connect();
    await client.ask(op.create("/seq"));
    for (const flags of [2, 3, 0, 2, 1, 3]) {
      await client.ask(op.create(`/seq/f${flags}-`, { flags, type: OpCode.create2, data: "abc" }));
      await client.ask(op.exists("/seq"));
    }
    await client.ask(op.create("/seq/", { flags: 2 }));
    await client.ask(op.create("/seq/c", { flags: 4, type: OpCode.createContainer }));
    await client.ask(op.create("/seq/c/x"));
    await client.ask(op.remove("/seq/f0-", 0));
    await client.ask(op.exists("/seq"));
    await client.ask(op.setData("/seq", "x", 0));
    await client.ask(op.setData("/seq", null, 1));
    await client.ask(op.setData("/seq", "y"));
    await client.ask(op.setAcl("/seq", onlyPerms(31), 0));
    await client.ask(op.getData("/seq"));
    await client.ask(op.getAcl("/seq"));
    await client.ask(op.create("/", { flags: 2 }));
  });

  test("multi, well and badly", async () => {
    const client = await new Dialogue(peers).connect();
    const { create, check, remove, setData, multi } = op;
    // Not here: create2, which 3.8.0 takes for a create and answers without the Stat that the C client then waits for.
    const requests = [
      multi([]),
      multi([create("/m", { data: "0" }), create("/m/a"), setData("/m", "1", 0), check("/m", 1)]),
      multi([create("/m/c", { type: OpCode.createContainer, flags: 4 }), remove("/m/c", 0)]),
      multi([create("/m/t", { data: "12" }), setData("/m/t", "123"), create("/m/t/u"), remove("/m/t/u")]),
      multi([create("/m/b"), setData("/m", "2", 7), create("/m/never")]),
      multi([check("/m", 9)]),
      multi([create("/m/b"), create("/m/b"), remove("/m"), check("/none")]),
      multi([create("/m/s-", { flags: 2 }), create("/m/s-", { flags: 3 }), create("/m/s-", { flags: 2 })]),
      multi([remove("/m/a"), create("/m/a"), setData("/m/a", "x", 0)]),
      multi([setData("/m", "x", -1), setData("/m", "y", 2), setData("/m", "z", 3), check("/m", 4)]),
      multi([create("/bad/path/x"), create("/ok")]),
      multi([create("x")]),
      multi([create("/m/eph", { flags: 1 }), create("/m/eph/child")]),
      multi([create("/m/s-", { flags: 2 })]),
      multi([op.setAcl("/m", op.OPEN)]),
      multi([multi([])]),
    ];
    for (const request of requests) {
      await client.ask(request);
      await client.ask(op.exists("/m"));
      await client.ask(op.getChildren("/m", false, OpCode.getChildren2));
    }
    await client.ask(
      multi([op.getData("/m"), op.getChildren("/m"), op.getData("/none"), op.getData("/m", true)], OpCode.multiRead),
    );
    await client.ask(multi([], OpCode.multiRead));
    await client.ask(setData("/m", "no watch was left"));
  });

  test("one-shot watches: kinds, order, and before which replies", async () => {
    const dialogue = new Dialogue(peers);
    const [watcher, writer] = [await dialogue.connect(), await dialogue.connect()];
    const change = async (...requests: op.RawRequest[]): Promise<void> => {
      for (const request of requests) {
        await writer.ask(request);
        await watcher.hear();
      }
    };
    await watcher.ask(op.exists("/w", true));
    await watcher.ask(op.getChildren("/", true));
    await change(op.create("/w"), op.setData("/w", "unwatched"));
    for (const request of [op.getData("/w", true), op.exists("/w", true), op.getChildren("/w", true)])
      await watcher.ask(request);
    await change(op.setAcl("/w", op.OPEN), op.setData("/w", "unwatched"), op.create("/w/c"), op.create("/w/d"));
    for (const request of [op.getData("/w/c", true), op.getChildren("/w/c", true), op.getChildren("/w", true)])
      await watcher.ask(request);
    await change(op.remove("/w/c"), op.remove("/w/d"));
    await watcher.ask(op.getChildren("/", true));
    await watcher.ask(op.getData("/w", true));
    await change(op.multi([op.setData("/w", "1"), op.remove("/w"), op.create("/w"), op.setData("/w", "2")]));
    await watcher.ask(op.getData("/none", true));
    await change(op.create("/none"));
    // One client that writes what it watches: the event comes first.
    await watcher.ask(op.getData("/w", true));
    await watcher.askAll([op.setData("/w", "own"), op.getData("/w", true), op.setData("/w", "own"), op.ping]);
    await watcher.ask(op.create("/w/e1", { flags: 1 }));
    await writer.ask(op.getData("/w/e1", true));
    await writer.ask(op.getChildren("/w", true));
    await watcher.ask(op.closeSession);
    await writer.hear();
  });

  test("persistent watches, and asking and removing", async () => {
    const dialogue = new Dialogue(peers);
    const [watcher, writer] = [await dialogue.connect(), await dialogue.connect()];
    const change = async (...requests: op.RawRequest[]): Promise<void> => {
      for (const request of requests) {
        await writer.ask(request);
        await watcher.hear();
      }
    };
    await watcher.ask(op.addWatch("/p", AddWatchMode.persistent));
    await watcher.ask(op.addWatch("/rec", AddWatchMode.persistentRecursive));
    await change(op.create("/p"), op.setData("/p", "1"), op.create("/p/c"), op.setData("/p/c", ""), op.remove("/p/c"));
    await change(op.create("/rec"), op.create("/rec/a"), op.create("/rec/a/b"), op.setData("/rec/a/b", "1"));
    await change(op.remove("/rec/a/b"), op.remove("/rec/a"), op.remove("/p"));
    for (const type of [WatcherType.children, WatcherType.data, WatcherType.any]) {
      await watcher.ask(op.checkWatches("/p", type));
      await watcher.ask(op.checkWatches("/none", type));
    }
    await watcher.ask(op.removeWatches("/p", WatcherType.data));
    await watcher.ask(op.removeWatches("/p", WatcherType.data));
    await change(op.create("/p"), op.create("/p/c"));
    await watcher.ask(op.removeWatches("/p", WatcherType.any));
    await watcher.ask(op.removeWatches("/p", WatcherType.any));
    await change(op.remove("/p/c"));
  });

  test("setWatches: what was missed comes at once, in order, the rest is registered", async () => {
    const dialogue = new Dialogue(peers);
    const [watcher, writer] = [await dialogue.connect(), await dialogue.connect()];
    for (const request of [op.create("/sw"), op.create("/sw/a"), op.create("/sw/b")]) await writer.ask(request);
    const all = ["/sw", "/sw/a", "/sw/gone"];
    // Relative zxids: before everything, and after everything.
    for (const relative of [0, 0x7fffffff]) {
      await watcher.ask(op.setWatches(relative, all, all, all), {}, -8);
      for (const path of ["/sw/a", "/sw", "/sw/a"]) {
        await writer.ask(op.setData(path, "x"));
        await watcher.hear();
      }
      await writer.ask(op.create("/sw/gone"));
      await watcher.hear();
      await writer.ask(op.remove("/sw/gone"));
      await watcher.hear();
    }
    await watcher.ask(op.setWatches2(0x7fffffff, [[], [], [], ["/sw/a"], ["/sw/b"]]), {}, -8);
    for (const path of ["/sw/a/1", "/sw/b/1", "/sw/b/1/2"]) {
      await writer.ask(op.create(path));
      await watcher.hear();
    }
  });

  test("identities", async () => {
    const dialogue = new Dialogue(peers);
    const [alice, bob] = [await dialogue.connect(), await dialogue.connect()];
    await alice.ask(op.auth("digest", "alice:secret"), {}, -4);
    await alice.ask(op.auth("digest", "alice:secret"), {}, -4);
    await alice.ask(op.auth("ip", ""), {}, -4);
    await bob.ask(op.auth("digest", "bob:a:b"), {}, -4);
    await alice.ask(op.whoAmI);
    await bob.ask(op.whoAmI);
    const mine = [{ perms: 31, scheme: "auth", id: "" }];
    await alice.ask(op.create("/mine", { acl: mine }));
    await alice.ask(op.create("/mine/double", { acl: [...mine, ...mine, ...op.OPEN, ...op.OPEN] }));
    for (const client of [alice, bob]) {
      for (const path of ["/mine", "/mine/double"]) {
        await client.ask(op.getAcl(path));
        await client.ask(op.getData(path));
        await client.ask(op.setData(path, "x"));
        await client.ask(op.setAcl(path, [...op.OPEN, ...mine]));
      }
    }
    await bob.ask(op.create("/net", { acl: [{ perms: 31, scheme: "ip", id: "127.0.0.0/8" }] }));
    await alice.ask(op.getData("/net"));
    await bob.ask(op.create("/othernet", { acl: [{ perms: 31, scheme: "ip", id: "10.1.0.0/16" }] }));
    await bob.ask(op.getData("/othernet"));
    await bob.ask([OpCode.sasl, (w) => w.buffer(Buffer.from("token"))]);
    await bob.ask(op.auth("nope", "x"), {}, -4);
    expect(await bob.closes()).toBe(true);
  });

  test("closing a session, with requests behind it", async () => {
    const dialogue = new Dialogue(peers);
    const [client, other] = [await dialogue.connect(), await dialogue.connect()];
    await client.ask(op.create("/cl", { flags: 1 }));
    await other.ask(op.exists("/cl", true));
    await client.askAll([op.setData("/cl", "1"), op.getData("/cl"), op.closeSession]);
    expect(await client.closes()).toBe(true);
    await other.hear();
    await other.ask(op.exists("/cl"));
  });

  test("a long pipeline of everything", async () => {
    const client = await new Dialogue(peers).connect();
    const requests: op.RawRequest[] = [op.create("/pipe")];
    for (let n = 0; n < 50; n++) {
      requests.push(op.create(`/pipe/${n % 7}`, { data: `${n}` }), op.getData(`/pipe/${n % 5}`), op.ping);
      requests.push(op.setData(`/pipe/${n % 3}`, `${n}`, n % 4), op.sync("/pipe"), op.remove(`/pipe/${n % 7}`, n % 3));
      requests.push(op.getChildren("/pipe", false, OpCode.getChildren2), op.create("/pipe/s", { flags: 2 }));
    }
    const replies = await client.askAll(requests);
    expect(replies).toHaveLength(requests.length);
    expect(replies.some(({ err }) => err === ErrorCode.BADVERSION)).toBe(true);
  });

  test("a frame with more than its record", async () => {
    const client = await new Dialogue(peers).connect();
    const longer = ([type, write]: op.RawRequest): op.RawRequest => [
      type,
      (w) => {
        write(w);
        w.raw(frame(() => {}));
      },
    ];
    for (const request of [op.create("/more"), op.getData("/more"), op.setData("/more", ""), op.remove("/more")]) {
      await client.ask(longer(request));
    }
  });

  test("both have logged the same txns", () => {
    expect(sides.own.entries.length).toBeGreaterThan(400);
    expect(describeTxns(sides.own.entries.map(decodeTxn))).toEqual(describeTxns(txnsIn(sides.directory)));
  });
});
