/** Writes down what a simulated ensemble does, one line a fact: chart steps, packets between servers, what reaches the disk. */
import { formatZxid } from "../../spec/vocabulary.ts";
import { PacketType, packetName, QuorumPacketDecoder, SNAP_SIGNATURE } from "../../src/protocol/quorum-packet.ts";
import type { Effect, Input } from "../../src/server/io.ts";
import type { SimServer } from "../simulator/sim-server.ts";

/** Types whose zxid says something. */
const WITH_ZXID: ReadonlySet<number> = new Set([
  PacketType.PROPOSAL,
  PacketType.ACK,
  PacketType.COMMIT,
  PacketType.INFORM,
  PacketType.NEWLEADER,
  PacketType.FOLLOWERINFO,
  PacketType.OBSERVERINFO,
  PacketType.DIFF,
  PacketType.TRUNC,
  PacketType.SNAP,
  PacketType.LEADERINFO,
  PacketType.ACKEPOCH,
]);

interface OutgoingStream {
  readonly decoder: QuorumPacketDecoder;
  /** Bytes since SNAP, until its signature ends them. */
  snapshot: Buffer | null;
}

export class Recorder {
  readonly #lines: string[] = [];
  readonly #streams = new Map<string, OutgoingStream>();
  readonly #traced = new WeakSet<object>();

  line(text: string): void {
    this.#lines.push(text);
  }

  /** The lines since the last call. */
  take(): string[] {
    return this.#lines.splice(0);
  }

  /** For `World`'s hook. */
  readonly observed = (sim: SimServer, input: Input, effects: readonly Effect[]): void => {
    this.#trace(sim);
    if (input.type === "STARTED") this.line(`${sim.id} starts`);
    if (input.type === "SOCKET_ACCEPTED" && input.port === "quorum") this.#open(sim, input.socket);
    for (const effect of effects) this.#effect(sim, effect);
  };

  #trace(sim: SimServer): void {
    const { server } = sim;
    if (server === null || this.#traced.has(server)) return;
    this.#traced.add(server);
    server.trace.sink = (chart, from, event, to) => {
      if (chart === "peer" && from !== to)
        this.line(`${sim.id} ${from === "" ? "·" : from} → ${to}  (${cause(event.type)})`);
    };
  }

  #effect(sim: SimServer, effect: Effect): void {
    switch (effect.type) {
      case "socket.connect":
        if (effect.port === QUORUM_PORT) this.#open(sim, effect.socket);
        return;
      case "socket.write":
        return this.#written(sim, effect.socket, effect.bytes);
      case "disk.write":
        if (effect.sync) this.line(`${sim.id} fsync ${effect.area}/${effect.file}`);
        return;
      case "disk.rename":
        this.line(`${sim.id} rename ${effect.area}/${effect.to}`);
        return;
      case "disk.truncate":
        this.line(`${sim.id} truncate ${effect.area}/${effect.file}`);
        return;
      case "process.exit":
        this.line(`${sim.id} exits: ${effect.reason}`);
    }
  }

  #open(sim: SimServer, socket: number): void {
    this.#streams.set(`${sim.id} ${socket}`, { decoder: new QuorumPacketDecoder(), snapshot: null });
  }

  #written(sim: SimServer, socket: number, bytes: Buffer): void {
    const stream = this.#streams.get(`${sim.id} ${socket}`);
    if (stream === undefined) return;
    const to = (sim.peers.get(socket) ?? "?").replace("s", "");
    if (stream.snapshot !== null) {
      const rest = afterSnapshot(stream, bytes);
      if (rest === null) return;
      stream.decoder.push(rest);
    } else stream.decoder.push(bytes);
    for (let packet = stream.decoder.next(); packet !== null; packet = stream.decoder.next()) {
      if (packet.type !== PacketType.PING) {
        const zxid = WITH_ZXID.has(packet.type) ? ` ${formatZxid(packet.zxid)}` : "";
        this.line(`${sim.id}→${to} ${packetName(packet.type)}${zxid}`);
      }
      if (packet.type !== PacketType.SNAP) continue;
      stream.snapshot = Buffer.alloc(0);
      const rest = afterSnapshot(stream, stream.decoder.takeRest());
      if (rest === null) return;
      stream.decoder.push(rest);
    }
  }
}

/** `xstate.after.initLimit.peer.leading` is the chart's `after initLimit`. */
function cause(event: string): string {
  return event.startsWith("xstate.after.") ? `after ${event.split(".")[2]}` : event;
}

/** The quorum port of every simulated server. */
const QUORUM_PORT = 2888;

function afterSnapshot(stream: OutgoingStream, bytes: Buffer): Buffer | null {
  const all = Buffer.concat([stream.snapshot ?? Buffer.alloc(0), bytes]);
  const at = all.indexOf(SNAP_SIGNATURE);
  stream.snapshot = at < 0 ? all : null;
  return at < 0 ? null : all.subarray(at + SNAP_SIGNATURE.length);
}
