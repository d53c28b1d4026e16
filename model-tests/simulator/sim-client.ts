/** The production client in the simulated world. */
import { parseConnectString } from "../../src/client/connect-string.ts";
import { ConnectionCore } from "../../src/client/connection-core.ts";
import type { ClientIoEffect } from "../../src/client/io.ts";
import type { ClientObserver } from "../../src/client/observer.ts";
import { ZooKeeper } from "../../src/client/zookeeper.ts";
import type { Happening, VirtualClock } from "./clock.ts";
import type { SimNetwork, SimStream } from "./network.ts";

export interface SimClientOptions {
  readonly name: string;
  readonly connectString: string;
  readonly timeoutMs: number;
  readonly clock: VirtualClock;
  readonly network: SimNetwork;
  readonly random: () => number;
  readonly observer?: ClientObserver;
}

const MAX_FRAME_BYTES = 64 * 1024 * 1024;

export function simClient(options: SimClientOptions): ZooKeeper {
  const { name, clock, network, random, observer } = options;
  const { servers, chroot } = parseConnectString(options.connectString);
  return new ZooKeeper((hooks) => {
    const streams = new Map<number, SimStream>();
    const timers = new Map<string, Happening>();
    const perform = (effect: ClientIoEffect): void => {
      switch (effect.type) {
        case "socket.connect": {
          const { socket, address } = effect;
          const stream = network.connect(`${address.host}:${address.port}`, {
            host: name,
            connected: () => streams.has(socket) && core.socketConnected(socket),
            data: (chunk) => streams.has(socket) && core.socketData(socket, chunk),
            closed: (error) => {
              if (streams.delete(socket)) core.socketClosed(socket, error);
            },
          });
          streams.set(socket, stream);
          break;
        }
        case "socket.write":
          streams.get(effect.socket)?.write(effect.bytes);
          break;
        case "socket.destroy": {
          const stream = streams.get(effect.socket);
          streams.delete(effect.socket);
          stream?.destroy();
          break;
        }
        case "timer.set": {
          const earlier = timers.get(effect.id);
          if (earlier !== undefined) earlier.cancelled = true;
          const fire = (): void => {
            timers.delete(effect.id);
            core.timerFired(effect.id);
          };
          timers.set(effect.id, clock.after(effect.delayMs, fire));
          break;
        }
        case "timer.clear": {
          const timer = timers.get(effect.id);
          if (timer !== undefined) timer.cancelled = true;
          timers.delete(effect.id);
          break;
        }
        case "turn.end":
          clock.after(0, () => core.turnEnded());
      }
    };
    const core = new ConnectionCore({
      servers,
      chroot,
      timeoutMs: options.timeoutMs,
      readOnly: false,
      maxFrameBytes: MAX_FRAME_BYTES,
      backoff: { firstMs: 25, longestMs: 1000 },
      session: undefined,
      environment: { monotonicMs: () => clock.nowMs, random },
      perform,
      observer,
      report: () => {},
      ...hooks,
    });
    return core;
  });
}
