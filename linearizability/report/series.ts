/** A run over time: how much was answered how, how fast, and who led. */
import type { History } from "../histories/history.ts";
import { Outcome } from "../histories/operations.ts";

const MAX_BUCKETS = 300;
const SMALLEST_US = 250_000;

export interface Bucket {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** ms, of answers; NaN where there are none. */
  readonly p50: number;
  readonly p99: number;
}

export interface Series {
  /** µs. */
  readonly bucketUs: number;
  readonly buckets: readonly Bucket[];
}

export interface Reign {
  readonly server: number;
  readonly epoch: number | null;
  /** µs. */
  readonly from: number;
  readonly to: number;
}

/** By when operations ended; those without an answer by when their clients gave up, or the run ended. */
export function seriesOf({ operations, endedAt }: History): Series {
  const bucketUs = Math.max(SMALLEST_US, Math.ceil(endedAt / MAX_BUCKETS / SMALLEST_US) * SMALLEST_US);
  const count = Math.floor(endedAt / bucketUs) + 1;
  const ends = [new Int32Array(count), new Int32Array(count), new Int32Array(count)] as const;
  const latencies: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i < operations.count; i++) {
    const outcome = operations.outcome[i]!;
    const at = outcome === Outcome.info ? operations.invoked[i]! : operations.completed[i]!;
    const bucket = Math.min(count - 1, Math.floor(at / bucketUs));
    ends[outcome as 0]![bucket]!++;
    if (outcome !== Outcome.info) latencies[bucket]!.push((at - operations.invoked[i]!) / 1000);
  }
  const buckets = latencies.map((sample, at): Bucket => {
    sample.sort((a, b) => a - b);
    const share = (part: number): number => sample[Math.floor((sample.length - 1) * part)] ?? Number.NaN;
    const [info, ok, fail] = ends.map((column) => column[at]!) as [number, number, number];
    return { ok, fail, info, p50: share(0.5), p99: share(0.99) };
  });
  return { bucketUs, buckets };
}

/** From when a server says that it leads until it says something else. */
export function reignsOf({ servers, endedAt }: History): Reign[] {
  const reigns: Reign[] = [];
  const open = new Map<number, { readonly from: number; readonly epoch: number | null }>();
  const close = (server: number, to: number): void => {
    const begun = open.get(server);
    if (begun !== undefined) reigns.push({ server, ...begun, to });
    open.delete(server);
  };
  for (const { t, server, state, epoch } of servers) {
    // A leader that is paused leads in its own eyes.
    if (state === "paused" || state === "resumed") continue;
    close(server, t);
    if (state === "leading") open.set(server, { from: t, epoch: epoch ?? null });
  }
  for (const server of [...open.keys()]) close(server, endedAt);
  return reigns.sort((a, b) => a.from - b.from);
}
