/** Changes recorded traces as a bug (or a liar) would have: lines are moved, removed, added and changed by what they say. */
import type { TraceSource } from "./check.ts";
import type { TraceLine } from "./format.ts";

type Is = (line: TraceLine) => boolean;

/** A server's trace, to be tampered with. Lines are numbered anew, so that only their meaning gives the change away. */
export class Tampered {
  readonly file: string;
  readonly lines: TraceLine[];

  constructor({ file, lines }: TraceSource) {
    this.file = file;
    this.lines = [...lines].map((line) => JSON.parse(line) as TraceLine);
  }

  /** Index of the first such line at or after `from`. */
  find(is: Is, from = 0): number {
    const at = this.lines.findIndex((line, index) => index >= from && is(line));
    if (at < 0) throw new Error(`${this.file} has no such line: ${is}`);
    return at;
  }

  last(is: Is): number {
    const at = this.lines.findLastIndex(is);
    if (at < 0) throw new Error(`${this.file} has no such line: ${is}`);
    return at;
  }

  remove(at: number): void {
    this.lines.splice(at, 1);
  }

  removeAll(is: Is): void {
    this.lines.splice(0, this.lines.length, ...this.lines.filter((line) => !is(line)));
  }

  insert(at: number, ...rest: readonly unknown[]): void {
    this.lines.splice(at, 0, [0, ...rest] as unknown as TraceLine);
  }

  /** So that it comes right before what is at `to` now. */
  move(from: number, to: number): void {
    const [line] = this.lines.splice(from, 1) as [TraceLine];
    this.lines.splice(to > from ? to - 1 : to, 0, line);
  }

  change(at: number, index: number, value: unknown): void {
    const line = [...(this.lines[at] as readonly unknown[])];
    line[index] = value;
    this.lines[at] = line as unknown as TraceLine;
  }

  source(): TraceSource {
    let n = 0;
    const numbered = this.lines.map((line) => {
      n = line[1] === "server" ? 1 : n + 1;
      return JSON.stringify([n, ...line.slice(1)]);
    });
    return { file: this.file, lines: numbered };
  }
}

export const packet =
  (kind: "in" | "out", name: string, zxid?: number): Is =>
  (line) =>
    line[1] === kind && line[3] === name && (zxid === undefined || line[4] === zxid);

export const step =
  (chart: string, event: string): Is =>
  (line) =>
    line[1] === "step" && line[2] === chart && line[4].type === event;

export const disk =
  (fact: string, detail?: unknown): Is =>
  (line) =>
    line[1] === "disk" && line[2] === fact && (detail === undefined || line[3] === detail);

export const txn =
  (kind: "log" | "apply", zxid?: number): Is =>
  (line) =>
    line[1] === kind && (zxid === undefined || line[2] === zxid);
