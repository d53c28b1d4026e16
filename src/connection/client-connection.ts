import type { Id, SessionId } from "../../spec/vocabulary.ts";
import { FrameDecoder } from "../protocol/frame-decoder.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import type { Slab } from "../protocol/slab.ts";
import { ConnectionCounters } from "../runtime/counters.ts";
import type { Environment } from "../runtime/environment.ts";
import type { Effects, RemoteAddress, SocketId } from "../server/io.ts";
import { connectionTable, isHeldBack } from "./connection-table.ts";
import { type Outbox, SLAB_BYTES } from "./outbox.ts";
import { type PendingRequest, RequestQueue } from "./request-queue.ts";

/** Unsent bytes from which on the socket is asked to tell when they have left. */
const DRAIN_ASKED_BYTES = 65_536;
/** A reply that begins in the last bytes of a slab would make the writer grow and copy. */
const CHUNK_BYTES = SLAB_BYTES - 4096;

const NO_SLABS: (Slab | null)[] = [];

/** Connections from the same host come one after the other, and many of them: they share what never changes. */
let lastIds: readonly Id[] = [];
function idsOf(host: string): readonly Id[] {
  if (lastIds[0]?.id !== host) lastIds = [{ scheme: "ip", id: host }];
  return lastIds;
}

/** One client's connection: its place in the chart, its bytes in and out, and what its session waits for. */
export class ClientConnection {
  readonly socket: SocketId;
  readonly remote: RemoteAddress;
  readonly decoder: FrameDecoder;
  readonly counters: ConnectionCounters;
  readonly queue = new RequestQueue();
  /** State of the server-connection chart. */
  state: number = connectionTable.initial;
  /** Bytes before the first four are complete. */
  opening: Buffer | null = null;
  /** The first four bytes were looked at: they are no four-letter word. */
  greeted = false;
  sessionId = 0n as SessionId;
  timeoutMs = 0;
  /** The client sent the readOnly byte, so it expects one (3.4 and later). */
  sendsReadOnly = false;
  /** Replaced, never changed: requests in flight keep the list they were sent with. */
  authInfo: readonly Id[];
  /** Monotonic ms when the client was last heard of, or last took what it was sent. */
  heardMs: number;
  /** Heard of since the leader was last told. */
  touched = false;
  /** A write that was taken from the bytes and must not be submitted yet. */
  stash: PendingRequest | null = null;
  /** Its frames are being taken right now: whatever lets it go need not do it again. */
  parsing = false;

  readonly #outbox: Outbox;
  #writer: JuteWriter | null = null;
  /** Full slabs of this turn, and the bytes in each; null as long as there are none, which is nearly always. */
  #chunks: Buffer[] | null = null;
  #chunkSlabs: (Slab | null)[] = NO_SLABS;
  #chunkBytes = 0;
  /** Bytes given to the socket that may still be in the process, and how many of them the next SOCKET_DRAINED covers. */
  #unsent = 0;
  #drainCovers = 0;

  constructor(
    socket: SocketId,
    remote: RemoteAddress,
    maxFrame: number,
    outbox: Outbox,
    environment: Pick<Environment, "monotonicMs" | "wallMs">,
  ) {
    this.socket = socket;
    this.remote = remote;
    this.decoder = new FrameDecoder(maxFrame);
    this.counters = new ConnectionCounters(environment.wallMs());
    this.heardMs = environment.monotonicMs();
    this.authInfo = idsOf(remote.host);
    this.#outbox = outbox;
  }

  /** Where replies and events are written; flushed at the end of the turn. */
  output(): JuteWriter {
    if (this.#writer === null) this.#writer = this.#outbox.lend(this);
    return this.#writer;
  }

  /** A message is complete. Full slabs are put aside instead of growing. */
  written(): void {
    const writer = this.#writer;
    if (writer === null || writer.offset < CHUNK_BYTES) return;
    const chunk = writer.take();
    if (this.#chunks === null) {
      this.#chunks = [];
      this.#chunkSlabs = [];
    }
    this.#chunks.push(chunk);
    this.#chunkSlabs.push(writer.takenSlab);
    this.#chunkBytes += chunk.length;
  }

  /** Bytes written for this client that have not left the process. */
  get unsent(): number {
    return this.#unsent + this.#chunkBytes + (this.#writer === null ? 0 : this.#writer.offset);
  }

  /** Unsent bytes, and those that the waiting requests hold or will add. */
  get owed(): number {
    return this.unsent + this.queue.charge;
  }

  /** Hands everything written to the socket. */
  flush(effects: Effects): void {
    const { socket } = this;
    const writer = this.#writer;
    if (writer === null) return;
    const chunks = this.#chunks;
    for (let i = 0; chunks !== null && i < chunks.length; i++) {
      const slab = this.#chunkSlabs[i] as Slab | null;
      effects.push({ type: "socket.write", socket, bytes: chunks[i] as Buffer, slab });
    }
    this.#unsent += this.#chunkBytes;
    if (writer.offset > 0) {
      const bytes = writer.take();
      effects.push({ type: "socket.write", socket, bytes, slab: writer.takenSlab });
      this.#unsent += bytes.length;
    }
    if (this.#unsent >= DRAIN_ASKED_BYTES && this.#drainCovers === 0) {
      effects.push({ type: "socket.drain", socket });
      this.#drainCovers = this.#unsent;
    }
    this.#giveBack(writer);
  }

  /** Forgets what was written and not flushed. */
  discard(): void {
    if (this.#writer === null) return;
    this.#writer.reset();
    this.#giveBack(this.#writer);
  }

  /** Everything before the last `socket.drain` has left. Asks again when there is much behind it. */
  drained(effects: Effects): void {
    this.#unsent -= this.#drainCovers;
    this.#drainCovers = 0;
    if (this.#unsent < DRAIN_ASKED_BYTES) return;
    effects.push({ type: "socket.drain", socket: this.socket });
    this.#drainCovers = this.#unsent;
  }

  /** For `cons`: not held back; output waits for the socket. */
  get reading(): boolean {
    return !isHeldBack[this.state];
  }

  get writing(): boolean {
    return this.#drainCovers > 0;
  }

  #giveBack(writer: JuteWriter): void {
    this.#outbox.giveBack(writer);
    this.#writer = null;
    if (this.#chunks !== null) {
      this.#chunks = null;
      this.#chunkSlabs = NO_SLABS;
    }
    this.#chunkBytes = 0;
  }
}
