import { JuteWriter } from "../protocol/jute-writer.ts";
import { SlabPool } from "../protocol/slab.ts";
import type { ClientConnection } from "./client-connection.ts";

/** Bytes of a writer's slab; a writer that is almost as full is emptied into a chunk before it would grow. */
export const SLAB_BYTES = 65_536;
/** 8 MB: what a turn of many busy connections needs. */
const SLABS_KEPT = 128;

/**
 * The connections that have output in this turn, and the writers lent to them: memory goes with traffic, not with the
 * number of connections.
 */
export class Outbox {
  #dirty: ClientConnection[] = [];
  readonly #idle: JuteWriter[] = [];
  readonly #slabs = new SlabPool(SLAB_BYTES, SLABS_KEPT);

  lend(to: ClientConnection): JuteWriter {
    this.#dirty.push(to);
    return this.#idle.pop() ?? new JuteWriter(this.#slabs);
  }

  giveBack(writer: JuteWriter): void {
    this.#idle.push(writer);
  }

  /** Everyone that a writer was lent to since the last call. */
  takeDirty(): readonly ClientConnection[] {
    const dirty = this.#dirty;
    this.#dirty = [];
    return dirty;
  }
}
