import { JuteWriter } from "../protocol/jute-writer.ts";
import { SlabPool } from "../protocol/slab.ts";
import type { ClientConnection } from "./client-connection.ts";

/** Bytes of a writer's slab; a writer that is almost as full is emptied into a chunk before it would grow. */
export const SLAB_BYTES = 65_536;
/** 8 MB: what a turn of many busy connections needs. */
const SLABS_KEPT = 128;
/** Holds the answer to a ping, a write or a watch. */
const SMALL_SLAB_BYTES = 512;
const SMALL_SLABS_KEPT = 1024;
/** Of either kind. */
const WRITERS_KEPT = 1024;

/**
 * The connections that have output in this turn, and the writers lent to them: memory goes with traffic, not with the
 * number of connections. When very many have something to say in the same turn it is little each (pings, a watch that all of
 * them have), so beyond the first ones they get small slabs: ten thousand of the usual size would be more than half a gigabyte.
 */
export class Outbox {
  #dirty: ClientConnection[] = [];
  readonly #large = new Lending(new SlabPool(SLAB_BYTES, SLABS_KEPT));
  readonly #small = new Lending(new SlabPool(SMALL_SLAB_BYTES, SMALL_SLABS_KEPT));

  lend(to: ClientConnection): JuteWriter {
    const kind = this.#dirty.length < SLABS_KEPT ? this.#large : this.#small;
    this.#dirty.push(to);
    return kind.idle.pop() ?? new JuteWriter(kind.slabs);
  }

  giveBack(writer: JuteWriter): void {
    const kind = writer.slabBytes === SLAB_BYTES ? this.#large : this.#small;
    if (kind.idle.length < WRITERS_KEPT) kind.idle.push(writer);
  }

  /** Everyone that a writer was lent to since the last call. */
  takeDirty(): readonly ClientConnection[] {
    const dirty = this.#dirty;
    this.#dirty = [];
    return dirty;
  }
}

/** Writers of one kind. */
class Lending {
  readonly idle: JuteWriter[] = [];
  readonly slabs: SlabPool;

  constructor(slabs: SlabPool) {
    this.slabs = slabs;
  }
}
