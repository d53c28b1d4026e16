/** A run that can be watched: one line that is kept up to date on a terminal, a line every few seconds elsewhere. */
import type { Cluster } from "../cluster/cluster.ts";
import type { Recorder } from "./recorder.ts";

const TERMINAL_MS = 500;
const PLAIN_MS = 5000;

export class Progress {
  readonly #terminal = process.stdout.isTTY;
  readonly #startedMs = performance.now();
  #timer: NodeJS.Timeout | null = null;
  #shown = false;

  /** A line that stays. */
  say(text: string): void {
    this.#clear();
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1);
    process.stdout.write(`${seconds.padStart(6)}s  ${text}\n`);
  }

  watch(recorder: Recorder, cluster: Cluster): void {
    this.#timer = setInterval(() => this.#show(recorder, cluster), this.#terminal ? TERMINAL_MS : PLAIN_MS);
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#clear();
  }

  #show({ counts, tally }: Recorder, cluster: Cluster): void {
    const servers = cluster.members.map((member) => {
      if (!member.running) return `${member.id}:down`;
      return `${member.id}:${member.paused ? "paused" : cluster.role(member)}`;
    });
    const text =
      `${counts.invoked} operations, ${Math.round(tally.throughput)}/s answered, ${counts.info} unknown, ` +
      `${tally.leaderChanges} leader changes  [${servers.join(" ")}]`;
    if (!this.#terminal) return this.say(text);
    this.#clear();
    process.stdout.write(text.slice(0, Math.max(20, (process.stdout.columns ?? 80) - 1)));
    this.#shown = true;
  }

  #clear(): void {
    if (this.#shown) process.stdout.write("\r\x1b[K");
    this.#shown = false;
  }
}
