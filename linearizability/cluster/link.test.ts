import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freePorts } from "../../model-tests/support/ports.ts";
import { Link } from "./link.ts";
import { Random } from "./random.ts";

/** What a server at the far end got, chunk by chunk; it answers every chunk with the same bytes. */
let received: Buffer[] = [];
let taken: Socket[] = [];
let server: Server;
let link: Link;
let clients: Socket[] = [];
let errors: string[] = [];

beforeEach(async () => {
  const [listenPort, targetPort] = (await freePorts(2)) as [number, number];
  received = [];
  taken = [];
  clients = [];
  errors = [];
  server = createServer((socket) => {
    taken.push(socket);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      received.push(chunk);
      socket.write(chunk);
    });
  });
  server.listen({ host: "127.0.0.1", port: targetPort });
  await once(server, "listening");
  link = new Link({ from: 1, to: 2, kind: "quorum", listenPort, targetPort, random: new Random(1) });
  await link.listen();
});

afterEach(async () => {
  for (const socket of [...clients, ...taken]) socket.destroy();
  await link.close();
  server.close();
});

function client(): Socket {
  const socket = connect({ host: "127.0.0.1", port: link.port });
  socket.on("error", (error: NodeJS.ErrnoException) => errors.push(error.code ?? ""));
  clients.push(socket);
  return socket;
}

const text = (): string => Buffer.concat(received).toString();

async function eventually(what: () => boolean): Promise<void> {
  for (let waited = 0; !what(); waited += 5) {
    if (waited > 3000) throw new Error("It did not happen");
    await sleep(5);
  }
}

describe("a link", () => {
  test("passes bytes and the end of a connection both ways", async () => {
    const socket = client();
    let echoed = "";
    socket.on("data", (chunk) => {
      echoed += chunk.toString();
    });
    socket.write("hello");
    await eventually(() => echoed === "hello");
    socket.end();
    await once(socket, "close");
    await eventually(() => link.connections === 0);
  });

  test("holds one direction only, and delivers what it held when it is lifted", async () => {
    const socket = client();
    let echoed = "";
    socket.on("data", (chunk) => {
      echoed += chunk.toString();
    });
    socket.write("a");
    await eventually(() => echoed === "a");
    const lift = link.back.disturb({ hold: true });
    socket.write("b");
    await eventually(() => text() === "ab");
    await sleep(50);
    expect(echoed).toBe("a");
    lift();
    await eventually(() => echoed === "ab");
  });

  test("a held end of a connection arrives after what was sent before it", async () => {
    const socket = client();
    socket.write("a");
    await eventually(() => text() === "a");
    const lift = link.forth.disturb({ hold: true });
    socket.end("b");
    await sleep(50);
    expect(taken[0]?.readableEnded).toBe(false);
    expect(text()).toBe("a");
    lift();
    await eventually(() => taken[0]?.readableEnded === true);
    expect(text()).toBe("ab");
  });

  test("holds new connections back, and forgets those that gave up", async () => {
    const lift = link.back.disturb({ hold: true });
    const patient = client();
    patient.write("patient");
    const hasty = client();
    hasty.write("hasty");
    await eventually(() => link.connections === 2);
    hasty.destroy();
    await eventually(() => link.connections === 1);
    expect(taken).toHaveLength(0);
    lift();
    await eventually(() => text() === "patient");
    expect(taken).toHaveLength(1);
  });

  test("refuses, resets, and leaves connections half open", async () => {
    const lift = link.forth.disturb({ refuse: true });
    client();
    await eventually(() => errors.includes("ECONNRESET"));
    lift();
    const socket = client();
    socket.write("a");
    await eventually(() => text() === "a");
    errors = [];
    link.reset();
    await eventually(() => errors.includes("ECONNRESET"));
    const serve = link.forth.disturb({ halfOpen: true });
    const silent = client();
    silent.write("b");
    await sleep(50);
    expect(text()).toBe("a");
    errors = [];
    serve();
    await eventually(() => errors.includes("ECONNRESET"));
  });

  test("keeps trying for a while when nobody listens, then resets", async () => {
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const socket = client();
    socket.write("early");
    await sleep(100);
    server.listen({ host: "127.0.0.1", port });
    await eventually(() => text() === "early");
    for (const one of taken) one.destroy();
    server.close();
    await once(server, "close");
    errors = [];
    client();
    await eventually(() => errors.includes("ECONNRESET"));
  });

  test("cuts in the middle of what is sent", async () => {
    link.forth.disturb({ cutAfterBytes: () => 7 });
    const socket = client();
    socket.write("0123456789");
    await eventually(() => errors.length > 0);
    expect(text()).toBe("0123456");
  });

  test("delays, and keeps the order whatever the jitter", async () => {
    link.forth.disturb({ delayMs: 60, jitterMs: 40 });
    const socket = client();
    const startedMs = performance.now();
    for (let i = 0; i < 10; i++) {
      socket.write(String(i));
      await sleep(3);
    }
    await eventually(() => text().length === 10);
    expect(text()).toBe("0123456789");
    expect(performance.now() - startedMs).toBeGreaterThan(58);
  });

  test("sends one byte at a time", async () => {
    link.forth.disturb({ sliceBytes: 1 });
    client().write("slowly");
    await eventually(() => text() === "slowly");
    expect(received.length).toBeGreaterThan(2);
  });

  test("several disturbances add up, and each is lifted by itself", () => {
    const slow = link.forth.disturb({ delayMs: 10, bytesPerSecond: 1000 });
    const slower = link.forth.disturb({ delayMs: 5, bytesPerSecond: 100 });
    expect(link.forth).toMatchObject({ delayMs: 15, bytesPerSecond: 100, clear: false });
    slower();
    slower();
    expect(link.forth).toMatchObject({ delayMs: 10, bytesPerSecond: 1000 });
    slow();
    expect(link.forth).toMatchObject({ delayMs: 0, bytesPerSecond: 0, clear: true });
  });
});
