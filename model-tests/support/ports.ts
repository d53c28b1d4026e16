/** TCP ports for servers under test, on 127.0.0.1. */
import { createServer } from "node:net";

/** Below the range from which Linux takes ports for outgoing connections (32768–60999), so that no client can sit on one. */
const FIRST = 10_000;
const LAST = 32_000;

const given = new Set<number>();

/** Ports nobody listens on. Chosen at random, so that test files running side by side hardly ever meet; never given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
