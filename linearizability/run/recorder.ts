/**
 * Writes the history of a run (histories/format.ts). Lines leave in the order in which things were observed; a completion whose
 * result is not at hand yet keeps its place for it.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import {
  type Fault,
  HISTORY_FORMAT,
  HISTORY_VERSION,
  type Line,
  type Phase,
  type ServerLine,
} from "../histories/format.ts";
import { Tally } from "./tally.ts";

/** A place in the history that is filled later, in the same turn of the event loop. */
interface Slot {
  text: string | null;
}

const FLUSH_MS = 100;

/** What has been written so far, for the progress line and the floors. */
export interface Counts {
  invoked: number;
  ok: number;
  fail: number;
  info: number;
  events: number;
  expired: number;
}

export class Recorder {
  readonly tally = new Tally();
  readonly counts: Counts = { invoked: 0, ok: 0, fail: 0, info: 0, events: 0, expired: 0 };
  readonly #file: WriteStream;
  readonly #startedMs: number;
  readonly #timer: NodeJS.Timeout;
  #slots: Slot[] = [];
  #lines = 0;
  #nextId = 1;
  #nextProc = 1;
  #nextFault = 1;
  #failure: Error | null = null;

  constructor(file: string) {
    this.#file = createWriteStream(file, { flags: "wx" });
    this.#file.on("error", (error) => {
      this.#failure = error;
    });
    this.#startedMs = performance.now();
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    this.write({ kind: "header", format: HISTORY_FORMAT, version: HISTORY_VERSION, startedAt: Date.now() });
  }

  /** µs since the start, of the one clock that all lines share. */
  now(): number {
    return Math.floor((performance.now() - this.#startedMs) * 1000);
  }

  nextId(): number {
    return this.#nextId++;
  }

  nextProc(): number {
    return this.#nextProc++;
  }

  /** Such as `kill-leader#3`. */
  nextFault(nemesis: string): string {
    return `${nemesis}#${this.#nextFault++}`;
  }

  write(line: Line): void {
    this.#slots.push({ text: this.#text(line) });
  }

  /** @returns how to fill the place */
  reserve(): (line: Line) => void {
    const slot: Slot = { text: null };
    this.#slots.push(slot);
    return (line) => {
      slot.text = this.#text(line);
    };
  }

  fault(fault: Omit<Fault, "kind" | "t">): void {
    this.write({ kind: "fault", t: this.now(), ...fault });
  }

  server(line: Omit<ServerLine, "kind" | "t">): void {
    this.write({ kind: "server", t: this.now(), ...line });
  }

  phase(phase: Phase["phase"]): void {
    this.write({ kind: "phase", t: this.now(), phase });
  }

  /** Writes the last line; nothing may follow. */
  async end(): Promise<void> {
    this.write({ kind: "end", t: this.now(), lines: this.#lines + 1 });
    await this.close();
  }

  /** Without a last line: the history says of itself that it was cut off. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    await new Promise<void>((resolve) => this.#file.end(() => resolve()));
    if (this.#failure !== null) throw this.#failure;
  }

  #text(line: Line): string {
    switch (line.kind) {
      case "invoke":
        this.counts.invoked++;
        break;
      case "ok":
      case "fail":
      case "info":
        this.counts[line.kind]++;
        break;
      case "event":
        this.counts.events++;
        break;
      case "conn":
        if (line.state === "expired") this.counts.expired++;
    }
    this.#lines++;
    this.tally.line(line);
    return JSON.stringify(line);
  }

  #flush(): void {
    if (this.#failure !== null) throw this.#failure;
    const slots = this.#slots;
    const open = slots.findIndex((slot) => slot.text === null);
    const ready = open < 0 ? slots : slots.slice(0, open);
    this.#slots = open < 0 ? [] : slots.slice(open);
    if (ready.length > 0) this.#file.write(`${ready.map((slot) => slot.text).join("\n")}\n`);
  }
}
