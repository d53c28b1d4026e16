/**
 * What servers say to each other on the election port (QuorumCnxManager, FastLeaderElection): the initiator of a
 * connection introduces itself once, then both sides send frames that each hold one notification.
 */
import type { Epoch, PeerState, ServerId, Vote, Zxid } from "../../spec/vocabulary.ts";
import { epochOf, NO_EPOCH, NO_ZXID } from "../../spec/vocabulary.ts";
import { ChunkQueue } from "./chunk-queue.ts";
import { JuteError, JuteReader } from "./jute-reader.ts";
import type { JuteWriter } from "./jute-writer.ts";

/** The leader of a vote that names nobody: an observer's, which is Long.MIN_VALUE in all its fields on the wire. */
export const NO_LEADER = -1 as ServerId;

const MIN_LONG = -(2n ** 63n);

export const InitialMessageVersion = { one: -65536, two: -65535 } as const;
/** QuorumCnxManager.maxBuffer, and PACKETMAXSIZE. */
const MAX_ADDRESS_BYTES = 2048;
const MAX_FRAME = 524288;

/** `FastLeaderElection.Notification.CURRENTVERSION`: with config text. */
export const NOTIFICATION_VERSION = 2;

const STATES: readonly PeerState[] = ["LOOKING", "FOLLOWING", "LEADING", "OBSERVING"];

export interface InitialMessage {
  readonly sid: ServerId;
  /** `host:port` of the sender's election port; several if it is multi-homed, none from an ancient peer. */
  readonly addresses: readonly string[];
}

/** One message of fast leader election. Its sender is known from the connection. */
export interface Notification {
  readonly state: PeerState;
  readonly vote: Vote;
  /** 0 from peers that do not send it. */
  readonly version: number;
  /** The sender's committed config; null from peers that do not send it. */
  readonly config: string | null;
}

export type ElectionMessage =
  | { readonly type: "INITIAL_MESSAGE"; readonly initial: InitialMessage }
  | { readonly type: "NOTIFICATION"; readonly notification: Notification }
  /** A whole frame that means nothing: skipped, as FastLeaderElection does. */
  | { readonly type: "MALFORMED"; readonly error: JuteError };

/** Protocol version 1 for one address, 2 for several. Send it in one segment: 3.8.0 reads it with one call. */
export function writeInitialMessage(writer: JuteWriter, initial: InitialMessage): void {
  writer.long(initial.addresses.length > 1 ? InitialMessageVersion.two : InitialMessageVersion.one);
  writer.long(initial.sid);
  writer.ustring(initial.addresses.join("|"));
}

/** One frame: length and notification. */
export function writeNotification(writer: JuteWriter, notification: Notification): void {
  const { state, vote, version, config } = notification;
  const at = writer.offset;
  writer.int(0);
  writer.int(STATES.indexOf(state));
  if (vote.leader === NO_LEADER) {
    writer.int64(MIN_LONG);
    writer.int64(MIN_LONG);
    writer.long(vote.electionEpoch);
    writer.int64(MIN_LONG);
  } else {
    writer.long(vote.leader);
    writer.long(vote.zxid);
    writer.long(vote.electionEpoch);
    writer.long(vote.peerEpoch);
  }
  writer.int(version);
  if (version > 1) writer.ustring(config ?? "");
  writer.patchInt(at, writer.offset - at - 4);
}

/** A notification without its length. Throws JuteError for what FastLeaderElection skips. */
export function readNotification(reader: JuteReader): Notification {
  const length = reader.remaining;
  if (length < 28) throw new JuteError("BAD_LENGTH", `A notification of ${length} bytes`, length);
  const stateNumber = reader.int();
  const state = STATES[stateNumber];
  if (state === undefined) throw new JuteError("UNKNOWN_TYPE", `A peer state of ${stateNumber}`, stateNumber);
  const leader = readOrMinLong(reader, NO_LEADER) as ServerId;
  const zxid = readOrMinLong(reader, NO_ZXID) as Zxid;
  const electionEpoch = reader.long();
  // 28 bytes: from before peerEpoch existed. 40: it exists, but what follows is not to be read as a version.
  const peerEpoch = length === 28 ? epochOf(zxid) : (readOrMinLong(reader, NO_EPOCH) as Epoch);
  const version = length === 28 || length === 40 ? 0 : reader.int();
  const config = version > 1 ? reader.ustring() : null;
  if (version > 1 && config === null) throw new JuteError("BAD_LENGTH", "A config of length -1", -1);
  return { state, vote: { leader, zxid, electionEpoch, peerEpoch }, version, config };
}

function readOrMinLong(reader: JuteReader, none: number): number {
  const value = reader.int64();
  if (value === MIN_LONG) return none;
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new JuteError("OUT_OF_RANGE", `A 64-bit number beyond 2^53: ${value}`, number);
  return number;
}

/**
 * Election messages out of a connection, however it was cut. The side that accepted reads the initial message first;
 * the side that connected reads notifications only.
 */
export class ElectionDecoder {
  readonly #queue = new ChunkQueue();
  readonly #reader = new JuteReader(Buffer.alloc(0));
  #stage: "version" | "sid" | "addresses" | "length" | "notification";
  #sid = 0;
  #wanted = 8;
  #refused: JuteError | null = null;

  constructor(side: "acceptor" | "initiator") {
    this.#stage = side === "acceptor" ? "version" : "length";
    this.#wanted = side === "acceptor" ? 8 : 4;
  }

  push(chunk: Buffer): void {
    this.#queue.push(chunk);
  }

  /** The chunk that was pushed last goes back to whoever lent it. */
  keep(): void {
    this.#queue.keep();
  }

  /** The next message, or null until more bytes arrive. Throws JuteError when the stream is lost; close it then. */
  next(): ElectionMessage | null {
    if (this.#refused !== null) throw this.#refused;
    try {
      for (;;) {
        if (!this.#queue.take(this.#wanted)) return null;
        this.#reader.reset(this.#queue.bytes, this.#queue.start, this.#queue.end);
        const message = this.#step(this.#reader);
        if (message !== null) return message;
      }
    } catch (error) {
      if (error instanceof JuteError) this.#refused = error;
      throw error;
    }
  }

  #step(reader: JuteReader): ElectionMessage | null {
    switch (this.#stage) {
      case "version": {
        const version = reader.long();
        // Peers from before 3.5 begin with their sid, and say nothing else.
        if (version >= 0) return this.#introduced(version, []);
        if (version !== InitialMessageVersion.one && version !== InitialMessageVersion.two) {
          throw new JuteError("UNKNOWN_TYPE", `An initial message of version ${version}`, version);
        }
        this.#expect("sid", 12);
        return null;
      }
      case "sid": {
        this.#sid = reader.long();
        this.#expect("addresses", this.#length(reader.int(), MAX_ADDRESS_BYTES));
        return null;
      }
      case "addresses":
        return this.#introduced(this.#sid, reader.rest().toString("utf8").split("|"));
      case "length": {
        this.#expect("notification", this.#length(reader.int(), MAX_FRAME));
        return null;
      }
      case "notification": {
        this.#expect("length", 4);
        return this.#notification(reader);
      }
    }
  }

  #introduced(sid: number, addresses: readonly string[]): ElectionMessage {
    this.#expect("length", 4);
    return { type: "INITIAL_MESSAGE", initial: { sid: sid as ServerId, addresses } };
  }

  #notification(reader: JuteReader): ElectionMessage {
    try {
      return { type: "NOTIFICATION", notification: readNotification(reader) };
    } catch (error) {
      if (error instanceof JuteError) return { type: "MALFORMED", error };
      throw error;
    }
  }

  #expect(stage: "sid" | "addresses" | "length" | "notification", bytes: number): void {
    this.#stage = stage;
    this.#wanted = bytes;
  }

  #length(length: number, limit: number): number {
    if (length < 1 || length > limit)
      throw new JuteError("BAD_LENGTH", `A length of ${length}, limit ${limit}`, length);
    return length;
  }
}
