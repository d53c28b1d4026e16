/**
 * Requests as bytes, built before the load starts: a session sends stretches of a ring of frames, so that sending costs the
 * load generator next to nothing.
 */

import { type SessionId, ZERO_ZXID } from "../../spec/vocabulary.ts";
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { ConnectRequest, CreateRequest, GetDataRequest, SetDataRequest } from "../../src/protocol/records.ts";

export const ROOT = "/bench";
export const OPEN_ACL = [{ perms: 31, scheme: "world", id: "anyone" }];
const PASSWORD_BYTES = 16;

/** Requests in a ring; more of the small ones, so that reads reach many znodes, and fewer of those that would fill the memory. */
const READS_IN_RING = 4096;
const MIXED_IN_RING = 1024;
const LEAST_IN_RING = 128;
const BYTES_IN_RING = 16 * 2 ** 20;

/** What a load asks for. */
export interface Mix {
  /** 0 to 100; the rest are setData. */
  readonly readPercent: number;
  readonly valueBytes: number;
  /** Znodes that are read and written, `ROOT`/000000 … */
  readonly nodes: number;
}

/** Frames one after the other; frame i goes from `offsets[i]` to `offsets[i + 1]` and has xid i. */
export interface RequestRing {
  readonly bytes: Buffer;
  readonly offsets: Uint32Array;
  readonly length: number;
  /** 1 for a frame that writes. */
  readonly writes: Uint8Array;
}

export function nodePath(index: number): string {
  return `${ROOT}/${String(index).padStart(6, "0")}`;
}

/** Reads and writes in an order that a small generator of pseudo-random numbers draws, always the same for a seed. */
export function mixedRing({ readPercent, valueBytes, nodes }: Mix, seed: number): RequestRing {
  const random = randomNumbers(seed);
  const value = dataOf(valueBytes);
  const length = readPercent === 100 ? Math.max(READS_IN_RING, Math.ceil(nodes / 4)) : writesInRing(valueBytes);
  return ring(length, (writer, xid) => {
    const path = nodePath(random() % nodes);
    // Evenly spread, so that a short run has the right share.
    const reads = Math.floor(((xid + 1) * readPercent) / 100) > Math.floor((xid * readPercent) / 100);
    writer.int(reads ? OpCode.getData : OpCode.setData);
    if (reads) GetDataRequest.write(writer, { path, watch: false });
    else SetDataRequest.write(writer, { path, data: value, version: -1 });
    return !reads;
  });
}

/** Creates `ROOT` and its nodes. */
export function preparingRing({ valueBytes, nodes }: Mix): RequestRing {
  const value = dataOf(valueBytes);
  return ring(nodes + 1, (writer, xid) => {
    const path = xid === 0 ? ROOT : nodePath(xid - 1);
    writer.int(OpCode.create);
    CreateRequest.write(writer, { path, data: value, acl: OPEN_ACL, flags: 0 });
    return true;
  });
}

/** How many requests that carry a value are in a ring. */
export function writesInRing(valueBytes: number): number {
  return Math.max(LEAST_IN_RING, Math.min(MIXED_IN_RING, Math.floor(BYTES_IN_RING / valueBytes)));
}

/** What a client has that comes back for its session. */
export interface SessionTicket {
  readonly sessionId: SessionId;
  readonly passwd: Buffer;
}

const NO_SESSION: SessionTicket = { sessionId: 0n as SessionId, passwd: Buffer.alloc(PASSWORD_BYTES) };

export function connectFrame(timeoutMs: number, { sessionId, passwd } = NO_SESSION): Buffer {
  const writer = new JuteWriter();
  writer.int(0);
  ConnectRequest.write(writer, {
    protocolVersion: 0,
    lastZxidSeen: ZERO_ZXID,
    timeOut: timeoutMs,
    sessionId,
    passwd,
    readOnly: false,
  });
  writer.patchInt(0, writer.offset - 4);
  return writer.take();
}

export function closeFrame(xid: number): Buffer {
  const writer = new JuteWriter();
  for (const int of [8, xid, OpCode.closeSession]) writer.int(int);
  return writer.take();
}

/** `body` writes the request's type and record, and tells whether it is a write. */
export function ring(length: number, body: (writer: JuteWriter, xid: number) => boolean): RequestRing {
  const writer = new JuteWriter();
  const offsets = new Uint32Array(length + 1);
  const writes = new Uint8Array(length);
  for (let xid = 0; xid < length; xid++) {
    const at = writer.offset;
    writer.int(0);
    writer.int(xid);
    if (body(writer, xid)) writes[xid] = 1;
    writer.patchInt(at, writer.offset - at - 4);
    offsets[xid + 1] = writer.offset;
  }
  return { bytes: writer.take(), offsets, length, writes };
}

/** A single request as a frame. */
export function frame(xid: number, type: number, write: (writer: JuteWriter) => void): Buffer {
  const writer = new JuteWriter();
  for (const int of [0, xid, type]) writer.int(int);
  write(writer);
  writer.patchInt(0, writer.offset - 4);
  return writer.take();
}

/** No run of zeros: nobody on the way should get away with less than all of it. */
export function dataOf(bytes: number): Buffer {
  const random = randomNumbers(bytes + 1);
  return Buffer.from(Uint8Array.from({ length: bytes }, random));
}

export function randomNumbers(seed: number): () => number {
  let state = seed * 2 + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 8;
  };
}
