import { assert } from "../runtime/assert.ts";
import type { Field, FieldKind, ValueOf } from "./fields.ts";
import type { JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";

type Shape = Readonly<Record<string, Field<unknown>>>;
type RecordValue<S extends Shape> = { readonly [K in keyof S]: ValueOf<S[K]> };

/** A record type: fields in wire order. Itself a field, so records nest. */
export interface RecordType<S extends Shape> extends Field<RecordValue<S>> {
  readonly kind: "record";
  readonly fields: S;
}

/** The value type of a record: `RecordOf<typeof GetDataRequest>`. */
export type RecordOf<R> = ValueOf<R>;

/** Declares a record; `read` and `write` are compiled here, once. */
export function record<S extends Shape>(fields: S): RecordType<S> {
  const names = Object.keys(fields);
  const types = Object.values(fields);
  const read = compile(types, `return (reader) => ({ ${names.map(readField(types)).join(", ")} });`);
  const write = compile(types, `return (writer, value) => { ${names.map(writeField(types)).join(" ")} };`);
  return {
    kind: "record",
    fields,
    read: read as (reader: JuteReader) => RecordValue<S>,
    write: write as (writer: JuteWriter, value: RecordValue<S>) => void,
  };
}

/**
 * Straight code instead of a loop over the fields, because a loop makes every call and every property access take the
 * slow path that fits all records: 130 against 90 ns to read a GetDataRequest, 420 against 170 for its response. The text
 * is made from the declarations in this room only, never from input.
 */
function compile(types: readonly Field<unknown>[], body: string): unknown {
  return new Function(...types.map((_, i) => `field${i}`), body)(...types);
}

/** Kinds that are one call; all others go through their field's own `read` and `write`. */
const CALLS: Partial<Record<FieldKind, string>> = {
  int: "int",
  bool: "bool",
  long: "long",
  int64: "int64",
  buffer: "buffer",
  nullableUstring: "ustring",
};

function readField(types: readonly Field<unknown>[]): (name: string, i: number) => string {
  return (name, i) => {
    assert(/^[a-z]\w*$/i.test(name), "A field's name is an identifier.");
    const { kind, value } = types[i]!;
    if (kind === "tag") return `${name}: ${JSON.stringify(value)}`;
    const call = CALLS[kind];
    return call === undefined ? `${name}: field${i}.read(reader)` : `${name}: reader.${call}()`;
  };
}

function writeField(types: readonly Field<unknown>[]): (name: string, i: number) => string {
  return (name, i) => {
    const call = CALLS[types[i]!.kind];
    return call === undefined ? `field${i}.write(writer, value.${name});` : `writer.${call}(value.${name});`;
  };
}
