import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Field } from "./fields.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import {
  type MultiOp,
  type MultiResult,
  multiOpTypes,
  multiResultTypes,
  readMultiRequest,
  readMultiResponse,
  writeMultiRequest,
  writeMultiResponse,
} from "./multi.ts";
import { OpCode, Xid } from "./opcodes.ts";
import { arbitraryOf } from "./records.arbitrary.ts";
import * as records from "./records.ts";
import { EventType, KeeperState } from "./watch-events.ts";

const multiRequest: Field<readonly MultiOp[]> = {
  kind: "vector",
  of: { kind: "union", members: [...multiOpTypes.values()], read: readMultiRequest, write: () => {} },
  read: readMultiRequest,
  write: writeMultiRequest,
};
const multiResponse: Field<readonly MultiResult[]> = {
  kind: "vector",
  of: { kind: "union", members: [...multiResultTypes.values()], read: readMultiResponse, write: () => {} },
  read: readMultiResponse,
  write: writeMultiResponse,
};

const all = new Map<string, Field<unknown>>([
  ...(Object.entries(records) as [string, Field<unknown>][]),
  ["MultiRequest", multiRequest],
  ["MultiResponse", multiResponse],
]);

function encode(type: Field<unknown>, value: unknown): Buffer {
  const writer = new JuteWriter(16);
  type.write(writer, value);
  return writer.take();
}

describe.each([...all])("%s", (_name, type) => {
  test("is read as it was written", () => {
    fc.assert(
      fc.property(arbitraryOf(type), (value) => {
        const reader = new JuteReader(encode(type, value));
        expect(type.read(reader)).toEqual(value);
        expect(reader.remaining).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test("refuses every truncation with a JuteError", () => {
    fc.assert(
      fc.property(arbitraryOf(type), (value) => {
        const bytes = encode(type, value);
        for (let end = 0; end < bytes.length; end++) readOrRefuse(type, bytes.subarray(0, end));
      }),
      { numRuns: 20 },
    );
  });

  test("refuses garbage with a JuteError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => readOrRefuse(type, Buffer.from(bytes))),
      { numRuns: 100 },
    );
  });
});

function readOrRefuse(type: Field<unknown>, bytes: Buffer): void {
  try {
    type.read(new JuteReader(bytes));
  } catch (error) {
    expect(error).toBeInstanceOf(JuteError);
  }
}

interface Frame {
  readonly from: "client" | "server";
  readonly client: string;
  readonly record: string | null;
  readonly bytes: string;
}
const frames: Frame[] = JSON.parse(readFileSync(new URL("fixtures/client-frames.json", import.meta.url), "utf8"));

/** The record after the header; headers alone are recorded under their own name. */
function bodyOf(frame: Frame): Field<unknown> | null {
  return frame.record === null || frame.record.endsWith("Header") ? null : all.get(frame.record)!;
}

describe("a session with Apache ZooKeeper 3.8.0", () => {
  test("every frame is read to its last byte and written back as it was", () => {
    const seen = new Set<string>();
    for (const frame of frames) {
      const bytes = Buffer.from(frame.bytes, "hex");
      const reader = new JuteReader(bytes);
      const writer = new JuteWriter();
      if (!frame.record?.startsWith("Connect")) {
        const header = (frame.from === "client" ? records.RequestHeader : records.ReplyHeader) as Field<unknown>;
        header.write(writer, header.read(reader));
      }
      const body = bodyOf(frame);
      body?.write(writer, body.read(reader));
      expect(writer.take().toString("hex"), frame.record ?? "error").toBe(frame.bytes);
      expect(reader.remaining).toBe(0);
      seen.add(frame.record ?? "error");
    }
    expect(seen.size).toBe(43);
  });

  test("a client from before read-only mode neither sends nor gets readOnly", () => {
    const [request, response] = frames.filter((frame) => frame.client === "old").map((frame) => frame.bytes);
    expect(request).toHaveLength(2 * 44);
    expect(records.ConnectRequest.read(new JuteReader(Buffer.from(request!, "hex"))).readOnly).toBe(null);
    expect(response).toHaveLength(2 * 36);
  });

  test("watch events come before the reply to the write that caused them", () => {
    const event = frames.findIndex((frame) => frame.record === "WatcherEvent");
    const reader = new JuteReader(Buffer.from(frames[event]!.bytes, "hex"));
    expect(records.ReplyHeader.read(reader)).toEqual({ xid: Xid.notification, zxid: -1, err: 0 });
    expect(records.WatcherEvent.read(reader)).toEqual({
      type: EventType.dataChanged,
      state: KeeperState.syncConnected,
      path: "/a",
    });
    expect(frames[event + 1]!.record).toBe("SetDataResponse");
  });

  test("a failed multi answers with errors only: 0, the code, then -2", () => {
    const replies = frames.filter((frame) => frame.record === "MultiResponse");
    const failed = new JuteReader(Buffer.from(replies[1]!.bytes, "hex"), 16);
    expect(readMultiResponse(failed)).toEqual([
      { type: OpCode.error, err: 0 },
      { type: OpCode.error, err: -103 },
      { type: OpCode.error, err: -2 },
    ]);
  });

  test("a create in a multi is what its flags say, whatever its type", () => {
    // The requests were create2 and createContainer without flags, and create with the container flag.
    const replies = frames.filter((frame) => frame.record === "MultiResponse");
    const answered = readMultiResponse(new JuteReader(Buffer.from(replies[3]!.bytes, "hex"), 16));
    expect(answered.map((result) => result.type)).toEqual([OpCode.create, OpCode.create, OpCode.create2]);
  });
});

test("a multi ends with the header -1, true, -1", () => {
  expect(encode(multiRequest, []).toString("hex")).toBe("ffffffff01ffffffff");
});

test("an op that no multi may hold is refused by its type", () => {
  const bytes = Buffer.from("0000000900ffffffff000000022f61", "hex");
  expect(() => readMultiRequest(new JuteReader(bytes))).toThrowError(
    expect.objectContaining({ code: "UNKNOWN_TYPE", value: 9 }),
  );
});
