/** What a deterministic core may ask of the world besides its inputs. The host gives real ones, the simulator a seed's. */
export interface Environment {
  /** Milliseconds of a clock that never goes backwards; for timeouts and latencies only. */
  monotonicMs(): number;
  /** Wall clock, ms since 1970; becomes ctime and mtime. */
  wallMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  sha1(bytes: Uint8Array): Uint8Array;
}

/** What the operator should read. `data` is JSON-plain; `code` is stable and greppable (`TORN_RECORD`). */
export interface Report {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}
export type Reporter = (report: Report) => void;
