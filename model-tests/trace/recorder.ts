/** Records traces of simulated servers: `new World({ …, traced: recorder.traced })`. */
import type { TraceSource } from "./check.ts";

export class TraceRecorder {
  readonly #lines = new Map<number, string[]>();

  readonly traced = (server: number, line: string): void => {
    const lines = this.#lines.get(server);
    if (lines === undefined) this.#lines.set(server, [line]);
    else lines.push(line);
  };

  get lineCount(): number {
    let count = 0;
    for (const lines of this.#lines.values()) count += lines.length;
    return count;
  }

  /** One source per server, as the files of real servers would be. */
  sources(): TraceSource[] {
    return [...this.#lines]
      .sort(([a], [b]) => a - b)
      .map(([server, lines]) => ({ file: `s${server}.trace`, lines: lines.map((line) => line.slice(0, -1)) }));
  }
}
