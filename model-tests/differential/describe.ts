/**
 * What a frame says, without what must differ between two servers: session ids, passwords, clocks. Everything else is kept to
 * the last byte: bytes that a record leaves over are shown in hex.
 */
import { JuteError, JuteReader } from "../../src/protocol/jute-reader.ts";
import { OpCode, Xid } from "../../src/protocol/opcodes.ts";
import { AclRecord, ClientInfo, Stat } from "../../src/protocol/records.ts";

const NO_REPLY_BODY = 0;

export interface Described {
  readonly xid: number;
  readonly zxid: string;
  readonly err: number;
  readonly record: unknown;
  readonly rest: string;
}

/** `op`: what the frame answers; undefined for an event. `base`: zxids are told relative to it. */
export function describeReply(frame: Buffer, op: number | undefined, sessionId: bigint, base: number): Described {
  const reader = new JuteReader(frame);
  const xid = reader.int();
  const zxid = reader.long();
  const err = reader.int();
  let record: unknown = "none";
  if (xid === Xid.notification) record = { type: reader.int(), state: reader.int(), path: reader.ustring() };
  else if (err === NO_REPLY_BODY && op !== undefined) record = describeRecord(reader, op, sessionId, base);
  return {
    xid,
    zxid: describeZxid(xid === Xid.notification ? -1 : zxid, base),
    err,
    record,
    rest: reader.rest().toString("hex"),
  };
}

export function describeConnectResponse(frame: Buffer): unknown {
  const reader = new JuteReader(frame);
  return {
    length: frame.length,
    protocolVersion: reader.int(),
    timeOut: reader.int(),
    session: reader.int64() === 0n ? "none" : "some",
    passwd: (reader.buffer() ?? Buffer.alloc(0)).every((byte) => byte === 0) ? "zeros" : "some",
    rest: reader.rest().toString("hex"),
  };
}

/** The id in a ConnectResponse. */
export function sessionIn(frame: Buffer): bigint {
  return new JuteReader(frame, 8).int64();
}

export function zxidIn(frame: Buffer): number {
  return new JuteReader(frame, 4).long();
}

function describeZxid(zxid: number, base: number): string {
  return zxid <= 0 ? String(zxid) : `base + ${zxid - base}`;
}

function describeRecord(reader: JuteReader, op: number, sessionId: bigint, base: number): unknown {
  const stat = () => describeStat(reader, sessionId, base);
  switch (op) {
    case OpCode.create:
    case OpCode.sync:
      return { path: reader.ustring() };
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return { path: reader.ustring(), stat: stat() };
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setACL:
      return { stat: stat() };
    case OpCode.getData:
      return { data: reader.buffer()?.toString("hex") ?? null, stat: stat() };
    case OpCode.getChildren:
      return { children: strings(reader) };
    case OpCode.getChildren2:
      return { children: strings(reader), stat: stat() };
    case OpCode.getEphemerals:
      return { paths: strings(reader) };
    case OpCode.getACL:
      return { acl: list(reader, () => AclRecord.read(reader)), stat: stat() };
    case OpCode.whoAmI:
      return list(reader, () => ClientInfo.read(reader))
        .map((info) => JSON.stringify(info))
        .sort();
    case OpCode.multi:
    case OpCode.multiRead:
      return describeResults(reader, sessionId, base);
    default:
      return "none";
  }
}

function describeResults(reader: JuteReader, sessionId: bigint, base: number): unknown[] {
  const results: unknown[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    const err = reader.int();
    if (done) return [...results, { type, done, err }];
    const record = type === OpCode.error ? { err: reader.int() } : describeRecord(reader, type, sessionId, base);
    results.push({ type, err, record });
  }
}

function describeStat(reader: JuteReader, sessionId: bigint, base: number): unknown {
  const { ctime, mtime, ephemeralOwner, ...stat } = Stat.read(reader);
  return {
    ...stat,
    czxid: describeZxid(stat.czxid, base),
    mzxid: describeZxid(stat.mzxid, base),
    pzxid: describeZxid(stat.pzxid, base),
    // Two txns may fall into one millisecond.
    times: ctime === 0 && mtime === 0 ? "zero" : mtime >= ctime ? "set" : "backwards",
    ephemeralOwner: ephemeralOwner === 0n ? "none" : ephemeralOwner === sessionId ? "own" : "another's",
  };
}

/** In no particular order, so sorted. */
function strings(reader: JuteReader): (string | null)[] {
  return list(reader, () => reader.ustring()).sort();
}

function list<T>(reader: JuteReader, read: () => T): T[] {
  const count = reader.vectorCount();
  if (count < 0) throw new JuteError("BAD_LENGTH", "A null vector in a reply", count);
  return Array.from({ length: count }, read);
}
