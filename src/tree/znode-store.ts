/**
 * How znodes are kept: a record of integers each, name and data in a cell of the arena, siblings linked to each other, and
 * an index from paths to nodes. Everything else in this room sees nodes as numbers.
 */
import { assert } from "../runtime/assert.ts";
import { Arena } from "./arena.ts";
import { crc32, crc32Words } from "./crc32.ts";
import type { Znode } from "./data-tree.ts";
import { PathIndex } from "./path-index.ts";
import {
  ACL,
  CELL,
  CHILD_COUNT,
  CONTENT_CRC,
  DATA_LENGTH,
  FIRST_CHILD,
  MARKS,
  NAME_LENGTH,
  NEXT_IN_BUCKET,
  NEXT_SIBLING,
  NO_NODE,
  PARENT,
  PATH_BYTES,
  PATH_CRC,
  PREVIOUS_SIBLING,
  ROOT,
  STAT_WORDS,
  ZnodeRecords,
} from "./znode-records.ts";

const SLASH = 0x2f;
/** Up to here a loop beats the call into native code. */
const SHORT_BYTES = 64;
const SYSTEM_ROOT = Buffer.from("/zookeeper");
const SYSTEM_ROOT_CRC = crc32(SYSTEM_ROOT, 0, SYSTEM_ROOT.length, 0);

/** Something that walks the tree across turns, and must hear when the ground moves. */
export interface TreeCursor {
  removing(node: Znode): void;
  replacingAcl(node: Znode, oldKey: number): void;
  /** The whole tree goes. */
  abandon(): void;
}

export class ZnodeStore extends ZnodeRecords {
  arena = new Arena();
  readonly cursors: TreeCursor[] = [];
  /** Snapshots started so far. */
  snapshotsStarted = 0;
  readonly #digest: boolean;
  readonly #index: PathIndex = new PathIndex(this);
  #count = 0;
  #bytes = 0;

  /** `digest`: keep CONTENT_CRC. */
  constructor(digest: boolean) {
    super();
    this.#digest = digest;
    this.#addRoot();
  }

  /** Down to an empty root, whose ACL is open. */
  reset(): void {
    for (const cursor of this.cursors.splice(0)) cursor.abandon();
    this.arena = new Arena();
    this.#index.reset();
    this.releaseAll();
    this.#bytes = 0;
    this.#addRoot();
  }

  /** Nodes, the root included. */
  get count(): number {
    return this.#count;
  }

  /** Of all paths and data. */
  get bytes(): number {
    return this.#bytes;
  }

  parent(node: Znode): Znode {
    return this.word(node, PARENT) as Znode;
  }

  firstChild(node: Znode): Znode {
    return this.word(node, FIRST_CHILD) as Znode;
  }

  nextSibling(node: Znode): Znode {
    return this.word(node, NEXT_SIBLING) as Znode;
  }

  /** The next node in depth-first order that is not below this one; NO_NODE at the end. */
  after(node: Znode): Znode {
    let here = node;
    while (here !== NO_NODE) {
      const sibling = this.nextSibling(here);
      if (sibling !== NO_NODE) return sibling;
      here = this.parent(here);
    }
    return NO_NODE;
  }

  /** Below /zookeeper: not part of the digest. */
  isSystem(node: Znode): boolean {
    return (this.word(node, MARKS) & 1) !== 0;
  }

  /** How many snapshots had been started when the node was created. */
  bornAfter(node: Znode): number {
    return this.word(node, MARKS) >>> 1;
  }

  pathBytes(node: Znode): number {
    return this.word(node, PATH_BYTES);
  }

  pathCrc(node: Znode): number {
    return this.word(node, PATH_CRC);
  }

  /** Writes the path so that it ends at `end`, and returns where it starts. The root's is empty. */
  writePathBefore(node: Znode, target: Buffer, end: number): number {
    let at = end;
    for (let here = node; here !== ROOT; here = this.parent(here)) {
      const length = this.word(here, NAME_LENGTH);
      at -= length;
      const ref = this.word(here, CELL);
      const from = this.arena.offset(ref);
      this.arena.slab(ref).copy(target, at, from, from + length);
      target[--at] = SLASH;
    }
    return at;
  }

  name(node: Znode): string {
    const ref = this.word(node, CELL);
    const from = this.arena.offset(ref);
    return this.arena.slab(ref).toString("utf8", from, from + this.word(node, NAME_LENGTH));
  }

  nameLength(node: Znode): number {
    return this.word(node, NAME_LENGTH);
  }

  /** Name and data lie one after the other in `cellBytes`, from `cellOffset` on. */
  cellBytes(node: Znode): Buffer {
    return this.arena.slab(this.word(node, CELL));
  }

  cellOffset(node: Znode): number {
    return this.arena.offset(this.word(node, CELL));
  }

  dataOffset(node: Znode): number {
    return this.cellOffset(node) + this.word(node, NAME_LENGTH);
  }

  /** The first of the nodes among which one with this CRC of its path is. */
  firstWith(crc: number): Znode {
    return this.#index.first(crc);
  }

  /** The node at `bytes[start, end)`, which is compared byte by byte; NO_NODE if there is none. */
  find(bytes: Uint8Array, start: number, end: number): Znode {
    const length = end - start;
    if (length === 0 || (length === 1 && bytes[start] === SLASH)) return ROOT;
    const crc = crc32(bytes, start, end, 0);
    let node = this.#index.first(crc);
    while (node !== NO_NODE) {
      const page = this.page(node);
      const at = this.at(node);
      if (page[at + PATH_CRC] === crc && page[at + PATH_BYTES] === length && this.#hasPath(node, bytes, end)) {
        return node;
      }
      node = page[at + NEXT_IN_BUCKET]! as Znode;
    }
    return NO_NODE;
  }

  /** The child whose name is `bytes[slash + 1, end)`. */
  findChild(parent: Znode, bytes: Uint8Array, slash: number, end: number): Znode {
    return this.#childWith(crc32(bytes, slash, end, this.word(parent, PATH_CRC)), parent, bytes, slash, end);
  }

  #childWith(crc: number, parent: Znode, bytes: Uint8Array, slash: number, end: number): Znode {
    const length = end - slash - 1;
    let node = this.#index.first(crc);
    while (node !== NO_NODE) {
      const page = this.page(node);
      const at = this.at(node);
      if (
        page[at + PATH_CRC] === crc &&
        page[at + PARENT] === parent &&
        page[at + NAME_LENGTH] === length &&
        this.#hasName(page[at + CELL]!, length, bytes, slash + 1)
      ) {
        return node;
      }
      node = page[at + NEXT_IN_BUCKET]! as Znode;
    }
    return NO_NODE;
  }

  /** Room in the index for this many nodes: they come one after the other, and the index need not grow with them. */
  expectNodes(nodes: number): void {
    this.#index.reserve(nodes);
  }

  /**
   * A new child named `bytes[slash + 1, end)`, which must not exist yet. Its stat is zeros. It goes before its siblings,
   * so that a snapshot under way meets no new nodes among those it still has to visit. `contentCrc`: of path and data where it
   * is known, else 0.
   */
  insert(parent: Znode, bytes: Uint8Array, slash: number, end: number, data: Uint8Array | null, contentCrc = 0): Znode {
    const pathCrc = crc32(bytes, slash, end, this.word(parent, PATH_CRC));
    const node = this.#enter(parent, bytes, slash, end, pathCrc, data === null ? -1 : data.length);
    const crc = contentCrc === 0 ? this.#contentCrc(pathCrc, data) : contentCrc;
    if (data !== null) this.cellBytes(node).set(data, this.dataOffset(node));
    this.setWord(node, CONTENT_CRC, crc);
    return node;
  }

  /** The same with the data at `source[from, to)`, `to` -1 for null; NO_NODE if there is such a node already. */
  insertNew(
    parent: Znode,
    bytes: Uint8Array,
    slash: number,
    end: number,
    source: Buffer,
    from: number,
    to: number,
  ): Znode {
    const pathCrc = crc32(bytes, slash, end, this.word(parent, PATH_CRC));
    if (this.#childWith(pathCrc, parent, bytes, slash, end) !== NO_NODE) return NO_NODE;
    const node = this.#enter(parent, bytes, slash, end, pathCrc, to < 0 ? -1 : to - from);
    if (to > from) {
      const cell = this.cellBytes(node);
      const at = this.dataOffset(node);
      if (to - from > SHORT_BYTES) source.copy(cell, at, from, to);
      else for (let i = 0; i < to - from; i++) cell[at + i] = source[from + i]!;
    }
    this.setWord(node, CONTENT_CRC, to < 0 || !this.#digest ? pathCrc : crc32(source, from, to, pathCrc));
    return node;
  }

  /** All of a new child but its data, for which there is room behind its name. */
  #enter(parent: Znode, bytes: Uint8Array, slash: number, end: number, pathCrc: number, dataLength: number): Znode {
    const node = this.take();
    const length = end - slash - 1;
    const page = this.page(node);
    const at = this.at(node);
    const dataBytes = Math.max(dataLength, 0);
    const ref = this.arena.allocate(length + dataBytes);
    const cell = this.arena.slab(ref);
    const from = this.arena.offset(ref);
    for (let i = 0; i < length; i++) cell[from + i] = bytes[slash + 1 + i]!;
    page[at + NAME_LENGTH] = length;
    page[at + DATA_LENGTH] = dataLength;
    page[at + CELL] = ref;
    page[at + PATH_BYTES] = this.word(parent, PATH_BYTES) + length + 1;
    page[at + PATH_CRC] = pathCrc;
    const system = this.isSystem(parent) || this.#isSystemRoot(parent);
    page[at + MARKS] = (this.snapshotsStarted << 1) | (system ? 1 : 0);
    this.#link(parent, node);
    this.#index.add(node);
    this.#count++;
    this.#bytes += page[at + PATH_BYTES]! + dataBytes;
    return node;
  }

  /** The node must have no children. */
  remove(node: Znode): void {
    assert(node !== ROOT && this.firstChild(node) === NO_NODE, "Only leaves are removed.");
    for (const cursor of this.cursors) cursor.removing(node);
    this.#index.remove(node);
    this.#unlink(node);
    this.arena.free(this.word(node, CELL));
    const page = this.page(node);
    const at = this.at(node);
    this.#bytes -= page[at + PATH_BYTES]! + Math.max(0, page[at + DATA_LENGTH]!);
    this.release(node);
    this.#count--;
  }

  /** `contentCrc`: of path and data where it is known, else 0. */
  setData(node: Znode, data: Uint8Array | null, contentCrc = 0): void {
    const page = this.page(node);
    const at = this.at(node);
    const nameLength = page[at + NAME_LENGTH]!;
    const size = nameLength + (data === null ? 0 : data.length);
    let ref = page[at + CELL]!;
    if (!this.arena.fits(ref, size)) {
      const old = this.arena.slab(ref);
      const oldFrom = this.arena.offset(ref);
      const moved = this.arena.allocate(size);
      old.copy(this.arena.slab(moved), this.arena.offset(moved), oldFrom, oldFrom + nameLength);
      this.arena.free(ref);
      ref = moved;
      page[at + CELL] = ref;
    }
    const pathCrc = page[at + PATH_CRC]!;
    if (data !== null) this.arena.slab(ref).set(data, this.arena.offset(ref) + nameLength);
    this.#bytes += size - nameLength - Math.max(0, page[at + DATA_LENGTH]!);
    page[at + DATA_LENGTH] = data === null ? -1 : data.length;
    page[at + CONTENT_CRC] = contentCrc === 0 ? this.#contentCrc(pathCrc, data) : contentCrc;
  }

  /** CRC-32 of path, data and stat as they are now. */
  digestOf(node: Znode): number {
    const page = this.page(node);
    const at = this.at(node);
    return crc32Words(page, at, STAT_WORDS, page[at + CONTENT_CRC]!);
  }

  #addRoot(): void {
    const root = this.take();
    assert(root === ROOT, "The root is the first node.");
    this.setWord(root, CELL, this.arena.allocate(0));
    this.setWord(root, ACL, -1);
    this.#count = 1;
  }

  #contentCrc(pathCrc: number, data: Uint8Array | null): number {
    return data === null || !this.#digest ? pathCrc : crc32(data, 0, data.length, pathCrc);
  }

  #isSystemRoot(node: Znode): boolean {
    return this.word(node, PATH_CRC) === SYSTEM_ROOT_CRC && this.#hasPath(node, SYSTEM_ROOT, SYSTEM_ROOT.length);
  }

  #hasPath(node: Znode, bytes: Uint8Array, end: number): boolean {
    let at = end;
    for (let here = node; here !== ROOT; here = this.word(here, PARENT) as Znode) {
      const length = this.word(here, NAME_LENGTH);
      at -= length;
      if (!this.#hasName(this.word(here, CELL), length, bytes, at)) return false;
      if (bytes[--at] !== SLASH) return false;
    }
    return true;
  }

  #hasName(ref: number, length: number, bytes: Uint8Array, start: number): boolean {
    const cell = this.arena.slab(ref);
    const from = this.arena.offset(ref);
    for (let i = 0; i < length; i++) {
      if (cell[from + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #link(parent: Znode, node: Znode): void {
    const next = this.word(parent, FIRST_CHILD) as Znode;
    this.setWord(node, PARENT, parent);
    this.setWord(node, NEXT_SIBLING, next);
    if (next !== NO_NODE) this.setWord(next, PREVIOUS_SIBLING, node);
    this.setWord(parent, FIRST_CHILD, node);
    this.setWord(parent, CHILD_COUNT, this.word(parent, CHILD_COUNT) + 1);
  }

  #unlink(node: Znode): void {
    const parent = this.parent(node);
    const next = this.nextSibling(node);
    const previous = this.word(node, PREVIOUS_SIBLING) as Znode;
    if (previous === NO_NODE) this.setWord(parent, FIRST_CHILD, next);
    else this.setWord(previous, NEXT_SIBLING, next);
    if (next !== NO_NODE) this.setWord(next, PREVIOUS_SIBLING, previous);
    this.setWord(parent, CHILD_COUNT, this.word(parent, CHILD_COUNT) - 1);
  }
}
