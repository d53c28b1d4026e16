/** Sessions that write without a pause while their leader dies: when is the next write acknowledged, when is everybody served? */
import { OpCode } from "../../../src/protocol/opcodes.ts";
import { SetDataRequest } from "../../../src/protocol/records.ts";
import { frame, nodePath } from "../requests.ts";
import { WireSession } from "../wire-session.ts";
import type { FailoverMission, FailoverOutcome, Stage } from "./mission.ts";
import { sleep } from "./steady.ts";

const TIMEOUT_MS = 30_000;
/** Between two attempts to come back; clients of Apache wait up to a second, which would hide what the servers do. */
const RETRY_MS = 5;
/** A server without a leader may hold a connection and say nothing; clients try the next one after a while. */
const PATIENCE_MS = 1000;
/** What comes before the kill belongs into the picture. */
const BEFORE_MS = 1500;
const STABLE_XID = 1;

/** One client: writes, and comes back with its session to the next server when it loses the connection. */
class Survivor {
  readonly acknowledged: number[] = [];
  /** Sent after the kill, and answered. */
  servedAt: number | null = null;
  readonly #ports: readonly number[];
  readonly #request: Buffer;
  #port: number;
  #session: WireSession | null = null;
  #sentAt = 0;
  #stopped = false;
  killedAt: number | null = null;

  constructor(ports: readonly number[], index: number) {
    this.#ports = ports;
    this.#port = index;
    this.#request = frame(STABLE_XID, OpCode.setData, (writer) => {
      SetDataRequest.write(writer, { path: nodePath(index), data: Buffer.alloc(100, "f"), version: -1 });
    });
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#live();
      } catch {
        // Not there yet: the next server may be.
      }
      this.#port++;
      await sleep(RETRY_MS);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#session?.drop();
    this.#gone();
  }

  #gone: () => void = () => {};

  /** From a connection to its loss. */
  async #live(): Promise<void> {
    const port = this.#ports[this.#port % this.#ports.length] as number;
    const known = this.#session === null ? {} : { ticket: this.#session.ticket };
    const session = await WireSession.open({ port, timeoutMs: TIMEOUT_MS, patienceMs: PATIENCE_MS, ...known });
    this.#session = session;
    await new Promise<void>((gone) => {
      this.#gone = gone;
      session.onLost = gone;
      session.onReply = (_xid, err) => {
        const now = performance.now();
        if (err === 0) {
          this.acknowledged.push(now);
          if (this.killedAt !== null && this.#sentAt > this.killedAt) this.servedAt ??= now;
        }
        this.#next();
      };
      this.#next();
    });
  }

  #next(): void {
    if (this.#stopped) return;
    this.#sentAt = performance.now();
    this.#session?.send(this.#request);
  }
}

export async function failover({ ports, sessions, watchMs }: FailoverMission, stage: Stage): Promise<FailoverOutcome> {
  const survivors = Array.from({ length: sessions }, (_, i) => new Survivor(ports, i));
  const lives = survivors.map((survivor) => survivor.run());
  await sleep(BEFORE_MS);
  // The leader is killed while this waits.
  const before = performance.now();
  await stage.moment("opens");
  // The message there and back takes a fraction of a millisecond; the kill lies between.
  const killedAt = (before + performance.now()) / 2;
  for (const survivor of survivors) survivor.killedAt = killedAt;
  await sleep(watchMs);
  for (const survivor of survivors) survivor.stop();
  await Promise.all(lives);
  const acknowledgedMs = survivors.flatMap(({ acknowledged }) => acknowledged.map((at) => at - killedAt));
  return {
    acknowledgedMs: acknowledgedMs.sort((a, b) => a - b),
    servedMs: survivors.map(({ servedAt }) => (servedAt === null ? null : servedAt - killedAt)),
  };
}
