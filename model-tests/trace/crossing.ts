/**
 * What servers say of each other: every packet and vote that one received from another must be among those the other sent,
 * and an epoch has one leader. Servers without a trace are not asked about.
 */
import { formatZxid, type Zxid } from "../../spec/vocabulary.ts";
import { TraceRefused } from "./violation.ts";

/** Packets whose zxid says nothing of what they carry. */
const ANONYMOUS: ReadonlySet<string> = new Set(["REQUEST", "PING", "REVALIDATE", "SYNC"]);

interface Received {
  readonly from: number;
  readonly what: string;
  readonly file: string;
  readonly zxids: number[];
  readonly lines: number[];
}

export class Crossing {
  readonly #traced = new Set<number>();
  readonly #sent = new Map<string, Set<number>>();
  readonly #received = new Map<string, Received>();
  readonly #votesSent = new Set<string>();
  readonly #votesReceived = new Map<string, { from: number; file: string; line: number }>();
  readonly #leaders = new Map<number, { readonly self: number; readonly file: string; readonly line: number }>();

  traced(self: number): void {
    this.#traced.add(self);
  }

  sent(from: number, to: number, packet: string, zxid: number): void {
    if (ANONYMOUS.has(packet)) return;
    const key = `${from}>${to} ${packet}`;
    const zxids = this.#sent.get(key);
    if (zxids === undefined) this.#sent.set(key, new Set([zxid]));
    else zxids.add(zxid);
  }

  received(from: number, to: number, packet: string, zxid: number, file: string, line: number): void {
    if (ANONYMOUS.has(packet)) return;
    const key = `${from}>${to} ${packet}`;
    let received = this.#received.get(key);
    if (received === undefined) {
      received = { from, what: `${packet} from ${from} to ${to}`, file, zxids: [], lines: [] };
      this.#received.set(key, received);
    }
    received.zxids.push(zxid);
    received.lines.push(line);
  }

  voteSent(from: number, to: number, vote: string): void {
    this.#votesSent.add(`${from}>${to} ${vote}`);
  }

  voteReceived(from: number, to: number, vote: string, file: string, line: number): void {
    const key = `${from}>${to} ${vote}`;
    if (!this.#votesReceived.has(key)) this.#votesReceived.set(key, { from, file, line });
  }

  /** The server is the established leader of an epoch (Leadership 2: at most one ever is). */
  leads(self: number, epoch: number, file: string, line: number): void {
    const known = this.#leaders.get(epoch);
    if (known !== undefined) {
      throw new TraceRefused({
        rule: "one-leader",
        file,
        line,
        found: `server ${self} leads epoch ${epoch}`,
        expected: `nobody but server ${known.self}, which established it in ${known.file}:${known.line}`,
      });
    }
    this.#leaders.set(epoch, { self, file, line });
  }

  /** When every trace has been read: does what was received match what was sent? @throws TraceRefused */
  finish(): void {
    for (const [key, { from, what, file, zxids, lines }] of this.#received) {
      if (!this.#traced.has(from)) continue;
      const sent = this.#sent.get(key);
      const at = zxids.findIndex((zxid) => sent === undefined || !sent.has(zxid));
      if (at < 0) continue;
      throw new TraceRefused({
        rule: "sent",
        file,
        line: lines[at] as number,
        found: `${what} with zxid ${formatZxid(zxids[at] as Zxid)}`,
        expected: `a packet that the trace of server ${from} shows as sent`,
      });
    }
    for (const [vote, { from, file, line }] of this.#votesReceived) {
      if (!this.#traced.has(from) || this.#votesSent.has(vote)) continue;
      throw new TraceRefused({
        rule: "sent",
        file,
        line,
        found: `the notification ${vote}`,
        expected: `one that the trace of server ${from} shows as sent`,
      });
    }
  }
}
