/**
 * Bodies of multi and multiRead, both ways (MultiOperationRecord, MultiResponse): {MultiHeader, record} repeated, ended
 * by the header (-1, true, -1).
 */
import { JuteError, type JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import { OpCode } from "./opcodes.ts";
import {
  CheckVersionRequest,
  Create2Response,
  CreateRequest,
  CreateResponse,
  CreateTTLRequest,
  DeleteRequest,
  GetChildrenRequest,
  GetChildrenResponse,
  GetDataRequest,
  GetDataResponse,
  type RecordOf,
  SetDataRequest,
  SetDataResponse,
} from "./records.ts";

export type MultiOp =
  | ({
      readonly type: typeof OpCode.create | typeof OpCode.create2 | typeof OpCode.createContainer;
    } & RecordOf<typeof CreateRequest>)
  | ({ readonly type: typeof OpCode.createTTL } & RecordOf<typeof CreateTTLRequest>)
  | ({ readonly type: typeof OpCode.delete } & RecordOf<typeof DeleteRequest>)
  | ({ readonly type: typeof OpCode.setData } & RecordOf<typeof SetDataRequest>)
  | ({ readonly type: typeof OpCode.check } & RecordOf<typeof CheckVersionRequest>)
  | ({ readonly type: typeof OpCode.getData | typeof OpCode.getChildren } & RecordOf<typeof GetDataRequest>);

/** createContainer and createTTL are answered as create2. */
export type MultiResult =
  | ({ readonly type: typeof OpCode.create } & RecordOf<typeof CreateResponse>)
  | ({ readonly type: typeof OpCode.create2 } & RecordOf<typeof Create2Response>)
  | { readonly type: typeof OpCode.delete | typeof OpCode.check }
  | ({ readonly type: typeof OpCode.setData } & RecordOf<typeof SetDataResponse>)
  | ({ readonly type: typeof OpCode.getData } & RecordOf<typeof GetDataResponse>)
  | ({ readonly type: typeof OpCode.getChildren } & RecordOf<typeof GetChildrenResponse>)
  /** The code of the op that failed; of a failed multi, 0 for ops before it and -2 for ops after it. */
  | { readonly type: typeof OpCode.error; readonly err: number };

/** Header of one op or result. A request's `err` is -1. */
export function writeMultiHeader(writer: JuteWriter, type: number, err: number): void {
  writer.int(type);
  writer.bool(false);
  writer.int(err);
}

export function writeMultiEnd(writer: JuteWriter): void {
  writer.int(-1);
  writer.bool(true);
  writer.int(-1);
}

/** All ops of a multi or multiRead. An op of an unknown type is a JuteError UNKNOWN_TYPE. */
export function readMultiRequest(reader: JuteReader): MultiOp[] {
  const ops: MultiOp[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return ops;
    ops.push(readOp(reader, type));
  }
}

export function writeMultiRequest(writer: JuteWriter, ops: readonly MultiOp[]): void {
  for (const op of ops) {
    writeMultiHeader(writer, op.type, -1);
    writeOp(writer, op);
  }
  writeMultiEnd(writer);
}

export function readMultiResponse(reader: JuteReader): MultiResult[] {
  const results: MultiResult[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) return results;
    results.push(readResult(reader, type));
  }
}

export function writeMultiResponse(writer: JuteWriter, results: readonly MultiResult[]): void {
  for (const result of results) {
    writeMultiHeader(writer, result.type, result.type === OpCode.error ? result.err : 0);
    writeResult(writer, result);
  }
  writeMultiEnd(writer);
}

function readOp(reader: JuteReader, type: number): MultiOp {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return { type, ...CreateRequest.read(reader) };
    case OpCode.createTTL:
      return { type, ...CreateTTLRequest.read(reader) };
    case OpCode.delete:
      return { type, ...DeleteRequest.read(reader) };
    case OpCode.setData:
      return { type, ...SetDataRequest.read(reader) };
    case OpCode.check:
      return { type, ...CheckVersionRequest.read(reader) };
    case OpCode.getData:
    case OpCode.getChildren:
      return { type, ...GetDataRequest.read(reader) };
    default:
      throw new JuteError("UNKNOWN_TYPE", `An op of type ${type} in a multi`, type);
  }
}

function writeOp(writer: JuteWriter, op: MultiOp): void {
  switch (op.type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return CreateRequest.write(writer, op);
    case OpCode.createTTL:
      return CreateTTLRequest.write(writer, op);
    case OpCode.delete:
      return DeleteRequest.write(writer, op);
    case OpCode.setData:
      return SetDataRequest.write(writer, op);
    case OpCode.check:
      return CheckVersionRequest.write(writer, op);
    case OpCode.getData:
      return GetDataRequest.write(writer, op);
    case OpCode.getChildren:
      return GetChildrenRequest.write(writer, op);
  }
}

function readResult(reader: JuteReader, type: number): MultiResult {
  switch (type) {
    case OpCode.create:
      return { type, ...CreateResponse.read(reader) };
    case OpCode.create2:
      return { type, ...Create2Response.read(reader) };
    case OpCode.delete:
    case OpCode.check:
      return { type };
    case OpCode.setData:
      return { type, ...SetDataResponse.read(reader) };
    case OpCode.getData:
      return { type, ...GetDataResponse.read(reader) };
    case OpCode.getChildren:
      return { type, ...GetChildrenResponse.read(reader) };
    case OpCode.error:
      return { type, err: reader.int() };
    default:
      throw new JuteError("UNKNOWN_TYPE", `A result of type ${type} in a multi`, type);
  }
}

function writeResult(writer: JuteWriter, result: MultiResult): void {
  switch (result.type) {
    case OpCode.create:
      return CreateResponse.write(writer, result);
    case OpCode.create2:
      return Create2Response.write(writer, result);
    case OpCode.delete:
    case OpCode.check:
      return;
    case OpCode.setData:
      return SetDataResponse.write(writer, result);
    case OpCode.getData:
      return GetDataResponse.write(writer, result);
    case OpCode.getChildren:
      return GetChildrenResponse.write(writer, result);
    case OpCode.error:
      return writer.int(result.err);
  }
}
