/**
 * Loaded into servers of ours before anything else (`node --import`): tells the bench, when asked, how long the event loop stood
 * still and what is alive in memory. Production code knows nothing of it, and it does nothing until it is asked to watch.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export type ProbeRequest = "watch" | "stalls" | "live-memory";
export type ProbeAnswer = Stalls | { readonly liveBytes: number };

/** Milliseconds by which turns of the event loop came late since "watch". */
export interface Stalls {
  readonly p999Ms: number;
  readonly longestMs: number;
}

const RESOLUTION_MS = 2;
const NS_PER_MS = 1e6;

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

function stalls(): Stalls {
  delay.disable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / NS_PER_MS - RESOLUTION_MS);
  return { p999Ms: late(delay.percentile(99.9)), longestMs: late(delay.max) };
}

/** After a full collection; buffers outside of the heap included. */
function liveBytes(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

process.on("message", (request: ProbeRequest) => {
  if (request === "watch") {
    delay.reset();
    delay.enable();
    return;
  }
  process.send?.(request === "stalls" ? stalls() : { liveBytes: liveBytes() });
});
