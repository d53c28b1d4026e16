/**
 * Registrations of watchers on paths, as integers: each record hangs in the list of its path and in the list of its
 * watcher, and a hash of the pair finds it. 36 bytes per registration, and a string and two words per watched path.
 */
import { assert } from "../runtime/assert.ts";

/** Words of a record. Record 0 means none. */
const PATH = 0;
const WATCHER = 1;
const BITS = 2;
const NEXT_OF_PATH = 3;
const PREVIOUS_OF_PATH = 4;
const NEXT_OF_WATCHER = 5;
const PREVIOUS_OF_WATCHER = 6;
const NEXT_IN_BUCKET = 7;
const RECORD_BITS = 3;

/** Numbers that are given out, taken back, and given out again. */
class Numbers {
  readonly #free: number[] = [];
  #used = 0;

  take(): number {
    return this.#free.pop() ?? this.#used++;
  }

  release(number: number): void {
    this.#free.push(number);
  }
}

export class WatchRecords<W extends object> {
  #words = new Int32Array(64 << RECORD_BITS);
  /** Records in use or free, record 0 included. */
  #records = 1;
  #freeRecord = 0;
  #count = 0;
  #buckets = new Int32Array(64);
  #pathNumbers = new Numbers();
  readonly #numberOfPath = new Map<string, number>();
  readonly #paths: (string | null)[] = [];
  readonly #firstOfPath: number[] = [];
  #watcherNumbers = new Numbers();
  readonly #numberOfWatcher = new Map<W, number>();
  readonly #watchers: (W | null)[] = [];
  readonly #firstOfWatcher: number[] = [];
  /** Per watcher: the last event it was gathered for. */
  readonly #gathered: number[] = [];
  #gathering = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  bits(record: number): number {
    return this.#words[(record << RECORD_BITS) + BITS]!;
  }

  setBits(record: number, bits: number): void {
    this.#words[(record << RECORD_BITS) + BITS] = bits;
  }

  watcher(record: number): W {
    return this.#watchers[this.#words[(record << RECORD_BITS) + WATCHER]!]!;
  }

  firstOfPath(path: string): number {
    const number = this.#numberOfPath.get(path);
    return number === undefined ? 0 : this.#firstOfPath[number]!;
  }

  nextOfPath(record: number): number {
    return this.#words[(record << RECORD_BITS) + NEXT_OF_PATH]!;
  }

  firstOfWatcher(watcher: W): number {
    const number = this.#numberOfWatcher.get(watcher);
    return number === undefined ? 0 : this.#firstOfWatcher[number]!;
  }

  nextOfWatcher(record: number): number {
    return this.#words[(record << RECORD_BITS) + NEXT_OF_WATCHER]!;
  }

  /** A new event: from here on `gatherOnce` is true once per watcher. */
  startGathering(): void {
    this.#gathering++;
  }

  gatherOnce(record: number): boolean {
    const watcher = this.#words[(record << RECORD_BITS) + WATCHER]!;
    if (this.#gathered[watcher] === this.#gathering) return false;
    this.#gathered[watcher] = this.#gathering;
    return true;
  }

  /** Watched paths with the first record of each. */
  *paths(): Generator<readonly [string, number]> {
    for (const [path, number] of this.#numberOfPath) yield [path, this.#firstOfPath[number]!];
  }

  /** 0 if there is none. */
  find(watcher: W, path: string): number {
    const watcherNumber = this.#numberOfWatcher.get(watcher);
    const pathNumber = this.#numberOfPath.get(path);
    if (watcherNumber === undefined || pathNumber === undefined) return 0;
    return this.#findPair(watcherNumber, pathNumber);
  }

  /** The record of this pair; a new one has no bits. */
  ensure(watcher: W, path: string): number {
    const watcherNumber = this.#numberWatcher(watcher);
    const pathNumber = this.#numberPath(path);
    return this.#findPair(watcherNumber, pathNumber) || this.#insert(watcherNumber, pathNumber);
  }

  remove(record: number): void {
    const words = this.#words;
    const at = record << RECORD_BITS;
    const path = words[at + PATH]!;
    const watcher = words[at + WATCHER]!;
    this.#removeFromBucket(record, path, watcher);
    if (this.#unlink(at, NEXT_OF_PATH, PREVIOUS_OF_PATH, this.#firstOfPath, path)) this.#forgetPath(path);
    if (this.#unlink(at, NEXT_OF_WATCHER, PREVIOUS_OF_WATCHER, this.#firstOfWatcher, watcher)) {
      this.#forgetWatcher(watcher);
    }
    words[at + BITS] = 0;
    words[at + NEXT_IN_BUCKET] = this.#freeRecord;
    this.#freeRecord = record;
    this.#count--;
  }

  clear(): void {
    this.#words = new Int32Array(64 << RECORD_BITS);
    this.#records = 1;
    this.#freeRecord = 0;
    this.#count = 0;
    this.#buckets = new Int32Array(64);
    this.#pathNumbers = new Numbers();
    this.#numberOfPath.clear();
    this.#paths.length = 0;
    this.#firstOfPath.length = 0;
    this.#watcherNumbers = new Numbers();
    this.#numberOfWatcher.clear();
    this.#watchers.length = 0;
    this.#firstOfWatcher.length = 0;
    this.#gathered.length = 0;
  }

  #numberWatcher(watcher: W): number {
    const known = this.#numberOfWatcher.get(watcher);
    if (known !== undefined) return known;
    const number = this.#watcherNumbers.take();
    this.#numberOfWatcher.set(watcher, number);
    this.#watchers[number] = watcher;
    this.#firstOfWatcher[number] = 0;
    this.#gathered[number] = 0;
    return number;
  }

  #numberPath(path: string): number {
    const known = this.#numberOfPath.get(path);
    if (known !== undefined) return known;
    const number = this.#pathNumbers.take();
    this.#numberOfPath.set(path, number);
    this.#paths[number] = path;
    this.#firstOfPath[number] = 0;
    return number;
  }

  #forgetPath(number: number): void {
    this.#numberOfPath.delete(this.#paths[number]!);
    this.#paths[number] = null;
    this.#pathNumbers.release(number);
  }

  #forgetWatcher(number: number): void {
    this.#numberOfWatcher.delete(this.#watchers[number]!);
    this.#watchers[number] = null;
    this.#watcherNumbers.release(number);
  }

  #findPair(watcher: number, path: number): number {
    const words = this.#words;
    let record = this.#buckets[this.#bucketOf(watcher, path)]!;
    while (record !== 0) {
      const at = record << RECORD_BITS;
      if (words[at + WATCHER] === watcher && words[at + PATH] === path) return record;
      record = words[at + NEXT_IN_BUCKET]!;
    }
    return 0;
  }

  #insert(watcher: number, path: number): number {
    if (this.#count === this.#buckets.length) this.#growBuckets();
    const record = this.#takeRecord();
    const words = this.#words;
    const at = record << RECORD_BITS;
    words[at + PATH] = path;
    words[at + WATCHER] = watcher;
    words[at + BITS] = 0;
    this.#link(at, record, NEXT_OF_PATH, PREVIOUS_OF_PATH, this.#firstOfPath, path);
    this.#link(at, record, NEXT_OF_WATCHER, PREVIOUS_OF_WATCHER, this.#firstOfWatcher, watcher);
    const bucket = this.#bucketOf(watcher, path);
    words[at + NEXT_IN_BUCKET] = this.#buckets[bucket]!;
    this.#buckets[bucket] = record;
    this.#count++;
    return record;
  }

  #link(at: number, record: number, next: number, previous: number, heads: number[], list: number): void {
    const words = this.#words;
    const first = heads[list]!;
    words[at + next] = first;
    words[at + previous] = 0;
    if (first !== 0) words[(first << RECORD_BITS) + previous] = record;
    heads[list] = record;
  }

  /** True: the list is empty now. */
  #unlink(at: number, next: number, previous: number, heads: number[], list: number): boolean {
    const words = this.#words;
    const after = words[at + next]!;
    const before = words[at + previous]!;
    if (after !== 0) words[(after << RECORD_BITS) + previous] = before;
    if (before !== 0) words[(before << RECORD_BITS) + next] = after;
    else heads[list] = after;
    return heads[list] === 0;
  }

  #removeFromBucket(record: number, path: number, watcher: number): void {
    const words = this.#words;
    const next = words[(record << RECORD_BITS) + NEXT_IN_BUCKET]!;
    const bucket = this.#bucketOf(watcher, path);
    let here = this.#buckets[bucket]!;
    if (here === record) {
      this.#buckets[bucket] = next;
      return;
    }
    while (words[(here << RECORD_BITS) + NEXT_IN_BUCKET] !== record) {
      assert(here !== 0, "A registration is in its bucket.");
      here = words[(here << RECORD_BITS) + NEXT_IN_BUCKET]!;
    }
    words[(here << RECORD_BITS) + NEXT_IN_BUCKET] = next;
  }

  #bucketOf(watcher: number, path: number): number {
    const mixed = Math.imul(watcher, 0x9e3779b1) ^ Math.imul(path, 0x85ebca6b);
    return (mixed ^ (mixed >>> 15)) & (this.#buckets.length - 1);
  }

  #growBuckets(): void {
    this.#buckets = new Int32Array(this.#buckets.length * 2);
    const words = this.#words;
    for (let record = 1; record < this.#records; record++) {
      const at = record << RECORD_BITS;
      if (words[at + BITS] === 0) continue;
      const bucket = this.#bucketOf(words[at + WATCHER]!, words[at + PATH]!);
      words[at + NEXT_IN_BUCKET] = this.#buckets[bucket]!;
      this.#buckets[bucket] = record;
    }
  }

  #takeRecord(): number {
    const free = this.#freeRecord;
    if (free !== 0) {
      this.#freeRecord = this.#words[(free << RECORD_BITS) + NEXT_IN_BUCKET]!;
      return free;
    }
    if (this.#records << RECORD_BITS === this.#words.length) {
      const words = new Int32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
    }
    return this.#records++;
  }
}
