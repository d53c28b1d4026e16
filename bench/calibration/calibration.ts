/**
 * What this machine gives just now: the cost of a bare socket loop and of an fsync. Results divided by it can be compared with
 * those of another hour, when neighbours, clock frequency or the disk were in another mood.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { machineCpuSeconds } from "../load/process-usage.ts";
import { runLoad } from "../load/run-load.ts";
import { median } from "../measurement.ts";
import { Cluster } from "../systems/system.ts";
import { bareSocket } from "../systems/zoetrope.ts";

export interface Calibration {
  /** CPU time of the bare socket loop per request, one outstanding per session, µs. */
  readonly echoCpuMicros: number;
  readonly echoPerSecond: number;
  /** Median of an append of 4 KB with fdatasync, µs. */
  readonly fsyncMicros: number;
  /** Share of the machine's CPU time that went to other processes than the loop and its load: 0 on a quiet machine. */
  readonly othersShare: number;
}

const WARM_UP_MS = 80;
const WINDOW_MS = 320;
const FSYNCS = 25;
const work = { kind: "mix", readPercent: 100, valueBytes: 1024, nodes: 1000 } as const;

export class Calibrator {
  readonly #echo: Cluster;
  readonly #directory: string;

  private constructor(echo: Cluster, directory: string) {
    this.#echo = echo;
    this.#directory = directory;
  }

  /** `dataDir`: where the servers keep their data, and the fsync is tried. */
  static async start(dataDir: string | null): Promise<Calibrator> {
    const directory = mkdtempSync(join(dataDir ?? tmpdir(), "zoetrope-calibration-"));
    const calibrator = new Calibrator(await Cluster.start(bareSocket(), { servers: 1 }), directory);
    // The first loop is compiled while it runs.
    await calibrator.measure();
    return calibrator;
  }

  async measure(): Promise<Calibration> {
    const { ports, pids } = this.#echo;
    let before = 0;
    let machineCpu = 0;
    const outcome = await runLoad(
      {
        kind: "load",
        ports,
        pids,
        work,
        sessions: 20,
        outstanding: 1,
        ratePerSecond: null,
        warmUpMs: WARM_UP_MS,
        windowMs: WINDOW_MS,
      },
      {
        opens: () => {
          before = machineCpuSeconds();
        },
        closes: () => {
          machineCpu = machineCpuSeconds() - before;
        },
      },
    );
    const { operations, seconds, serverCpu, generatorCpu } = outcome;
    const others = machineCpu - (serverCpu[0] as number) - generatorCpu;
    return {
      echoCpuMicros: ((serverCpu[0] as number) / operations) * 1e6,
      echoPerSecond: operations / seconds,
      fsyncMicros: this.#fsync(),
      othersShare: Math.max(0, others) / (seconds * cpus().length),
    };
  }

  async stop(): Promise<void> {
    await this.#echo.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #fsync(): number {
    const file = openSync(join(this.#directory, "log"), "a");
    const block = Buffer.alloc(4096, 1);
    const times: number[] = [];
    for (let i = 0; i < FSYNCS; i++) {
      const startedMs = performance.now();
      writeSync(file, block);
      fdatasyncSync(file);
      times.push((performance.now() - startedMs) * 1000);
    }
    closeSync(file);
    return median(times);
  }
}
