/**
 * Building blocks of records: one object per Jute type that reads, writes and carries its TypeScript type. Records are
 * data made of these, and tests derive their generators from the same data.
 */
import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import type { JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";

export type FieldKind =
  | "int"
  | "bool"
  | "long"
  | "clampedLong"
  | "int64"
  | "buffer"
  | "ustring"
  | "nullableUstring"
  | "vector"
  | "nullableVector"
  | "trailing"
  | "record";

export interface Field<T> {
  readonly kind: FieldKind;
  /** Element type of a vector, or the field that may be missing. */
  readonly of?: Field<unknown>;
  read(reader: JuteReader): T;
  write(writer: JuteWriter, value: T): void;
}

/** The TypeScript value of a field or record. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

export const int: Field<number> = {
  kind: "int",
  read: (reader) => reader.int(),
  write: (writer, value) => writer.int(value),
};

export const bool: Field<boolean> = {
  kind: "bool",
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
};

export const long: Field<number> = {
  kind: "long",
  read: (reader) => reader.long(),
  write: (writer, value) => writer.long(value),
};

/** A client's number that is checked against a small bound later: out of range must reach that check, not fail here. */
export const clampedLong: Field<number> = {
  kind: "clampedLong",
  read: (reader) => reader.clampedLong(),
  write: (writer, value) => writer.long(value),
};

export const zxid: Field<Zxid> = {
  kind: "long",
  read: (reader) => reader.long() as Zxid,
  write: (writer, value) => writer.long(value),
};

/** Session ids are signed everywhere: the same 64 bits must be the same key of a Map. */
export const sessionId: Field<SessionId> = {
  kind: "int64",
  read: (reader) => reader.int64() as SessionId,
  write: (writer, value) => writer.int64(value),
};

/** Null and empty differ: a node's data may be either. */
export const buffer: Field<Buffer | null> = {
  kind: "buffer",
  read: (reader) => reader.buffer(),
  write: (writer, value) => writer.buffer(value),
};

/** Text where null means nothing of its own: read as "". */
export const ustring: Field<string> = {
  kind: "ustring",
  read: (reader) => reader.ustring() ?? "",
  write: (writer, value) => writer.ustring(value),
};

export const nullableUstring: Field<string | null> = {
  kind: "nullableUstring",
  read: (reader) => reader.ustring(),
  write: (writer, value) => writer.ustring(value),
};

class NullableVector<T> implements Field<readonly T[] | null> {
  readonly kind = "nullableVector";
  readonly of: Field<T>;

  constructor(of: Field<T>) {
    this.of = of;
  }

  read(reader: JuteReader): T[] | null {
    const count = reader.vectorCount();
    if (count < 0) return null;
    const values: T[] = [];
    for (let i = 0; i < count; i++) values.push(this.of.read(reader));
    return values;
  }

  write(writer: JuteWriter, values: readonly T[] | null): void {
    if (values === null) return writer.vectorCount(-1);
    writer.vectorCount(values.length);
    for (let i = 0; i < values.length; i++) this.of.write(writer, values[i]!);
  }
}

class Vector<T> implements Field<readonly T[]> {
  readonly kind = "vector";
  readonly of: Field<T>;

  constructor(of: Field<T>) {
    this.of = of;
  }

  read(reader: JuteReader): T[] {
    const values: T[] = [];
    const count = reader.vectorCount();
    for (let i = 0; i < count; i++) values.push(this.of.read(reader));
    return values;
  }

  write(writer: JuteWriter, values: readonly T[]): void {
    writer.vectorCount(values.length);
    for (let i = 0; i < values.length; i++) this.of.write(writer, values[i]!);
  }
}

class Trailing<T> implements Field<T | null> {
  readonly kind = "trailing";
  readonly of: Field<T>;

  constructor(of: Field<T>) {
    this.of = of;
  }

  read(reader: JuteReader): T | null {
    return reader.remaining === 0 ? null : this.of.read(reader);
  }

  write(writer: JuteWriter, value: T | null): void {
    if (value !== null) this.of.write(writer, value);
  }
}

/** A list where null means nothing of its own: read as empty. */
export function vector<T>(of: Field<T>): Field<readonly T[]> {
  return new Vector(of);
}

export function nullableVector<T>(of: Field<T>): Field<readonly T[] | null> {
  return new NullableVector(of);
}

/** A last field that older peers do not send; null when the message ends before it. */
export function trailing<T>(of: Field<T>): Field<T | null> {
  return new Trailing(of);
}

type Shape = Readonly<Record<string, Field<unknown>>>;
type RecordValue<S extends Shape> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** A record type: fields in wire order. Itself a field, so records nest. */
export class RecordType<S extends Shape> implements Field<RecordValue<S>> {
  readonly kind = "record";
  readonly fields: S;
  readonly #names: readonly string[];
  readonly #types: readonly Field<unknown>[];

  constructor(fields: S) {
    this.fields = fields;
    this.#names = Object.keys(fields);
    this.#types = Object.values(fields);
  }

  read(reader: JuteReader): RecordValue<S> {
    const value: Record<string, unknown> = {};
    for (let i = 0; i < this.#names.length; i++) value[this.#names[i]!] = this.#types[i]!.read(reader);
    return value as RecordValue<S>;
  }

  write(writer: JuteWriter, value: RecordValue<S>): void {
    for (let i = 0; i < this.#names.length; i++) this.#types[i]!.write(writer, value[this.#names[i]!]);
  }
}

export function record<S extends Shape>(fields: S): RecordType<S> {
  return new RecordType(fields);
}

/** The value type of a record: `RecordOf<typeof GetDataRequest>`. */
export type RecordOf<R> = ValueOf<R>;
