import type { ServerId, SessionId } from "../../spec/vocabulary.ts";
import type { Environment } from "../runtime/environment.ts";

const MIN_INT64 = -0x8000000000000000n;

/**
 * Session ids of one server: its number in the top byte, then 40 bits of clock, then a counter
 * (SessionTrackerImpl.initializeNextSessionId). The wall clock, because a monotonic one may start again at the same value.
 */
export class SessionIds {
  #next: bigint;

  constructor(serverId: ServerId, environment: Environment) {
    const start = BigInt.asIntN(
      64,
      ((BigInt(environment.wallMs()) & 0xff_ffff_ffffn) << 16n) | (BigInt(serverId) << 56n),
    );
    // 0x8000000000000000 marks containers (EphemeralType).
    this.#next = start === MIN_INT64 ? start + 1n : start;
  }

  /** A new id; those that `taken` knows are passed over: the clock may have been set back since they were given out. */
  next(taken: { has(id: SessionId): boolean }): SessionId {
    for (;;) {
      const id = this.#next as SessionId;
      this.#next = BigInt.asIntN(64, this.#next + 1n);
      if (id !== 0n && !taken.has(id)) return id;
    }
  }
}
