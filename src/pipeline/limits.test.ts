import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, request, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import { AddWatchMode } from "../protocol/opcodes.ts";
import { HIGH_WATER_BYTES, OVERFLOW_BYTES } from "./requests.ts";

const KB = 1024;

/** Requests in one chunk, without waiting for replies. */
function flood(client: RawClient, count: number, [type, write]: op.RawRequest): void {
  const frames = Array.from({ length: count }, (_, at) => request(at + 1, type, write));
  client.send(Buffer.concat(frames));
}

function takeBytes(client: RawClient): number {
  const bytes = client.received.reduce((sum, chunk) => sum + chunk.length, 0);
  client.received = [];
  return bytes;
}

test("a client that does not read what it asked for is not read either, until it has", () => {
  const server = new StandaloneServer();
  const [slow, other] = [server.connect(), server.connect()];
  slow.one(...op.create("/big", { data: Buffer.alloc(100 * KB) }));
  flood(slow, 200, op.getData("/big"));
  const first = takeBytes(slow);
  expect(first).toBeGreaterThan(HIGH_WATER_BYTES);
  expect(first).toBeLessThan(HIGH_WATER_BYTES + 200 * KB);
  expect(slow.paused).toBe(true);
  expect(slow.drainAsked).toBe(true);
  // Others notice nothing.
  expect(other.ask(...op.getData("/big"))).toHaveLength(1);
  // More that had already been on its way waits as bytes.
  flood(slow, 1, op.ping);
  expect(takeBytes(slow)).toBe(0);
  let total = first;
  for (let turn = 0; turn < 20 && slow.drainAsked; turn++) {
    slow.drain();
    total += takeBytes(slow);
  }
  expect(total).toBe(200 * (4 + 16 + 4 + 100 * KB + 68) + 20);
  expect(slow.paused).toBe(false);
});

test("reads that wait behind a write are charged for before they run", () => {
  const server = new StandaloneServer();
  const client = server.connect();
  client.one(...op.create("/big", { data: Buffer.alloc(1000 * KB) }));
  server.immediate = false;
  client.send(request(1, ...op.setData("/big", Buffer.alloc(1000 * KB))));
  flood(client, 100, op.getData("/big"));
  expect(client.paused).toBe(true);
  server.commit();
  server.endTurn();
  expect(takeBytes(client)).toBeLessThan(2 * HIGH_WATER_BYTES);
});

test("more requests in flight than the limit: connections that have some are not read, others are", () => {
  const server = new StandaloneServer({ globalOutstandingLimit: 10 });
  const [busy, quiet] = [server.connect(), server.connect()];
  busy.one(...op.create("/n"));
  server.immediate = false;
  flood(busy, 30, op.setData("/n", ""));
  expect(busy.paused).toBe(true);
  expect(server.counters.outstanding).toBe(11);
  expect(quiet.ask(...op.getData("/n"))).toHaveLength(1);
  quiet.ask(...op.setData("/n", ""));
  expect(quiet.paused).toBe(true);
  for (let commits = 0; commits < 31; commits++) {
    server.commit(1);
    server.endTurn();
  }
  expect(busy.replies()).toHaveLength(30);
  expect(quiet.replies()).toHaveLength(1);
  expect([busy.paused, quiet.paused]).toEqual([false, false]);
});

test("a client that does not read its watch events is disconnected when they exceed every bound, and only it", () => {
  const server = new StandaloneServer();
  const [slow, writer] = [server.connect(), server.connect()];
  const name = "n".repeat(200 * KB);
  for (const client of [slow, writer]) client.one(...op.addWatch("/", AddWatchMode.persistentRecursive));
  let changes = 0;
  for (; changes < 1000 && !slow.closed; changes++) {
    const create = changes % 2 === 0;
    writer.send(request(changes + 1, ...(create ? op.create(`/${name}`) : op.remove(`/${name}`))));
    writer.drain();
    takeBytes(writer);
  }
  const sent = takeBytes(slow);
  expect(slow.closed).toBe(true);
  expect(sent).toBeGreaterThan(OVERFLOW_BYTES - KB);
  expect(sent).toBeLessThan(OVERFLOW_BYTES + 300 * KB);
  expect(writer.closed).toBe(false);
  expect(server.service.watches.dataWatchCount).toBe(1);
  expect(server.counters.unexpectedEvents).toBe(0);
});

test("a client that reads slowly is alive: what it takes counts as being heard of", () => {
  const server = new StandaloneServer();
  const slow = server.connect(4000);
  slow.one(...op.create("/big", { data: Buffer.alloc(1000 * KB) }));
  flood(slow, 40, op.getData("/big"));
  for (let turn = 0; turn < 20; turn++) {
    server.pass(3000);
    slow.drain();
    expect(slow.closed).toBe(false);
  }
  server.pass(10_000);
  expect(slow.closed).toBe(true);
});

test.each([
  ["negative", "ffffffff"],
  ["above jute.maxbuffer", "00100000"],
  ["too short for a header", "0000000701020304050607"],
])(
  "a frame length that is %s closes the connection; what was answered before it is not lost to others",
  (_what, hex) => {
    const server = new StandaloneServer();
    const [client, other] = [server.connect(), server.connect()];
    client.send(Buffer.from(hex, "hex"));
    expect(client.closed).toBe(true);
    expect(server.counters.malformedRequests).toBe(1);
    expect(server.reports.at(-1)).toMatchObject({ level: "warn", data: { remote: { host: "127.0.0.1" } } });
    expect(other.ask(...op.ping)).toHaveLength(1);
    expect(server.database.sessions.has(client.sessionId)).toBe(true);
  },
);

test("a frame of exactly jute.maxbuffer bytes is taken", () => {
  const server = new StandaloneServer({ juteMaxBuffer: 1000 });
  const client = server.connect();
  const overhead = request(1, ...op.create("/x", { data: "" })).length - 4;
  expect(client.one(...op.create("/x", { data: Buffer.alloc(1000 - overhead) })).err).toBe(0);
  client.ask(...op.create("/y", { data: Buffer.alloc(1001 - overhead) }));
  expect(client.closed).toBe(true);
});

test("memory goes with traffic: a thousand idle connections hold no output buffers", () => {
  const server = new StandaloneServer();
  const clients = Array.from({ length: 1000 }, () => server.connect());
  for (const client of clients) client.one(...op.ping);
  expect([...server.service.connections()].every((connection) => connection.unsent < 100)).toBe(true);
});

test("a connection that does not open a session is closed after ten seconds; one that talks to us is not", () => {
  const server = new StandaloneServer();
  const [mute, client] = [server.accept(), server.connect()];
  for (let seconds = 0; seconds < 10; seconds++) {
    server.pass(1000);
    client.one(...op.ping);
  }
  expect(mute.closed).toBe(false);
  server.pass(1001);
  expect([mute.closed, client.closed]).toEqual([true, false]);
});

test("a client that vanished is dropped, though its session may live on at another server", () => {
  const server = new StandaloneServer();
  const gone = server.connect(4000);
  gone.one(...op.getData("/", true));
  const touch = (): unknown => server.tracker.touch(gone.sessionId, 4000, server.time.ms);
  for (let seconds = 0; seconds < 9; seconds++) {
    expect(touch()).toBe(true);
    expect(gone.closed).toBe(false);
    server.pass(1000);
  }
  server.pass(1000);
  expect(gone.closed).toBe(true);
  expect(server.service.watches.watchCount).toBe(0);
  expect(touch()).toBe(true);
});
