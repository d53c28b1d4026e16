/** Who owns which nodes: ephemerals by session, containers, TTL nodes. Lists are links in the nodes' own records. */
import type { SessionId } from "../../spec/vocabulary.ts";
import type { Znode } from "./data-tree.ts";
import { joinHalves, kindOfOwner, ttlOf } from "./ephemeral-owner.ts";
import { NEXT_OWNED, NO_NODE, OWNER, PREVIOUS_OWNED } from "./znode-records.ts";
import type { ZnodeStore } from "./znode-store.ts";

export class OwnedNodes {
  readonly #store: ZnodeStore;
  readonly #extendedTypes: boolean;
  /** First node of each session's list. */
  readonly #bySession = new Map<bigint, Znode>();
  #firstContainer = NO_NODE;
  #firstTtl = NO_NODE;
  #ephemerals = 0;

  constructor(store: ZnodeStore, extendedTypes: boolean) {
    this.#store = store;
    this.#extendedTypes = extendedTypes;
  }

  get ephemeralCount(): number {
    return this.#ephemerals;
  }

  /** Sessions that own nodes. */
  sessions(): Iterable<SessionId> {
    return this.#bySession.keys() as Iterable<SessionId>;
  }

  firstOf(session: bigint): Znode {
    return this.#bySession.get(session) ?? NO_NODE;
  }

  next(node: Znode): Znode {
    return this.#store.word(node, NEXT_OWNED) as Znode;
  }

  /** The node's OWNER is set. */
  add(node: Znode): void {
    const high = this.#store.word(node, OWNER);
    const low = this.#store.word(node, OWNER + 1);
    switch (kindOfOwner(high, low, this.#extendedTypes)) {
      case "persistent":
        return;
      case "container":
        this.#firstContainer = this.#push(node, this.#firstContainer);
        return;
      case "ttl":
        this.#firstTtl = this.#push(node, this.#firstTtl);
        return;
      case "ephemeral": {
        const session = joinHalves(high, low);
        this.#bySession.set(session, this.#push(node, this.firstOf(session)));
        this.#ephemerals++;
      }
    }
  }

  remove(node: Znode): void {
    const high = this.#store.word(node, OWNER);
    const low = this.#store.word(node, OWNER + 1);
    const kind = kindOfOwner(high, low, this.#extendedTypes);
    if (kind === "persistent") return;
    if (kind === "ephemeral") this.#ephemerals--;
    const next = this.next(node);
    const previous = this.#store.word(node, PREVIOUS_OWNED) as Znode;
    if (next !== NO_NODE) this.#store.setWord(next, PREVIOUS_OWNED, previous);
    if (previous !== NO_NODE) this.#store.setWord(previous, NEXT_OWNED, next);
    else if (kind === "container") this.#firstContainer = next;
    else if (kind === "ttl") this.#firstTtl = next;
    else if (next !== NO_NODE) this.#bySession.set(joinHalves(high, low), next);
    else this.#bySession.delete(joinHalves(high, low));
  }

  forEachContainer(visit: (node: Znode) => void): void {
    for (let node = this.#firstContainer; node !== NO_NODE; node = this.next(node)) visit(node);
  }

  forEachTtl(visit: (node: Znode, ttlMs: number) => void): void {
    for (let node = this.#firstTtl; node !== NO_NODE; node = this.next(node)) {
      visit(node, ttlOf(this.#store.word(node, OWNER), this.#store.word(node, OWNER + 1)));
    }
  }

  /** The tree was emptied. */
  reset(): void {
    this.#bySession.clear();
    this.#firstContainer = NO_NODE;
    this.#firstTtl = NO_NODE;
    this.#ephemerals = 0;
  }

  #push(node: Znode, first: Znode): Znode {
    this.#store.setWord(node, NEXT_OWNED, first);
    this.#store.setWord(node, PREVIOUS_OWNED, NO_NODE);
    if (first !== NO_NODE) this.#store.setWord(first, PREVIOUS_OWNED, node);
    return node;
  }
}
