/**
 * Appends a server's trace to a file: all lines of a turn in one write, before that turn's effects are performed. So a packet
 * never leaves without its line, even if the process is killed right after it: whoever compares the traces of two servers
 * may rely on that. The write ends in the page cache (no fsync); it costs some microseconds a turn.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import type { Reporter } from "../runtime/environment.ts";

export class TraceFile {
  readonly #path: string;
  readonly #report: Reporter;
  #file: number | null;
  #lines = "";

  constructor(path: string, report: Reporter) {
    this.#path = path;
    this.#report = report;
    this.#file = this.#try(() => openSync(path, "a"));
  }

  add(line: string): void {
    if (this.#file !== null) this.#lines += line;
  }

  flush(): void {
    const file = this.#file;
    if (file === null || this.#lines === "") return;
    const bytes = Buffer.from(this.#lines, "utf8");
    this.#lines = "";
    const written = this.#try(() => {
      let done = 0;
      while (done < bytes.length) done += writeSync(file, bytes, done);
      return done;
    });
    // A trace with a hole says nothing: it ends here, and the server goes on.
    if (written === null) this.close();
  }

  close(): void {
    const file = this.#file;
    this.flush();
    this.#file = null;
    if (file !== null) this.#try(() => closeSync(file));
  }

  #try<T>(act: () => T): T | null {
    try {
      return act();
    } catch (error) {
      const message = `no trace is written: ${(error as Error).message}`;
      this.#report({ level: "error", message, data: { file: this.#path } });
      this.#file = null;
      return null;
    }
  }
}
