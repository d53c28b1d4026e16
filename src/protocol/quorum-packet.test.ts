import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ZERO_ZXID } from "../../spec/vocabulary.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import { JuteWriter } from "./jute-writer.ts";
import {
  LEARNER_PROTOCOL_VERSION,
  PacketType,
  packetName,
  type QuorumPacket,
  QuorumPacketDecoder,
  SNAP_SIGNATURE,
  writeQuorumPacket,
} from "./quorum-packet.ts";
import { arbitraryOf, cut, cutsArbitrary, zxidArbitrary } from "./records.arbitrary.ts";
import { IdRecord, LearnerInfo } from "./records.ts";
import { decodeTxn } from "./txn.ts";

const packetArbitrary: fc.Arbitrary<QuorumPacket> = fc.record({
  type: fc.constantFrom(...Object.values(PacketType)),
  zxid: zxidArbitrary,
  data: fc.option(fc.uint8Array({ maxLength: 90 }).map((bytes) => Buffer.from(bytes))),
  authinfo: fc.option(fc.array(arbitraryOf(IdRecord), { maxLength: 3 })),
});

function encode(...packets: readonly QuorumPacket[]): Buffer {
  const writer = new JuteWriter();
  for (const { type, zxid, data, authinfo } of packets) writeQuorumPacket(writer, type, zxid, data, authinfo);
  return writer.take();
}

/** The packets, then the code of the error that ended the stream, if one did. */
function decode(chunks: readonly Buffer[], limit?: number): unknown[] {
  const decoder = new QuorumPacketDecoder(limit);
  const packets: unknown[] = [];
  try {
    for (const chunk of chunks) {
      decoder.push(chunk);
      for (let packet = decoder.next(); packet !== null; packet = decoder.next()) packets.push(packet);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(JuteError);
    expect(() => decoder.next()).toThrow(error as JuteError);
    packets.push((error as JuteError).code);
  }
  return packets;
}

test("packets come out whole however the stream was cut", () => {
  fc.assert(
    fc.property(fc.array(packetArbitrary, { maxLength: 8 }), cutsArbitrary, (packets, sizes) => {
      expect(decode(cut(encode(...packets), sizes))).toEqual(packets);
    }),
  );
});

test("of chunks that are only lent everything comes out all the same", () => {
  fc.assert(
    fc.property(fc.array(packetArbitrary, { maxLength: 8 }), cutsArbitrary, (packets, sizes) => {
      const decoder = new QuorumPacketDecoder();
      const seen: QuorumPacket[] = [];
      for (const chunk of cut(encode(...packets), sizes)) {
        const lent = Buffer.from(chunk);
        decoder.push(lent);
        for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
          seen.push({ ...packet, data: packet.data === null ? null : Buffer.from(packet.data) });
        }
        decoder.keep();
        lent.fill(0xa5);
      }
      expect(seen).toEqual(packets);
    }),
  );
});

test("garbage gives the same packets and the same error however it was cut", () => {
  fc.assert(
    fc.property(packetArbitrary, fc.uint8Array({ maxLength: 120 }), cutsArbitrary, (packet, garbage, sizes) => {
      const bytes = Buffer.concat([encode(packet), garbage]);
      expect(decode(cut(bytes, sizes), 200)).toEqual(decode([bytes], 200));
    }),
  );
});

test("a bare packet has 20 bytes", () => {
  const bytes = encode({ type: PacketType.UPTODATE, zxid: -1 as never, data: null, authinfo: null });
  expect(bytes.toString("hex")).toBe("0000000cffffffffffffffffffffffffffffffff");
});

describe("refusals", () => {
  const head = "000000010000000000000001";
  test.each([
    ["data above the limit", `${head}00000009`, "BAD_LENGTH"],
    ["data of negative length", `${head}fffffffe`, "BAD_LENGTH"],
    ["more ids than anyone has", `${head}ffffffff7fffffff`, "BAD_LENGTH"],
    ["an id above the limit", `${head}ffffffff0000000100000009`, "BAD_LENGTH"],
    ["a zxid beyond the safe integers", "000000017fffffffffffffffffffffff", "OUT_OF_RANGE"],
  ])("%s", (_name, hex, code) => {
    expect(decode([Buffer.from(hex, "hex")], 8)).toEqual([code]);
  });
});

test("packets are called by their names", () => {
  expect([packetName(PacketType.COMMITANDACTIVATE), packetName(77)]).toEqual(["COMMITANDACTIVATE", "UNKNOWN(77)"]);
});

test("LearnerInfo comes in three lengths, by age of the learner", () => {
  const read = (hex: string) => LearnerInfo.read(new JuteReader(Buffer.from(hex, "hex")));
  const [sid, protocol, config] = ["0000000000000003", "00010000", "0000000100000004"];
  expect(read(sid!)).toEqual({ serverid: 3, protocolVersion: null, configVersion: null });
  expect(read(`${sid}${protocol}`)).toEqual({
    serverid: 3,
    protocolVersion: LEARNER_PROTOCOL_VERSION,
    configVersion: null,
  });
  expect(read(`${sid}${protocol}${config}`).configVersion).toBe(0x100000004);
});

describe("what a leader of Apache ZooKeeper 3.8.0 sent to a learner", () => {
  const captured = JSON.parse(readFileSync(new URL("fixtures/ensemble-streams.json", import.meta.url), "utf8"));
  const stream = Buffer.from(captured.leaderToLearner, "hex");

  /** All packets, with the raw SNAP stream taken out where it lies. */
  function follow(chunks: readonly Buffer[]): { packets: QuorumPacket[]; snapshot: Buffer } {
    const decoder = new QuorumPacketDecoder();
    const packets: QuorumPacket[] = [];
    let raw: Buffer | null = null;
    let snapshot: Buffer = Buffer.alloc(0);
    for (const chunk of chunks) {
      if (raw === null) decoder.push(chunk);
      else raw = Buffer.concat([raw, chunk]);
      for (;;) {
        const end = raw === null ? -1 : raw.indexOf(SNAP_SIGNATURE);
        if (raw !== null && end < 0) break;
        if (raw !== null) {
          snapshot = raw.subarray(0, end - 4);
          decoder.push(raw.subarray(end + SNAP_SIGNATURE.length));
          raw = null;
        }
        const packet = decoder.next();
        if (packet === null) break;
        packets.push(packet);
        if (packet.type === PacketType.SNAP) raw = decoder.takeRest();
      }
    }
    return { packets, snapshot };
  }

  const { packets, snapshot } = follow([stream]);

  test("it tells the epoch, sends a snapshot and serves", () => {
    const names = packets.map((packet) => packetName(packet.type)).filter((name) => name !== "PING");
    expect(names.slice(0, 4)).toEqual(["LEADERINFO", "SNAP", "NEWLEADER", "UPTODATE"]);
    expect(packets[0]).toMatchObject({ zxid: 0x100000000, data: Buffer.from("00010000", "hex") });
    expect(snapshot.subarray(-5).toString("hex")).toBe("000000012f");
  });

  test("every packet is written back byte for byte", () => {
    const [leaderInfo, snap, ...rest] = packets;
    const signature = new JuteWriter();
    signature.ustring(SNAP_SIGNATURE);
    const parts = [encode(leaderInfo!, snap!), snapshot, signature.take(), encode(...rest)];
    expect(Buffer.concat(parts).toString("hex")).toBe(stream.toString("hex"));
  });

  test("its proposals are txn entries, failed writes among them", () => {
    const proposals = packets.filter((packet) => packet.type === PacketType.PROPOSAL);
    const txns = proposals.map((packet) => decodeTxn(packet.data!));
    expect(txns.map((txn) => txn.zxid)).toEqual(proposals.map((packet) => packet.zxid));
    expect(txns.map((txn) => txn.type)).toEqual([-10, 1, -1, 2]);
  });

  test("a sync is answered without an id, at zxid 0", () => {
    expect(packets.filter((packet) => packet.type === PacketType.SYNC)).toMatchObject([{ zxid: ZERO_ZXID }]);
  });

  test("the raw stream is left at its last byte, however it was cut", () => {
    fc.assert(
      fc.property(cutsArbitrary, (sizes) => {
        expect(follow(cut(stream, sizes))).toEqual({ packets, snapshot });
      }),
      { numRuns: 30 },
    );
  });
});
