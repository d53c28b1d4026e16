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
  | "union"
  | "tag"
  | "record";

export interface Field<T> {
  readonly kind: FieldKind;
  /** Element type of a vector, or the field that may be missing. */
  readonly of?: Field<unknown>;
  /** The types that a union may be. */
  readonly members?: readonly Field<unknown>[];
  /** The value of a tag. */
  readonly value?: T;
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
    if (values === null) {
      writer.vectorCount(-1);
      return;
    }
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

/** No bytes at all: tells the members of a union apart, whose type stands elsewhere on the wire. */
export function tag<const T>(value: T): Field<T> {
  return { kind: "tag", value, read: () => value, write: () => {} };
}
