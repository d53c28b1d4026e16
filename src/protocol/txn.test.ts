import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import { OpCode } from "./opcodes.ts";
import { txnArbitrary } from "./records.arbitrary.ts";
import { decodeTxn, encodeTxn, makeTxn, peekTxnZxid, type Txn, type TxnBody } from "./txn.ts";

const DIGEST = { version: 2, hi: 0, lo: 0x51c6d660 };

function encode(txn: Txn): Buffer {
  const writer = new JuteWriter();
  encodeTxn(writer, txn);
  return writer.take();
}

function txn(body: TxnBody, digest: Txn["digest"] = DIGEST): Txn {
  return makeTxn(5n as SessionId, 1, 2 as Zxid, 1700000000000, body, digest);
}

describe("encoding", () => {
  test("every txn is read as it was written", () => {
    fc.assert(
      fc.property(txnArbitrary, (value) => {
        expect(decodeTxn(encode(value))).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test("the zxid can be had without decoding", () => {
    fc.assert(fc.property(txnArbitrary, (value) => peekTxnZxid(encode(value)) === value.zxid));
    expect(() => peekTxnZxid(Buffer.alloc(31))).toThrow(JuteError);
  });
});

describe("what other versions wrote", () => {
  const create = {
    type: OpCode.create,
    path: "/a",
    data: Buffer.from("x"),
    acl: [{ perms: 31, scheme: "world", id: "anyone" }],
    ephemeral: true,
    parentCVersion: 7,
  } as const;

  test("a create without parentCVersion leaves it to the parent", () => {
    const bytes = encode(txn(create, null));
    const old = bytes.subarray(0, bytes.length - 4);
    expect(decodeTxn(old)).toEqual(txn({ ...create, parentCVersion: -1 }, null));
  });

  test("only a plain create may lack it", () => {
    const bytes = encode(txn({ ...create, type: OpCode.create2 }, null));
    expect(() => decodeTxn(bytes.subarray(0, bytes.length - 4))).toThrow(JuteError);
  });

  test("closeSession comes with a list, with an empty one, or without", () => {
    for (const paths of [["/a", "/b"], [], null]) {
      for (const digest of [DIGEST, { version: 2, hi: 0xffffffff, lo: 3 }, null]) {
        const closing = txn({ type: OpCode.closeSession, paths }, digest);
        expect(decodeTxn(encode(closing))).toEqual(closing);
      }
    }
  });

  test("bytes after the digest are ignored, and so is half a digest", () => {
    const bytes = encode(txn({ type: OpCode.delete, path: "/a" }));
    expect(decodeTxn(Buffer.concat([bytes, Buffer.from("later")])).digest).toEqual(DIGEST);
    expect(decodeTxn(bytes.subarray(0, bytes.length - 1)).digest).toBe(null);
  });

  test("a top-level check, which 3.8.0 logs but cannot read, is no reason to stop", () => {
    const check = txn({ type: OpCode.check, path: "/a", version: 1 });
    expect(decodeTxn(encode(check))).toEqual(check);
  });
});

describe("refusals", () => {
  test("an unknown type", () => {
    const bytes = encode(txn({ type: OpCode.delete, path: "/a" }));
    bytes.writeInt32BE(55, 28);
    expect(() => decodeTxn(bytes)).toThrowError(expect.objectContaining({ code: "UNKNOWN_TYPE", value: 55 }));
  });

  test("a multi inside a multi", () => {
    const bytes = encode(txn({ type: OpCode.multi, txns: [{ type: OpCode.error, err: 0 }] }));
    bytes.writeInt32BE(OpCode.multi, 36);
    expect(() => decodeTxn(bytes)).toThrowError(expect.objectContaining({ code: "UNKNOWN_TYPE" }));
  });

  test("a part of a multi that is longer than its buffer", () => {
    const bytes = encode(txn({ type: OpCode.multi, txns: [{ type: OpCode.error, err: 0 }] }));
    bytes.writeInt32BE(3, 40);
    expect(() => decodeTxn(bytes)).toThrowError(expect.objectContaining({ code: "TRUNCATED" }));
  });

  test("garbage of any type and length is a JuteError or a txn", () => {
    const type = fc.constantFrom(...Object.values(OpCode));
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 80 }), (type, body) => {
        const bytes = Buffer.concat([Buffer.alloc(32), body]);
        bytes.writeInt32BE(type, 28);
        tryDecode(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  test("every truncation and every flipped byte is a JuteError or a txn", () => {
    fc.assert(
      fc.property(txnArbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const bytes = encode(value);
        for (let end = 0; end < bytes.length; end++) tryDecode(bytes.subarray(0, end));
        bytes[at % bytes.length]! ^= flip;
        tryDecode(bytes);
      }),
      { numRuns: 100 },
    );
  });
});

function tryDecode(bytes: Buffer): void {
  try {
    decodeTxn(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(JuteError);
  }
}

describe("a log written by Apache ZooKeeper 3.8.0", () => {
  const entries = readLog(readFileSync(new URL("fixtures/log.1", import.meta.url)));

  test("every entry is written back byte for byte", () => {
    for (const entry of entries) expect(encode(decodeTxn(entry)).toString("hex")).toBe(entry.toString("hex"));
  });

  test("it holds every kind of txn that a client of one server can cause", () => {
    const types = new Set<number>();
    for (const { body } of entries.map(decodeTxn)) {
      types.add(body.type);
      if (body.type === OpCode.multi) for (const sub of body.txns) types.add(sub.type);
    }
    expect([...types].sort((a, b) => a - b)).toEqual([-11, -10, -1, 1, 2, 5, 7, 13, 14, 15, 19, 21]);
  });

  test("zxids count up from 1, one per txn", () => {
    expect(entries.map(peekTxnZxid)).toEqual(entries.map((_, i) => i + 1));
  });

  test("only errors come without a digest", () => {
    for (const { type, digest } of entries.map(decodeTxn)) {
      expect(digest === null).toBe(type === OpCode.error);
    }
    expect(decodeTxn(entries[0]!).digest).toEqual(DIGEST);
  });

  test("closing a session names its ephemerals", () => {
    const closed = entries.map(decodeTxn).filter((entry) => entry.type === OpCode.closeSession);
    expect(closed.map((entry) => entry.body)).toEqual([
      { type: OpCode.closeSession, paths: expect.arrayContaining(["/e", "/a/e-0000000002"]) },
      { type: OpCode.closeSession, paths: [] },
    ]);
  });
});

/** The entries of a log file: 16 bytes of header, then {long checksum, buffer entry, byte 'B'} up to the first zeros. */
function readLog(file: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  const reader = new JuteReader(file, 16);
  for (;;) {
    reader.long();
    const entry = reader.buffer();
    if (entry === null || entry.length === 0) return entries;
    entries.push(entry);
    expect(reader.byte()).toBe(0x42);
  }
}
