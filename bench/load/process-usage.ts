/** What a process has used, from /proc. */
import { readdirSync, readFileSync } from "node:fs";

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const KIB = 1024;
const NANOSECONDS = 1e9;
/** Ticks are rounded down, user and system each. */
const TICKS_DOUBT_SECONDS = 0.03;

/** CPU time of all threads since the process started, in seconds. */
export function cpuSeconds(pid: number): number {
  const coarse = cpuSecondsInTicks(pid);
  const exact = cpuSecondsOfThreads(pid);
  // Threads that have ended are in the coarse figure only.
  return exact !== null && Math.abs(exact - coarse) <= TICKS_DOUBT_SECONDS ? exact : coarse;
}

/** To the nanosecond, of the threads that live; null where the kernel does not tell. */
function cpuSecondsOfThreads(pid: number): number | null {
  try {
    let sum = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]);
    }
    return sum / NANOSECONDS;
  } catch {
    return null;
  }
}

function cpuSecondsInTicks(pid: number): number {
  // The name in brackets may hold anything, spaces too.
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(line?.[1] ?? 0) * KIB;
}

/** CPU time that all processes of this machine have used since it started, in seconds; with what a hypervisor took away. */
export function machineCpuSeconds(): number {
  const [line = ""] = readFileSync("/proc/stat", "latin1").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}
