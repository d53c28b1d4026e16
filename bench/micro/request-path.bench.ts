/** What a request costs inside the servers, without sockets and disks: `node build/bench/micro/request-path.bench.js [seconds] [part of a name]` */
import { connectFrame, mixedRing, preparingRing, type RequestRing } from "../load/requests.ts";
import { MiniWorld } from "./mini-world.ts";

const SESSIONS = 50;
const OUTSTANDING = 50;
const mix = { valueBytes: 1024, nodes: 1000 };
const seconds = Number(process.argv[2] ?? 2);

class Client {
  replies = 0;
  readonly #send: (chunk: Buffer) => void;

  constructor(world: MiniWorld, server: number) {
    this.#send = world.connect(server, (bytes) => this.#receive(bytes));
    this.#send(connectFrame(30_000));
    world.run();
    this.replies = 0;
  }

  send(ring: RequestRing, from: number, count: number): void {
    // A fresh chunk each time, as a socket gives it.
    this.#send(Buffer.from(ring.bytes.subarray(ring.offsets[from], ring.offsets[from + count])));
  }

  /** Whole replies only: nothing cuts them here. */
  #receive(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) this.replies++;
  }
}

function measure(name: string, servers: number, readPercent: number): void {
  const world = new MiniWorld(servers);
  world.start();
  const creator = new Client(world, world.leader);
  const nodes = preparingRing({ ...mix, readPercent: 0 });
  creator.send(nodes, 0, nodes.length);
  world.run();
  const clients = Array.from({ length: SESSIONS }, (_, i) => new Client(world, i % servers));
  const ring = mixedRing({ ...mix, readPercent }, 1);
  const round = (from: number): void => {
    for (const client of clients) client.send(ring, from, OUTSTANDING);
    world.run();
  };
  let from = 0;
  const rounds = (ms: number): number => {
    const until = performance.now() + ms;
    let done = 0;
    for (; performance.now() < until; done++) {
      round(from);
      from = (from + OUTSTANDING) % (ring.length - OUTSTANDING);
    }
    return done * SESSIONS * OUTSTANDING;
  };
  rounds(500);
  for (const client of clients) client.replies = 0;
  const before = process.cpuUsage();
  const operations = rounds(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const answered = clients.reduce((sum, { replies }) => sum + replies, 0);
  if (answered !== operations) throw new Error(`${answered} replies to ${operations} requests`);
  process.stdout.write(
    `${name.padEnd(28)} ${((user + system) / operations).toFixed(2).padStart(7)} µs CPU per operation\n`,
  );
}

const only = process.argv[3] ?? "";
function measureIf(name: string, servers: number, readPercent: number): void {
  if (name.includes(only)) measure(name, servers, readPercent);
}

measureIf("reads, 1 server", 1, 100);
measureIf("writes, 1 server", 1, 0);
measureIf("reads, 3 servers", 3, 100);
measureIf("writes, 3 servers", 3, 0);
