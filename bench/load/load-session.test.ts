import { createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { Histogram } from "./histogram.ts";
import { LoadSession, type Tally } from "./load-session.ts";
import { mixedRing } from "./requests.ts";

const CONNECT_RESPONSE_BYTES = 37;
const mix = { readPercent: 50, valueBytes: 10, nodes: 10 };

/** Answers every request with `replyBytes` of record, in pieces of `cut` bytes. */
async function responder(cut: number, answer: (xid: number) => { xid: number; err: number; bytes: number }) {
  const server = createServer({ noDelay: true }, (socket) => {
    let rest: Buffer = Buffer.alloc(0);
    let greeted = false;
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      const replies: Buffer[] = [];
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        replies.push(greeted ? replyTo(rest.readInt32BE(4)) : connectResponse());
        greeted = true;
        rest = rest.subarray(4 + rest.readInt32BE(0));
      }
      inPieces(socket, Buffer.concat(replies), cut);
    });
    socket.on("error", () => {});
  });
  const replyTo = (asked: number): Buffer => {
    const { xid, err, bytes } = answer(asked);
    const reply = Buffer.alloc(20 + bytes);
    reply.writeInt32BE(16 + bytes, 0);
    reply.writeInt32BE(xid, 4);
    reply.writeInt32BE(err, 16);
    return reply;
  };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

function connectResponse(): Buffer {
  const response = Buffer.alloc(4 + CONNECT_RESPONSE_BYTES);
  response.writeInt32BE(CONNECT_RESPONSE_BYTES, 0);
  response.writeInt32BE(30_000, 8);
  return response;
}

function inPieces(socket: Socket, bytes: Buffer, cut: number): void {
  // The first answer comes in one piece: see LoadSession.
  if (bytes.length === 4 + CONNECT_RESPONSE_BYTES) return void socket.write(bytes);
  for (let at = 0; at < bytes.length; at += cut) socket.write(bytes.subarray(at, at + cut));
}

function newTally(): Tally {
  return { reads: new Histogram(), writes: new Histogram(), errors: 0, firstError: 0, open: true };
}

test.each([1, 7, 19, 20, 21, 100, 1_000_000])("every reply counts once, in pieces of %i bytes", async (cut) => {
  const port = await responder(cut, (xid) => ({ xid, err: 0, bytes: xid % 3 === 0 ? 0 : 33 }));
  const ring = mixedRing(mix, 1);
  const tally = newTally();
  const session = await LoadSession.open({ port, ring, first: ring.length - 3, outstanding: 5, tally });
  session.start(100);
  await session.idle();
  expect(tally.reads.count + tally.writes.count).toBe(100);
  expect(tally.reads.count).toBe(50);
  expect(tally.errors).toBe(0);
  await session.close();
});

test("errors are counted, a reply out of order ends the run", async () => {
  const port = await responder(100, (xid) => ({ xid: xid === 9 ? 3 : xid, err: xid === 2 ? -101 : 0, bytes: 4 }));
  const tally = newTally();
  const session = await LoadSession.open({ port, ring: mixedRing(mix, 1), first: 0, outstanding: 2, tally });
  const failure = new Promise<Error>((resolve) => session.onFailure(resolve));
  session.start();
  expect((await failure).message).toBe("The reply to request 3 where that to 9 is next");
  expect(tally.errors).toBe(1);
  expect(tally.firstError).toBe(-101);
  await session.close();
});

test("stopping waits for what is under way and sends nothing more", async () => {
  const port = await responder(50, (xid) => ({ xid, err: 0, bytes: 100 }));
  const tally = newTally();
  const session = await LoadSession.open({ port, ring: mixedRing(mix, 1), first: 0, outstanding: 10, tally });
  session.start();
  await session.stop();
  const { count } = tally.reads;
  await new Promise((wake) => setTimeout(wake, 20));
  expect(tally.reads.count).toBe(count);
  await session.close();
});
