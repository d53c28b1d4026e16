/**
 * Writes down what a server does as lines that `npm run check:traces` replays through the charts: chart steps, packets that
 * matter, what was logged, applied and persisted. Off unless somebody asks; whoever may write holds a `Tracer | null` and
 * asks that one property.
 *
 * A line is a JSON array that begins with its number; model-tests/trace/format.schema.ts has the shapes. Hot lines are put
 * together by hand, and payloads are never written: a packet is its type and zxid.
 */
import type { EventObject } from "xstate";
import type { Vote, Zxid } from "../../spec/vocabulary.ts";

export const TRACE_FORMAT = 1;

/** The packets of one quorum link: "leader", or "learner.SOCKET" at the leader's end. */
export interface LinkTrace {
  received(packet: string, zxid: number): void;
  sent(packet: string, zxid: number): void;
}

export interface TraceHeader {
  readonly format: typeof TRACE_FORMAT;
  readonly self: number;
  readonly standalone: boolean;
  readonly kind: string;
  readonly quorum: object;
  /** false: what the kernel has counts as written. */
  readonly forceSync: boolean;
}

/** A zxid is told several times within a short while, and numbers of more than 31 bits are slow to print. */
class ZxidTexts {
  readonly #zxids = new Float64Array(TEXTS);
  readonly #texts: string[] = new Array<string>(TEXTS).fill("0");

  of(zxid: number): string {
    const at = zxid & (TEXTS - 1);
    if (this.#zxids[at] !== zxid) {
      this.#zxids[at] = zxid;
      this.#texts[at] = String(zxid);
    }
    return this.#texts[at] as string;
  }
}

const TEXTS = 1024;

export class Tracer {
  #write: (line: string) => void;
  readonly #texts = new ZxidTexts();
  #count = 0;

  /** `write` gets whole lines, their end included, in order. */
  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** The first line of a server's life. */
  started(header: TraceHeader): void {
    this.#write(`[${++this.#count},"server",${JSON.stringify(header)}]\n`);
  }

  step(chart: string, from: string, event: EventObject, to: string, atMs: number): void {
    const said = JSON.stringify(event);
    this.#write(`[${++this.#count},"step","${chart}","${from}",${said},"${to}",${atMs.toFixed(1)}]\n`);
  }

  /** An event that its chart does not list. */
  unexpected(chart: string, state: string, event: string): void {
    this.#write(`[${++this.#count},"unexpected","${chart}","${state}","${event}"]\n`);
  }

  link(name: string): LinkTrace {
    return {
      received: (packet, zxid) =>
        this.#write(`[${++this.#count},"in","${name}","${packet}",${this.#texts.of(zxid)}]\n`),
      sent: (packet, zxid) => this.#write(`[${++this.#count},"out","${name}","${packet}",${this.#texts.of(zxid)}]\n`),
    };
  }

  /** Handed to the log; LOG_APPENDED tells when it is durable. */
  logged(zxid: Zxid): void {
    this.#write(`[${++this.#count},"log",${this.#texts.of(zxid)}]\n`);
  }

  /** A committed txn went into the tree. */
  applied(zxid: Zxid): void {
    this.#write(`[${++this.#count},"apply",${this.#texts.of(zxid)}]\n`);
  }

  /** What the disk has confirmed: the fact and its numbers. */
  persisted(fact: string, ...details: readonly (number | string)[]): void {
    let line = `[${++this.#count},"disk","${fact}"`;
    for (const detail of details) line += `,${typeof detail === "number" ? detail : `"${detail}"`}`;
    this.#write(`${line}]\n`);
  }

  /** An operation that the disk was asked for: its id, `disk.write` or `disk.rename`, the file (a new name), and whether fsynced. */
  asked(id: number, operation: string, file: string, sync: boolean): void {
    this.#write(`[${++this.#count},"ask",${id},"${operation}","${file}",${sync}]\n`);
  }

  /** The disk has answered. */
  answered(id: number): void {
    this.#write(`[${++this.#count},"done",${id}]\n`);
  }

  /** A notification of the election. */
  voted(to: number, state: string, { leader, zxid, electionEpoch, peerEpoch }: Vote): void {
    this.#write(`[${++this.#count},"vote",${to},"${state}",${leader},${zxid},${electionEpoch},${peerEpoch}]\n`);
  }

  /** The server stops in an orderly way: what it still does on its way out is nobody's business. */
  ended(): void {
    this.#write(`[${++this.#count},"end"]\n`);
    this.#write = () => {};
  }
}
