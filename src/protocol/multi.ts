/**
 * Bodies of multi and multiRead, both ways (MultiOperationRecord, MultiResponse): {MultiHeader, record} repeated, ended
 * by the header (-1, true, -1).
 */
import { type Field, tag } from "./fields.ts";
import { JuteError, type JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";
import { OpCode } from "./opcodes.ts";
import { type RecordOf, record } from "./record.ts";
import {
  CheckVersionRequest,
  Create2Response,
  CreateRequest,
  CreateResponse,
  CreateTTLRequest,
  DeleteRequest,
  ErrorResponse,
  GetChildrenRequest,
  GetChildrenResponse,
  GetDataRequest,
  GetDataResponse,
  SetDataRequest,
  SetDataResponse,
} from "./records.ts";

const ops = [
  record({ type: tag(OpCode.create), ...CreateRequest.fields }),
  record({ type: tag(OpCode.create2), ...CreateRequest.fields }),
  record({ type: tag(OpCode.createContainer), ...CreateRequest.fields }),
  record({ type: tag(OpCode.createTTL), ...CreateTTLRequest.fields }),
  record({ type: tag(OpCode.delete), ...DeleteRequest.fields }),
  record({ type: tag(OpCode.setData), ...SetDataRequest.fields }),
  record({ type: tag(OpCode.check), ...CheckVersionRequest.fields }),
  record({ type: tag(OpCode.getData), ...GetDataRequest.fields }),
  record({ type: tag(OpCode.getChildren), ...GetChildrenRequest.fields }),
] as const;

const results = [
  record({ type: tag(OpCode.create), ...CreateResponse.fields }),
  /** Also what createContainer and createTTL are answered with. */
  record({ type: tag(OpCode.create2), ...Create2Response.fields }),
  record({ type: tag(OpCode.delete) }),
  record({ type: tag(OpCode.setData), ...SetDataResponse.fields }),
  record({ type: tag(OpCode.check) }),
  record({ type: tag(OpCode.getData), ...GetDataResponse.fields }),
  record({ type: tag(OpCode.getChildren), ...GetChildrenResponse.fields }),
  /** The code of the op that failed; in a failed multi also 0 for ops before it and -2 for ops after it. */
  record({ type: tag(OpCode.error), ...ErrorResponse.fields }),
] as const;

/** Java goes by the flags of a create and ignores its type: create2 is a create there, and flags 4 make a container. */
export type MultiOp = RecordOf<(typeof ops)[number]>;
export type MultiResult = RecordOf<(typeof results)[number]>;

/** Record types by op code, without their MultiHeader. */
export const multiOpTypes: ReadonlyMap<number, Field<MultiOp>> = byType<MultiOp>(ops);
export const multiResultTypes: ReadonlyMap<number, Field<MultiResult>> = byType<MultiResult>(results);

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

/** All ops of a multi or multiRead; one of an unknown type is a JuteError UNKNOWN_TYPE. */
export function readMultiRequest(reader: JuteReader): MultiOp[] {
  return readAll(reader, multiOpTypes);
}

export function writeMultiRequest(writer: JuteWriter, ops: readonly MultiOp[]): void {
  for (const op of ops) {
    writeMultiHeader(writer, op.type, -1);
    known(multiOpTypes, op.type).write(writer, op);
  }
  writeMultiEnd(writer);
}

export function readMultiResponse(reader: JuteReader): MultiResult[] {
  return readAll(reader, multiResultTypes);
}

export function writeMultiResponse(writer: JuteWriter, results: readonly MultiResult[]): void {
  for (const result of results) {
    writeMultiHeader(writer, result.type, result.type === OpCode.error ? result.err : 0);
    known(multiResultTypes, result.type).write(writer, result);
  }
  writeMultiEnd(writer);
}

function readAll<T>(reader: JuteReader, types: ReadonlyMap<number, Field<T>>): T[] {
  const values: T[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    // The header's err says nothing that the record does not say.
    reader.int();
    if (done) return values;
    values.push(known(types, type).read(reader));
  }
}

function known<T>(types: ReadonlyMap<number, Field<T>>, type: number): Field<T> {
  const found = types.get(type);
  if (found === undefined) throw new JuteError("UNKNOWN_TYPE", `A part of type ${type} in a multi`, type);
  return found;
}

function byType<T>(types: readonly (Field<T> & { fields: { type: Field<number> } })[]): Map<number, Field<T>> {
  return new Map(types.map((type) => [type.fields.type.value!, type]));
}
