/** What strangers and broken disks do to servers that others are using: the client gets ZooKeeper's answer, the log names it, nobody else notices. */
import {
  appendFileSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type ZooKeeper } from "../../src/client/index.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { until } from "../support/until.ts";

/** What comes back until the server closes; undefined if it keeps the connection for 3 s. */
function exchange(port: number, ...chunks: readonly Buffer[]): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connectSocket({ host: "127.0.0.1", port });
    const kept = setTimeout(() => {
      resolve(undefined);
      socket.destroy();
    }, 3000);
    socket.on("connect", () => {
      for (const chunk of chunks) socket.write(chunk);
    });
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(kept);
      resolve(Buffer.concat(received));
    });
  });
}

const MARSHALLINGERROR = -5;
const BADARGUMENTS = -8;
const NONODE = -101;

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function long(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}

const frame = (...parts: readonly Buffer[]) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([int(body.length), body]);
};
const text = (value: string) => Buffer.concat([int(Buffer.byteLength(value)), Buffer.from(value)]);

const connectRequest = ({ lastZxid = 0n, sessionId = 0n, password = Buffer.alloc(16) as Buffer } = {}) =>
  frame(int(0), long(lastZxid), int(10_000), long(sessionId), int(password.length), password, Buffer.from([0]));
const request = (xid: number, op: number, ...body: readonly Buffer[]) => frame(int(xid), int(op), ...body);

/** Deterministic rubbish. */
function garbage(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

describe("strangers", () => {
  let ensemble: Ensemble;
  let server: ServerProcess;
  let bystander: ZooKeeper;

  beforeAll(async () => {
    ensemble = await startEnsemble({ servers: 3 });
    server = await ensemble.leader();
    bystander = connect(server.address, { timeoutMs: 10_000 });
    await bystander.create("/bystander", "well", { ephemeral: true });
  }, 60_000);
  afterAll(async () => {
    await bystander.close();
    await ensemble[Symbol.asyncDispose]();
  });

  async function expectNobodyNoticed(): Promise<void> {
    expect((await bystander.getData("/bystander")).data?.toString()).toBe("well");
    expect((await bystander.setData("/bystander", "well")).ephemeralOwner).toBe(bystander.sessionId);
    expect(bystander.generation).toBe(1);
    expect(await server.mode()).toBe("leader");
  }

  test.each([
    ["a negative frame length", [int(-5)]],
    ["a huge frame length", [int(0x7fffffff)]],
    ["a length just over jute.maxbuffer", [int(0x100000)]],
    ["an empty frame", [int(0)]],
    ["a connect request cut short", [int(10), garbage(10)]],
    ["an HTTP request", [Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]],
    ["a TLS handshake", [Buffer.from("16030100f8010000f40303", "hex"), garbage(240)]],
    ["a client from the future", [connectRequest({ lastZxid: 0x7fffffff00000000n })]],
  ])("%s on the client port is closed without an answer", async (_, chunks) => {
    expect(await exchange(server.clientPort, ...chunks)).toEqual(Buffer.alloc(0));
    await expectNobodyNoticed();
  });

  test("a wrong password gets the empty session, and the owner keeps its connection", async () => {
    const stolen = connectRequest({ sessionId: bystander.sessionId, password: garbage(16) });
    const answer = await exchange(server.clientPort, stolen);
    expect(answer?.subarray(4)).toEqual(Buffer.concat([int(0), int(0), long(0n), int(16), Buffer.alloc(17)]));
    await expectNobodyNoticed();
  });

  test("an unknown operation gets UNIMPLEMENTED, then the connection closes", async () => {
    const answer = await exchange(server.clientPort, connectRequest(), request(7, 55));
    expect(answer?.subarray(41)).toEqual(frame(int(7), long(-1n), int(-6)));
    await expectNobodyNoticed();
  });

  test("a record that ends too early gets MARSHALLINGERROR, and the session goes on", async () => {
    const cut = request(1, 4, int(100), Buffer.from("/a"));
    const answer = await exchange(server.clientPort, connectRequest(), cut, request(2, -11));
    expect(answer!.readInt32BE(41 + 4)).toBe(1);
    expect(answer!.readInt32BE(41 + 16)).toBe(MARSHALLINGERROR);
    expect(answer!.readInt32BE(61 + 4)).toBe(2);
    await expectNobodyNoticed();
  });

  // Apache looks for the parent before it looks at the path, so some bad paths are nodes whose parent is missing.
  test.each([
    ["relative", BADARGUMENTS],
    ["/a\u0000b", BADARGUMENTS],
    ["/.", BADARGUMENTS],
    ["/..", BADARGUMENTS],
    ["/\uf8ff", BADARGUMENTS],
    ["/\ufffd", BADARGUMENTS],
    ["//b", BADARGUMENTS],
    ["/a//b", NONODE],
    ["/a/../b", NONODE],
    ["/a/", NONODE],
  ])("a create of the path %j gets %i", async (path, code) => {
    const create = request(1, 1, text(path), int(0), int(1), int(31), text("world"), text("anyone"), int(0));
    const answer = await exchange(server.clientPort, connectRequest(), create, request(2, -11));
    expect(answer!.readInt32BE(41 + 4)).toBe(1);
    expect(answer!.readInt32BE(41 + 16)).toBe(code);
    await expectNobodyNoticed();
  });

  test("four-letter words that are none are frame lengths", async () => {
    expect(await exchange(server.clientPort, Buffer.from("abcd"))).toEqual(Buffer.alloc(0));
  });

  test.each(["quorum", "election"])("garbage on the %s port ends that connection only", async (kind) => {
    const member = readFileSync(join(server.directory, "zoo.cfg"), "utf8");
    const [, quorum, election] = new RegExp(`^server.${server.id}=127.0.0.1:(\\d+):(\\d+)`, "m").exec(member)!;
    const port = Number(kind === "quorum" ? quorum : election);
    for (const [index, length] of [1, 40, 4096, 300_000].entries()) await exchange(port, garbage(length, index + 1));
    await exchange(port, int(-1), garbage(100));
    await exchange(port, long(-65536n), long(99n), int(1 << 30), garbage(100));
    await expectNobodyNoticed();
    expect((await ensemble.followers()).length).toBe(2);
  });

  test("fifty strangers who say nothing useful do not stop the others", { timeout: 60_000 }, async () => {
    const strangers = Array.from({ length: 50 }, (_, i) => exchange(server.clientPort, garbage(3, i + 1)));
    await expectNobodyNoticed();
    await Promise.all(strangers);
    await expectNobodyNoticed();
  });
});

describe("disks", () => {
  const logs = (server: ServerProcess, prefix: string) =>
    readdirSync(join(server.directory, "version-2"))
      .filter((name) => name.startsWith(`${prefix}.`))
      .sort((a, b) => Number.parseInt(a.split(".")[1]!, 16) - Number.parseInt(b.split(".")[1]!, 16))
      .map((name) => join(server.directory, "version-2", name));

  /** The nodes /nFROM to /nTO, TO excluded. */
  async function written(ensemble: Ensemble, from: number, to: number): Promise<void> {
    const zk = connect(ensemble.addresses);
    for (let i = from; i < to; i++) await zk.create(`/n${i}`, "x".repeat(100));
    await zk.close();
  }

  async function countOf(server: ServerProcess): Promise<number> {
    const zk = connect(server.address);
    try {
      return (await zk.getChildren("/")).filter((name) => name.startsWith("n")).length;
    } finally {
      await zk.close();
    }
  }

  /** Where the zeros that were allocated ahead begin. */
  function usedBytes(file: string): number {
    const bytes = readFileSync(file);
    let end = bytes.length;
    while (end > 0 && bytes[end - 1] === 0) end--;
    return end;
  }

  test("a torn log tail is cut off, and nothing before it is lost", { timeout: 60_000 }, async () => {
    await using ensemble = await startEnsemble({ servers: 1 });
    const server = ensemble.servers[0]!;
    await written(ensemble, 0, 50);
    await server.kill();
    const file = logs(server, "log").at(-1)!;
    const end = usedBytes(file);
    // Half a record, as a crash in the middle of a write leaves it: it was never acknowledged.
    const descriptor = openSync(file, "r+");
    writeSync(descriptor, Buffer.concat([long(12345n), int(200), garbage(60)]), 0, 72, end);
    server.start();
    await server.serves();
    expect(await countOf(server)).toBe(50);
    await written(ensemble, 50, 60);
    await server.stop();
    server.start();
    await server.serves();
    expect(await countOf(server)).toBe(60);
  });

  test("a flipped bit in the middle of the log stops the start with file and place", { timeout: 60_000 }, async () => {
    await using ensemble = await startEnsemble({ servers: 1 });
    const server = ensemble.servers[0]!;
    await written(ensemble, 0, 50);
    await server.kill();
    const file = logs(server, "log").at(-1)!;
    flipBit(file, Math.floor(usedBytes(file) / 2));
    server.start();
    await until("the server to stop", () => !server.running);
    expect(server.log).toMatch(/ERROR .*log\.[0-9a-f]+/);
    expect(server.log).not.toContain("    at ");
  });

  test("a broken newest snapshot is passed over for the one before it", { timeout: 60_000 }, async () => {
    await using ensemble = await startEnsemble({ servers: 1, settings: ["snapCount=30"] });
    const server = ensemble.servers[0]!;
    await written(ensemble, 0, 200);
    await until("a second snapshot", () => logs(server, "snapshot").length > 1);
    await server.kill();
    const newest = logs(server, "snapshot").at(-1)!;
    flipBit(newest, Math.floor(statSync(newest).size / 2));
    server.start();
    await server.serves();
    expect(await countOf(server)).toBe(200);
    expect(server.log).toMatch(/WARN .*snapshot\.[0-9a-f]+/);
  });

  test("a snapshot that was being written when the server died is no snapshot", { timeout: 60_000 }, async () => {
    await using ensemble = await startEnsemble({ servers: 1, settings: ["snapCount=30"] });
    const server = ensemble.servers[0]!;
    await written(ensemble, 0, 200);
    await until("a second snapshot", () => logs(server, "snapshot").length > 1);
    await server.kill();
    const newest = logs(server, "snapshot").at(-1)!;
    truncateSync(newest, Math.floor(statSync(newest).size / 2));
    appendFileSync(join(server.directory, "version-2", "snapshot.c8"), "");
    server.start();
    await server.serves();
    expect(await countOf(server)).toBe(200);
  });

  function flipBit(file: string, offset: number): void {
    const descriptor = openSync(file, "r+");
    const byte = Buffer.alloc(1);
    readSync(descriptor, byte, 0, 1, offset);
    byte[0]! ^= 1;
    writeSync(descriptor, byte, 0, 1, offset);
  }
});
