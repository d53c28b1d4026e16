/** What the bench is doing, and how long it will still take: a line that is overwritten on a terminal, plain lines elsewhere. */
import type { EventMeasurement, LoadMeasurement } from "../measurement.ts";
import { duration, inUnit, thousands } from "./table.ts";

const BAR = 20;
const CLEAR = "\r\u001b[2K";

export class Progress {
  readonly #terminal = process.stdout.isTTY === true;
  readonly #startedMs = performance.now();
  /** Seconds of work, as estimated beforehand: all of it, and what is done. */
  readonly #total: number;
  #done = 0;

  constructor(totalSeconds: number) {
    this.#total = totalSeconds;
  }

  /** Something begins. */
  doing(what: string): void {
    if (this.#terminal) process.stdout.write(`${CLEAR}${this.#bar()} ${what}`);
  }

  /** So many of the estimated seconds are done. */
  advance(seconds: number): void {
    this.#done = Math.min(this.#total, this.#done + seconds);
  }

  say(line: string): void {
    process.stdout.write(this.#terminal ? `${CLEAR}${line}\n` : `${line}\n`);
  }

  load(what: string, measurement: LoadMeasurement): void {
    const { operationsPerSecond, latency, cpuMicrosPerOperation, generatorCpuShare } = measurement;
    const figures = [
      `${thousands(operationsPerSecond)}/s`,
      `p50 ${duration(latency.p50)}`,
      `p99 ${duration(latency.p99)}`,
      `${cpuMicrosPerOperation.toFixed(1)} µs/op`,
      `load ${(generatorCpuShare * 100).toFixed(0)} %`,
    ];
    if (measurement.dropped > 0) figures.push(`OVERLOADED: ${thousands(measurement.dropped)} requests not sent`);
    this.#result(what, figures);
  }

  failed(what: string, error: Error): void {
    this.say(`FAILED ${what}: ${error.message}`);
  }

  event(what: string, { figures }: EventMeasurement): void {
    this.#result(
      what,
      figures.slice(0, 3).map(({ name, value, unit }) => `${name} ${inUnit(value, unit)}`),
    );
  }

  #result(what: string, figures: readonly string[]): void {
    const percent = `${Math.round((100 * this.#done) / this.#total)} %`.padStart(5);
    this.say(`${percent}  ${what}: ${figures.join(", ")}`);
  }

  end(): void {
    if (this.#terminal) process.stdout.write(CLEAR);
  }

  #bar(): string {
    const share = this.#done / this.#total;
    const full = Math.round(share * BAR);
    const elapsed = (performance.now() - this.#startedMs) / 1000;
    const left = share < 0.05 ? this.#total - this.#done : (elapsed / share) * (1 - share);
    return `${"█".repeat(full)}${"░".repeat(BAR - full)} ${clock(left)} left ·`;
  }
}

export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
