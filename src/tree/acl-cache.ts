/**
 * ACL lists, each kept once per tree under a number: nodes name it instead of holding a list (ReferenceCountedACLCache).
 * Lists are equal when their entries are, in order. A number is never given to another list, so a snapshot under way can
 * go by numbers.
 */
import type { Acl } from "../../spec/vocabulary.ts";
import { Perms } from "../protocol/opcodes.ts";
import { assert } from "../runtime/assert.ts";

/** world:anyone ALL; never in a snapshot's map. */
export const OPEN_ACL_KEY = -1;
export const OPEN_ACL: readonly Acl[] = [{ perms: Perms.ALL, scheme: "world", id: "anyone" }];

interface CachedAcl {
  readonly key: number;
  readonly acl: readonly Acl[];
  readonly text: string;
  uses: number;
}

const MAX_KEY = 2 ** 31 - 1;

export class AclCache {
  readonly #byText = new Map<string, CachedAcl>();
  readonly #byKey = new Map<number, CachedAcl>();
  #lastKey = 0;

  /** Different lists in use. */
  get size(): number {
    return this.#byKey.size;
  }

  list(key: number): readonly Acl[] {
    if (key === OPEN_ACL_KEY) return OPEN_ACL;
    const cached = this.#byKey.get(key);
    assert(cached !== undefined, "A node's ACL is in the cache.");
    return cached.acl;
  }

  /** The key of this list, used once more. */
  use(acl: readonly Acl[]): number {
    if (isOpen(acl)) return OPEN_ACL_KEY;
    const text = textOf(acl);
    let cached = this.#byText.get(text);
    if (cached === undefined) {
      assert(this.#lastKey < MAX_KEY, "A tree never sees 2^31 different ACLs.");
      const copy = acl.map(({ perms, scheme, id }) => ({ perms, scheme, id }));
      cached = { key: ++this.#lastKey, acl: copy, text, uses: 0 };
      this.#byText.set(text, cached);
      this.#byKey.set(cached.key, cached);
    }
    cached.uses++;
    return cached.key;
  }

  /** One node more has this ACL. */
  retain(key: number): void {
    if (key === OPEN_ACL_KEY) return;
    this.#byKey.get(key)!.uses++;
  }

  release(key: number): void {
    if (key === OPEN_ACL_KEY) return;
    const cached = this.#byKey.get(key)!;
    if (--cached.uses > 0) return;
    this.#byKey.delete(key);
    this.#byText.delete(cached.text);
  }

  /** Keys are not used again even so. */
  clear(): void {
    this.#byKey.clear();
    this.#byText.clear();
  }

  forEach(visit: (key: number, acl: readonly Acl[]) => void): void {
    for (const cached of this.#byKey.values()) visit(cached.key, cached.acl);
  }
}

function isOpen(acl: readonly Acl[]): boolean {
  if (acl.length !== 1) return false;
  const only = acl[0]!;
  return only.perms === Perms.ALL && only.scheme === "world" && only.id === "anyone";
}

/** Unambiguous: lengths come before texts. */
function textOf(acl: readonly Acl[]): string {
  let text = "";
  for (const { perms, scheme, id } of acl) text += `${perms} ${scheme.length} ${id.length} ${scheme}${id}`;
  return text;
}
