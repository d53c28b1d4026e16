/**
 * The world failed: typed, with data, keeping its cause. Such errors become inputs, so that charts decide.
 * (Protocol outcomes are values in replies; our own mistakes are `assert`.)
 *
 * ```ts
 * class LogError extends OperatingError<"TORN_RECORD" | "BAD_CHECKSUM"> {}
 * throw new LogError({ code: "TORN_RECORD", file, offset }, { cause });
 * ```
 */
export class OperatingError<TCode extends string = string> extends Error {
  readonly code: TCode;
  /** JSON-plain facts about the failure, as the report shows them. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(failure: { readonly code: TCode } & Readonly<Record<string, unknown>>, options?: ErrorOptions) {
    const { code, ...data } = failure;
    super(describe(code, data), options);
    this.name = new.target.name;
    this.code = code;
    this.data = data;
  }
}

function describe(code: string, data: Readonly<Record<string, unknown>>): string {
  const facts = Object.entries(data).map(([key, value]) => `${key} ${String(value)}`);
  return facts.length === 0 ? code : `${code}: ${facts.join(", ")}`;
}

/** The one line an operator needs from whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
