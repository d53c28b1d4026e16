import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Epoch, PeerState, ServerId } from "../../spec/vocabulary.ts";
import { NO_ZXID } from "../../spec/vocabulary.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import {
  ElectionDecoder,
  type InitialMessage,
  NO_LEADER,
  NOTIFICATION_VERSION,
  type Notification,
  readNotification,
  writeInitialMessage,
  writeNotification,
} from "./notification.ts";
import { cut, cutsArbitrary, zxidArbitrary } from "./records.arbitrary.ts";

const sid = fc.integer({ min: 0, max: 254 }) as fc.Arbitrary<ServerId>;
const notificationArbitrary: fc.Arbitrary<Notification> = fc
  .record({
    state: fc.constantFrom<PeerState>("LOOKING", "FOLLOWING", "LEADING", "OBSERVING"),
    vote: fc.record({
      leader: sid,
      zxid: zxidArbitrary,
      electionEpoch: fc.nat(),
      peerEpoch: fc.nat() as fc.Arbitrary<Epoch>,
    }),
    // 1 is not told from 0: a message of 40 bytes is read as the older kind.
    version: fc.constantFrom(0, 2, 3),
    config: fc.string(),
  })
  .map((notification) => (notification.version > 1 ? notification : { ...notification, config: null }));
const initialArbitrary: fc.Arbitrary<InitialMessage> = fc.record({
  sid,
  addresses: fc.array(
    fc.nat(65535).map((port) => `[::1]:${port}`),
    { minLength: 1, maxLength: 3 },
  ),
});

function encode(initial: InitialMessage | null, notifications: readonly Notification[]): Buffer {
  const writer = new JuteWriter();
  if (initial !== null) writeInitialMessage(writer, initial);
  for (const notification of notifications) writeNotification(writer, notification);
  return writer.take();
}

/** The messages, then the code of the error that ended the stream, if one did. */
function decode(side: "acceptor" | "initiator", chunks: readonly Buffer[]): unknown[] {
  const decoder = new ElectionDecoder(side);
  const messages: unknown[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let message = decoder.next(); message !== null; message = decoder.next()) messages.push(message);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(JuteError);
    expect(() => decoder.next()).toThrow(error as JuteError);
    messages.push((error as JuteError).code);
  }
  return messages;
}

describe("the stream", () => {
  test("an acceptor hears an introduction, then notifications, however they were cut", () => {
    fc.assert(
      fc.property(initialArbitrary, fc.array(notificationArbitrary), cutsArbitrary, (initial, notifications, sizes) => {
        expect(decode("acceptor", cut(encode(initial, notifications), sizes))).toEqual([
          { type: "INITIAL_MESSAGE", initial },
          ...notifications.map((notification) => ({ type: "NOTIFICATION", notification })),
        ]);
      }),
    );
  });

  test("an initiator hears notifications only", () => {
    fc.assert(
      fc.property(fc.array(notificationArbitrary), cutsArbitrary, (notifications, sizes) => {
        expect(decode("initiator", cut(encode(null, notifications), sizes))).toEqual(
          notifications.map((notification) => ({ type: "NOTIFICATION", notification })),
        );
      }),
    );
  });

  test("garbage gives the same messages and the same error however it was cut", () => {
    fc.assert(
      fc.property(initialArbitrary, fc.uint8Array({ maxLength: 120 }), cutsArbitrary, (initial, garbage, sizes) => {
        const bytes = Buffer.concat([encode(initial, []), garbage]);
        expect(decode("acceptor", cut(bytes, sizes))).toEqual(decode("acceptor", [bytes]));
        expect(decode("initiator", cut(bytes, sizes))).toEqual(decode("initiator", [bytes]));
      }),
    );
  });

  test("a frame that means nothing is skipped, the next one is heard", () => {
    const good = encode(null, [{ state: "LOOKING", vote: vote(1), version: 0, config: null }]);
    const bad = Buffer.concat([Buffer.from([0, 0, 0, 3]), Buffer.from("abc")]);
    expect(decode("initiator", [bad, good])).toMatchObject([{ type: "MALFORMED" }, { type: "NOTIFICATION" }]);
  });

  test.each([
    ["a frame of length 0", "initiator", "00000000", "BAD_LENGTH"],
    ["a frame above 512 KiB", "initiator", "00080001", "BAD_LENGTH"],
    ["an address above 2048 bytes", "acceptor", "ffffffffffff0000000000000000000100000801", "BAD_LENGTH"],
    ["no address", "acceptor", "ffffffffffff0000000000000000000100000000", "BAD_LENGTH"],
    ["an unknown version", "acceptor", "fffffffffffe0000", "UNKNOWN_TYPE"],
  ] as const)("%s ends it", (_name, side, hex, code) => {
    expect(decode(side, [Buffer.from(hex, "hex")])).toEqual([code]);
  });
});

describe("the initial message", () => {
  const one = { sid: 1 as ServerId, addresses: ["127.0.0.1:26001"] };

  test("has golden bytes", () => {
    expect(encode(one, []).toString("hex")).toBe(
      `ffffffffffff000000000000000000010000000f${Buffer.from("127.0.0.1:26001").toString("hex")}`,
    );
  });

  test("is of version 2 for several addresses", () => {
    const bytes = encode({ ...one, addresses: ["a:1", "b:2"] }, []);
    expect(bytes.toString("hex")).toBe(
      `ffffffffffff0001000000000000000100000007${Buffer.from("a:1|b:2").toString("hex")}`,
    );
  });

  test("of an ancient peer is its sid alone", () => {
    expect(decode("acceptor", [Buffer.from("0000000000000007", "hex")])).toEqual([
      { type: "INITIAL_MESSAGE", initial: { sid: 7, addresses: [] } },
    ]);
  });
});

function vote(leader: number): Notification["vote"] {
  return { leader: leader as ServerId, zxid: NO_ZXID, electionEpoch: 1, peerEpoch: 5 as Epoch };
}

describe("the length of a notification tells its age", () => {
  const notification: Notification = {
    state: "FOLLOWING",
    vote: { ...vote(2), zxid: 0x300000001 as never },
    version: NOTIFICATION_VERSION,
    config: "version=0",
  };
  const whole = encode(null, [notification]).subarray(4);
  const read = (length: number) => readNotification(new JuteReader(whole.subarray(0, length)));

  test("28 bytes: peerEpoch is the zxid's", () => {
    expect(read(28)).toEqual({
      ...notification,
      vote: { ...notification.vote, peerEpoch: 3 },
      version: 0,
      config: null,
    });
  });

  test("40 bytes: peerEpoch is there, the version is not", () => {
    expect(read(40)).toEqual({ ...notification, version: 0, config: null });
  });

  test("all bytes: with config", () => {
    expect(read(whole.length)).toEqual(notification);
  });

  test("41 to 43 bytes are enough for version 1", () => {
    const old = Buffer.from(whole.subarray(0, 42));
    old.writeInt32BE(1, 36);
    expect(readNotification(new JuteReader(old))).toEqual({ ...notification, version: 1, config: null });
  });

  test("any other length is refused", () => {
    const others = Array.from({ length: whole.length }, (_, length) => length).filter((n) => n !== 28 && n !== 40);
    for (const length of others) expect(() => read(length)).toThrow(JuteError);
  });

  test("an unknown state is refused", () => {
    const bytes = Buffer.from(whole);
    bytes.writeInt32BE(4, 0);
    expect(() => readNotification(new JuteReader(bytes))).toThrowError(
      expect.objectContaining({ code: "UNKNOWN_TYPE", value: 4 }),
    );
  });
});

test("an observer's vote for nobody is Long.MIN_VALUE on the wire and survives", () => {
  const nobody: Notification = {
    state: "LOOKING",
    vote: { leader: NO_LEADER, zxid: NO_ZXID, electionEpoch: 3, peerEpoch: -1 as Epoch },
    version: NOTIFICATION_VERSION,
    config: "",
  };
  const bytes = encode(null, [nobody]);
  const min = "8000000000000000";
  expect(bytes.subarray(8, 40).toString("hex")).toBe(`${min}${min}0000000000000003${min}`);
  expect(decode("initiator", [bytes])).toEqual([{ type: "NOTIFICATION", notification: nobody }]);
});

describe("what servers of Apache ZooKeeper 3.8.0 sent", () => {
  const captured = JSON.parse(readFileSync(new URL("fixtures/ensemble-streams.json", import.meta.url), "utf8"));

  test("the initial message of server 1", () => {
    const bytes = Buffer.from(captured.initialMessage, "hex");
    const message = decode("acceptor", [bytes]);
    expect(message).toEqual([
      { type: "INITIAL_MESSAGE", initial: { sid: 1, addresses: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)] } },
    ]);
    expect(encode((message[0] as { initial: InitialMessage }).initial, []).equals(bytes)).toBe(true);
  });

  test.each(["notificationsFrom1", "notificationsFrom2"])("%s, written back byte for byte", (name) => {
    const bytes = Buffer.from(captured[name], "hex");
    const messages = decode("initiator", [bytes]) as { type: string; notification: Notification }[];
    expect(messages.map((message) => message.type)).toEqual(["NOTIFICATION", "NOTIFICATION"]);
    expect(
      encode(
        null,
        messages.map((message) => message.notification),
      ).toString("hex"),
    ).toBe(captured[name]);
    // The last one answers a server that joined: the vote is settled.
    expect(messages[1]!.notification).toMatchObject({
      state: name.endsWith("2") ? "LEADING" : "FOLLOWING",
      vote: { leader: 2 },
      version: 2,
      config: expect.stringContaining("\nversion=0"),
    });
  });
});
