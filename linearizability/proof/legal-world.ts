/**
 * A small ensemble that obeys the rules, and clients that use it: the source of legal histories. Servers lag behind the leader,
 * clients have several operations under way, connections break in the middle, sessions expire. All from one seed.
 */
import { type Outcome, type Stamp, type Write, ZnodeTree } from "../../spec/models/znode-tree.ts";
import { makeZxid, type SessionId } from "../../spec/vocabulary.ts";
import type { Txn } from "../../src/protocol/txn.ts";
import { HISTORY_FORMAT, HISTORY_VERSION, type Line } from "../histories/format.ts";
import { LegalClient, type Pending } from "./legal-client.ts";
import { Random } from "./random.ts";
import { type Asked, askAnything, type Mix } from "./requests.ts";
import { txnOf } from "./txns.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly servers?: number;
  readonly procs?: number;
  /** Operations that may be under way at once per client. */
  readonly pipeline?: number;
  /** Which operations, how often, on how many znodes. */
  readonly mix: Mix;
  /** Per step: how likely a connection breaks. */
  readonly breaks?: number;
  /** Per broken connection: how likely the session expires before it is back. */
  readonly expires?: number;
  /** Ends with a sync and reads by every client. */
  readonly finalReads?: boolean;
}

export interface LegalServer {
  readonly id: number;
  readonly tree: ZnodeTree;
  /** How many txns it has applied. */
  applied: number;
}

interface Committed {
  readonly txn: Txn;
  readonly write: Write;
  readonly stamp: Stamp;
}

const STARTED_AT = 1_700_000_000_000;
const TIMEOUT_MS = 6000;
const EPOCH = 1;

export class LegalWorld {
  readonly random: Random;
  readonly mix: Mix;
  readonly servers: readonly LegalServer[];
  readonly committed: Committed[] = [];
  readonly #options: Required<WorldOptions>;
  readonly #leader = new ZnodeTree();
  readonly #clients: LegalClient[];
  readonly #emit: (line: Line) => void;
  #t = 0;
  #lines = 0;
  #ids = 0;
  #sessions = 0;
  #counter = 0;
  #faults = 0;

  /** Lines go to `emit` as they come: a million of them need not be kept. */
  constructor(options: WorldOptions, emit: (line: Line) => void) {
    const defaults = { servers: 3, procs: 3, pipeline: 2, breaks: 0, expires: 0, finalReads: false };
    this.#options = { ...defaults, ...options };
    this.random = new Random(options.seed);
    this.mix = options.mix;
    this.#emit = emit;
    this.servers = Array.from({ length: this.#options.servers }, (_, i) => {
      return { id: i + 1, tree: new ZnodeTree(), applied: 0 };
    });
    this.#clients = Array.from({ length: this.#options.procs }, (_, proc) => new LegalClient(this, proc + 1));
    this.line({ kind: "header", format: HISTORY_FORMAT, version: HISTORY_VERSION, startedAt: STARTED_AT });
  }

  /** Lets clients ask for so many operations, beside what prepares the ground. */
  run(operations: number): void {
    const { random } = this;
    const { breaks, expires, pipeline } = this.#options;
    for (const client of this.#clients) client.connect(random.pick(this.servers));
    this.#prepare();
    for (let asked = 0; asked < operations; ) {
      const client = random.pick(this.#clients);
      if (!client.connected) {
        this.#bringBack(client, expires);
      } else if (random.chance(breaks)) {
        client.disconnect();
      } else if (client.underway < pipeline && random.chance(0.4)) {
        client.ask(askAnything(random, this.mix, client));
        asked++;
      } else {
        this.#move(client);
      }
    }
    for (const client of this.#clients) if (!client.connected) this.#bringBack(client, 0);
    this.settle();
    if (this.#options.finalReads) this.#finalReads();
    this.line({ kind: "end", t: this.tick(), lines: this.#lines + 1 });
  }

  /** Everything under way comes to its end. */
  settle(): void {
    for (let idle = 0; idle < 2; ) {
      const before = this.#lines + this.#progress();
      for (const client of this.#clients) client.serve();
      for (const server of this.servers) while (this.apply(server)) for (const client of this.#clients) client.serve();
      for (const client of this.#clients) while (client.receive());
      idle = this.#lines + this.#progress() === before ? idle + 1 : 0;
    }
  }

  line(line: Line): void {
    this.#lines++;
    this.#emit(line);
  }

  fault(nemesis: string, detail: string): void {
    const fault = `f${++this.#faults}`;
    this.line({ kind: "fault", t: this.tick(), fault, nemesis, action: "point", targets: [], detail });
  }

  /** Time passes, a little. */
  tick(): number {
    this.#t += 1 + this.random.below(20);
    return this.#t;
  }

  nextId(): number {
    return ++this.#ids;
  }

  newSession(): SessionId {
    const session = (0x0100000000000000n + BigInt(++this.#sessions)) as SessionId;
    this.commit({ op: "createSession", timeoutMs: TIMEOUT_MS }, session, 0);
    return session;
  }

  get timeoutMs(): number {
    return TIMEOUT_MS;
  }

  get lastZxid(): number {
    return this.committed.at(-1)?.stamp.zxid ?? 0;
  }

  /** The leader orders a write. */
  commit(write: Write, session: SessionId, cxid: number): { readonly zxid: number; readonly outcome: Outcome } {
    const zxid = makeZxid(EPOCH, ++this.#counter);
    const stamp = { session, zxid, time: STARTED_AT + Math.floor(this.#t / 1000) };
    const owned = write.op === "closeSession" ? this.#leader.ephemeralsOf(session) : [];
    const outcome = this.#leader.write(write, stamp);
    this.committed.push({ txn: txnOf(write, outcome, stamp, cxid, owned), write, stamp });
    return { zxid, outcome };
  }

  /** The server applies the next txn, if there is one: events first, then the reply. */
  apply(server: LegalServer): boolean {
    const next = this.committed[server.applied];
    if (next === undefined) return false;
    const here = this.#clients.filter((client) => client.server === server);
    for (const client of here) client.readBefore(next.stamp.zxid);
    const outcome = server.tree.write(next.write, next.stamp);
    server.applied++;
    for (const client of here) client.applied(next.stamp.zxid, outcome, server.tree.changes);
    return true;
  }

  zxidOf(server: LegalServer): number {
    return server.applied === 0 ? 0 : this.committed[server.applied - 1]!.stamp.zxid;
  }

  get txns(): Txn[] {
    return this.committed.map(({ txn }) => txn);
  }

  #progress(): number {
    return this.servers.reduce((sum, { applied }) => sum + applied, 0);
  }

  #prepare(): void {
    const [first] = this.#clients;
    for (const asked of this.mix.prepare ?? []) {
      first!.ask(asked);
      this.settle();
    }
  }

  #finalReads(): void {
    this.line({ kind: "phase", t: this.tick(), phase: "final" });
    for (const client of this.#clients) {
      client.ask({ op: "sync", args: { path: "/" } });
      for (const asked of this.mix.final ?? []) client.ask(asked);
      this.settle();
    }
  }

  /** A step of the client's connection: the server takes a request, applies a txn, or a message arrives. */
  #move(client: LegalClient): void {
    const roll = this.random.below(3);
    if (roll === 0) client.serve();
    else if (roll === 1) this.apply(client.server!);
    else client.receive();
  }

  #bringBack(client: LegalClient, expires: number): void {
    const { random } = this;
    client.lateWrite();
    if (client.sessionOpen && random.chance(expires)) {
      this.commit({ op: "closeSession" }, client.session, 0);
      client.sessionOpen = false;
    }
    if (random.chance(0.5)) return;
    const able = this.servers.filter((server) => this.zxidOf(server) >= client.lastZxid);
    if (able.length > 0) client.connect(random.pick(able));
    else this.apply(random.pick(this.servers));
  }
}

export type { Asked, Pending };
