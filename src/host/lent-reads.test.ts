import { connect, type Socket, type Server as TcpServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { lentServer } from "./lent-reads.ts";

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

interface Pair {
  readonly listener: TcpServer;
  readonly client: Socket;
  readonly server: Socket;
  /** Copies of what `take` was given. */
  readonly chunks: Buffer[];
  readonly lent: Buffer[];
}

/** `strange`: Node's insides are not what `lentServer` knows. */
function pair(strange = false): Promise<Pair> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const lent: Buffer[] = [];
    const listener = lentServer((accept) => {
      const server = accept((chunk) => {
        lent.push(chunk);
        chunks.push(Buffer.from(chunk));
      });
      open.push(server, { destroy: () => listener.close() });
      resolve({ listener, client, server, chunks, lent });
    });
    let client: Socket;
    listener.listen(0, "127.0.0.1", () => {
      if (strange) makeStrange(listener);
      client = connect((listener.address() as { port: number }).port, "127.0.0.1");
      open.push(client);
    });
  });
}

function makeStrange(listener: TcpServer): void {
  const { _handle } = listener as unknown as { _handle: { onconnection(failure: unknown, handle: object): void } };
  const { onconnection } = _handle;
  _handle.onconnection = (failure, handle) => {
    onconnection(failure, Object.assign(handle, { useUserBuffer: undefined }));
  };
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((wake) => setTimeout(wake, 1));
}

function total(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

describe.each([
  ["in shared memory", false],
  ["in Node's usual way", true],
] as const)("read %s,", (_, strange) => {
  test("everything arrives in order, however much it is", async () => {
    const { client, chunks } = await pair(strange);
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 31) >> 3));
    client.write(bytes);
    await until(() => total(chunks) === bytes.length);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  test("the socket answers, knows its peer, and ends when its peer does", async () => {
    const { client, server } = await pair(strange);
    expect(server.remotePort).toBe(client.localPort);
    const heard: Buffer[] = [];
    client.on("data", (chunk: Buffer) => heard.push(chunk));
    server.write("an answer");
    await until(() => total(heard) === 9);
    const closed = new Promise((resolve) => server.once("close", resolve));
    client.end();
    await closed;
  });

  test("a peer that resets the connection is an error, then an end", async () => {
    const { client, server } = await pair(strange);
    const told: string[] = [];
    server.on("error", () => told.push("error"));
    const closed = new Promise((resolve) => server.once("close", resolve));
    client.resetAndDestroy();
    await closed;
    expect(told).toEqual(["error"]);
  });

  test("a paused socket reads nothing until it is resumed", async () => {
    const { client, server, chunks } = await pair(strange);
    server.pause();
    client.write("held back");
    await new Promise((wake) => setTimeout(wake, 30));
    expect(total(chunks)).toBe(0);
    server.resume();
    await until(() => total(chunks) === 9);
  });

  test("its listener closes when it is gone", async () => {
    const { listener, client } = await pair(strange);
    const closed = new Promise((resolve) => listener.close(resolve));
    client.end();
    await closed;
  });
});

test("all reads of all sockets use the same memory", async () => {
  const [one, other] = [await pair(), await pair()];
  for (const { client } of [one, other]) client.write("some words");
  await until(() => total(one.chunks) === 10 && total(other.chunks) === 10);
  expect(one.lent[0]?.buffer).toBe(other.lent[0]?.buffer);
});

test("in Node's usual way each read has memory of its own", async () => {
  const [one, other] = [await pair(true), await pair(true)];
  for (const { client } of [one, other]) client.write("some words");
  await until(() => total(one.chunks) === 10 && total(other.chunks) === 10);
  expect(one.lent[0]?.buffer).not.toBe(other.lent[0]?.buffer);
});
