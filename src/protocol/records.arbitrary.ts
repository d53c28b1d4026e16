/** Generators derived from the declarations of records, for tests: whatever has a Field has a generator. */
import fc from "fast-check";
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import type { Field } from "./fields.ts";
import { OpCode } from "./opcodes.ts";
import type { RecordType } from "./record.ts";
import { DIGEST_VERSION, makeTxn, type Txn, type TxnBody, txnTypes } from "./txn.ts";

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
/** ASCII of both sides of the writer's short path, and every other code point that has a UTF-8 form. */
const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ unit: "binary", maxLength: 12 }));

/** Values of a field that survive a round trip. */
export function arbitraryOf<T>(field: Field<T>): fc.Arbitrary<T> {
  return anyOf(field) as fc.Arbitrary<T>;
}

export const zxidArbitrary = fc.maxSafeInteger() as fc.Arbitrary<Zxid>;

/** Txns of every type, multis of every sub-type. */
export const txnArbitrary: fc.Arbitrary<Txn> = fc
  .tuple(
    int64 as fc.Arbitrary<SessionId>,
    int32,
    zxidArbitrary,
    fc.maxSafeInteger(),
    fc.oneof(...[...txnTypes.values()].map(arbitraryOf)).filter(hasPaths),
    fc.option(fc.record({ version: fc.constant(DIGEST_VERSION), hi: uint32, lo: uint32 })),
  )
  .map((parts) => makeTxn(...parts));

/** Two empty paths, which no tree has, would look like a digest. */
function hasPaths(body: TxnBody): boolean {
  return body.type !== OpCode.closeSession || body.paths === null || !body.paths.includes("");
}

/** A way to cut a stream: the sizes of its chunks, used in turn. */
export const cutsArbitrary = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 });

export function cut(stream: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length]!;
    chunks.push(stream.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

function anyOf(field: Field<unknown>): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case "int":
      return int32;
    case "bool":
      return fc.boolean();
    case "long":
    case "clampedLong":
      return fc.maxSafeInteger();
    case "int64":
      return int64;
    case "buffer":
      return fc.option(bytes);
    case "ustring":
      return text;
    case "nullableUstring":
      return fc.option(text);
    case "vector":
      return fc.array(anyOf(field.of!), { maxLength: 4 });
    case "nullableVector":
      return fc.option(fc.array(anyOf(field.of!), { maxLength: 4 }));
    case "union":
      return fc.oneof(...field.members!.map(anyOf));
    case "trailing":
      return fc.option(anyOf(field.of!));
    case "tag":
      return fc.constant(field.value);
    case "record":
      return recordOf((field as RecordType<Readonly<Record<string, Field<unknown>>>>).fields);
  }
}

function recordOf(fields: Readonly<Record<string, Field<unknown>>>): fc.Arbitrary<unknown> {
  const names = Object.keys(fields);
  const values = fc.tuple(...Object.values(fields).map(anyOf));
  return values.map((drawn) => {
    const value: Record<string, unknown> = {};
    let ended = false;
    names.forEach((name, i) => {
      // A peer that leaves out one field leaves out all after it.
      if (fields[name]!.kind === "trailing") ended ||= drawn[i] === null;
      value[name] = ended ? null : drawn[i];
    });
    return value;
  });
}
