import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrameDecoder } from "./frame-decoder.ts";
import { JuteError } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import { cut, cutsArbitrary } from "./records.arbitrary.ts";

function stream(...frames: readonly Uint8Array[]): Buffer {
  const writer = new JuteWriter();
  for (const frame of frames) writer.buffer(Buffer.from(frame));
  return writer.take();
}

/** Frames as hex, "refused N" where the stream ended in an error. */
function decode(decoder: FrameDecoder, chunks: readonly Buffer[]): string[] {
  const frames: string[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      while (decoder.next()) frames.push(decoder.bytes.toString("hex", decoder.start, decoder.end));
    }
  } catch (error) {
    expect(error).toBeInstanceOf(JuteError);
    frames.push(`refused ${(error as JuteError).value}`);
  }
  return frames;
}

test("frames come out whole however the stream was cut", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 12 }), cutsArbitrary, (frames, sizes) => {
      expect(decode(new FrameDecoder(), cut(stream(...frames), sizes))).toEqual(
        frames.map((frame) => Buffer.from(frame).toString("hex")),
      );
    }),
  );
});

test("garbage is refused at the same place however it was cut", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), cutsArbitrary, (garbage, sizes) => {
      const bytes = Buffer.concat([stream(Buffer.from("good")), garbage]);
      expect(decode(new FrameDecoder(64), cut(bytes, sizes))).toEqual(decode(new FrameDecoder(64), [bytes]));
    }),
  );
});

test("chunks that were all pushed before the first frame is asked for come out the same", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), cutsArbitrary, (frames, sizes) => {
      const decoder = new FrameDecoder();
      for (const chunk of cut(stream(...frames), sizes)) decoder.push(chunk);
      expect(decode(decoder, [Buffer.alloc(0)])).toEqual(frames.map((frame) => Buffer.from(frame).toString("hex")));
      expect(decoder.pending).toBe(0);
    }),
  );
});

test("a frame inside one chunk is not copied", () => {
  const chunk = stream(Buffer.from("one"), Buffer.from("two"));
  const decoder = new FrameDecoder();
  decoder.push(chunk);
  expect([decoder.next(), decoder.bytes === chunk, decoder.start, decoder.end]).toEqual([true, true, 4, 7]);
  expect([decoder.next(), decoder.bytes === chunk, decoder.start, decoder.end]).toEqual([true, true, 11, 14]);
  expect(decoder.next()).toBe(false);
});

test("a frame that begins where a chunk begins is not copied, even after one that was", () => {
  const bytes = stream(Buffer.from("one"), Buffer.from("two"));
  const decoder = new FrameDecoder();
  const second = bytes.subarray(7);
  decoder.push(bytes.subarray(0, 5));
  decoder.push(bytes.subarray(5, 7));
  decoder.push(second);
  expect([decoder.next(), decoder.next(), decoder.bytes === second]).toEqual([true, true, true]);
});

test("of chunks that are only lent everything comes out all the same", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), cutsArbitrary, (frames, sizes) => {
      const decoder = new FrameDecoder();
      const seen: string[] = [];
      for (const chunk of cut(stream(...frames.map((frame) => Buffer.from(frame))), sizes)) {
        const lent = Buffer.from(chunk);
        decoder.push(lent);
        // Now and then one is left for later.
        while (lent.length % 3 !== 0 && decoder.next())
          seen.push(decoder.bytes.toString("hex", decoder.start, decoder.end));
        decoder.keep();
        lent.fill(0xa5);
      }
      while (decoder.next()) seen.push(decoder.bytes.toString("hex", decoder.start, decoder.end));
      expect(seen).toEqual(frames.map((frame) => Buffer.from(frame).toString("hex")));
    }),
  );
});

describe("lengths", () => {
  test("the limit itself is accepted, one more is not", () => {
    expect(decode(new FrameDecoder(3), [stream(Buffer.from("abc"))])).toEqual(["616263"]);
    expect(decode(new FrameDecoder(3), [stream(Buffer.from("abcd"))])).toEqual(["refused 4"]);
  });

  test("a negative length is refused", () => {
    expect(decode(new FrameDecoder(), [Buffer.from("ffffffff", "hex")])).toEqual(["refused -1"]);
  });

  test("a four-letter word is a refused length, and what follows it can be had", () => {
    const decoder = new FrameDecoder();
    decoder.push(Buffer.from("stmk\0\0"));
    expect(() => decoder.next()).toThrowError(
      expect.objectContaining({ code: "BAD_LENGTH", value: Buffer.from("stmk").readInt32BE() }),
    );
    expect(() => decoder.next()).toThrow(JuteError);
    decoder.push(Buffer.from("\0\x01"));
    expect([...decoder.takeRest()]).toEqual([0, 0, 0, 1]);
  });
});

test("what lies behind the last frame can be looked at without being taken", () => {
  const bytes = stream(Buffer.from("one"), Buffer.from("two"), Buffer.from("three"));
  const decoder = new FrameDecoder();
  decoder.push(bytes.subarray(0, 12));
  decoder.peek();
  expect(decoder.bytes.subarray(decoder.start, decoder.end)).toEqual(bytes.subarray(0, 12));
  expect(decoder.next()).toBe(true);
  decoder.peek();
  expect(decoder.bytes.subarray(decoder.start, decoder.end)).toEqual(bytes.subarray(7, 12));
  // Now the length of the second is taken.
  expect(decoder.next()).toBe(false);
  decoder.peek();
  expect(decoder.start).toBe(decoder.end);
  decoder.push(bytes.subarray(12));
  expect([decoder.next(), decoder.next(), decoder.next()]).toEqual([true, true, false]);
});
