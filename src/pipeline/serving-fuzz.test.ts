import fc from "fast-check";
import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { type RawClient, request, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import { OpCode, Xid } from "../protocol/opcodes.ts";

/*
 * Whatever clients do, however the network cuts it, and whenever the ensemble answers: nothing is thrown, every reply comes in
 * its place, no event comes that a chart does not expect, and nothing is left when everybody has gone.
 */

const path = fc.constantFrom("/", "/a", "/b", "/a/x", "a", "", "/a//x", "/zookeeper", "/é");
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });

const sane: fc.Arbitrary<op.RawRequest> = fc.oneof(
  path.chain((p) => fc.constantFrom(op.getData(p, true), op.exists(p, true), op.getChildren(p, true), op.getAcl(p))),
  path.chain((p) => fc.constantFrom(op.create(p), op.create(p, { flags: 1 }), op.create(p, { flags: 3 }))),
  path.chain((p) => fc.constantFrom(op.setData(p, "x"), op.setData(p, null, 1), op.remove(p), op.setAcl(p, op.OPEN))),
  path.chain((p) => fc.constantFrom(op.sync(p), op.addWatch(p, 1), op.removeWatches(p, 3), op.multi([op.create(p)]))),
  path.chain((p) => fc.constantFrom(op.setWatches(0, [p], [p], [p]), op.plain(OpCode.getEphemerals, p), op.ping)),
  fc.constantFrom(op.whoAmI, op.auth("digest", "u:p"), op.multi([op.getData("/a")], OpCode.multiRead)),
);
const rude: fc.Arbitrary<op.RawRequest> = fc.oneof(
  fc.tuple(sane, fc.integer({ min: 1, max: 9 })).map(([good, by]) => op.cut(good, by)),
  int32.map((type) => op.empty(type)),
  fc
    .tuple(fc.integer({ min: -12, max: 110 }), fc.uint8Array({ maxLength: 40 }))
    .map(([type, bytes]): op.RawRequest => [type, (w) => w.raw(bytes)]),
  fc.constant(op.closeSession),
);

const client = fc.nat({ max: 3 });
const event = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ client, asks: fc.array(sane, { minLength: 1, maxLength: 8 }), cut: fc.nat(60) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ client, asks: fc.array(rude, { minLength: 1, maxLength: 3 }), cut: fc.nat(60) }),
  },
  { weight: 6, arbitrary: fc.record({ commits: fc.integer({ min: 1, max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ client, hangsUp: fc.constant(true) }) },
  { weight: 2, arbitrary: fc.record({ client, comesBack: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ client, garbage: fc.uint8Array({ minLength: 1, maxLength: 12 }) }) },
  { weight: 2, arbitrary: fc.record({ passes: fc.integer({ min: 1, max: 9000 }) }) },
  { weight: 1, arbitrary: fc.constant({ roleEnds: true }) },
);

class Player {
  readonly #server: StandaloneServer;
  #raw: RawClient;
  #asked: number[] = [];
  #xid = 0;
  /** It has sent bytes that are no request: who knows what they ask. */
  #wild = false;
  answered = 0;

  constructor(server: StandaloneServer) {
    this.#server = server;
    this.#raw = server.accept();
    this.#raw.connect({ timeOut: 4000 });
  }

  ask(requests: readonly op.RawRequest[], cutAt: number): void {
    const frames = requests.map(([type, write]) => {
      this.#xid++;
      // These are answered ahead of what waits.
      if (type !== OpCode.auth && type !== OpCode.sasl) this.#asked.push(type === OpCode.ping ? Xid.ping : this.#xid);
      return request(this.#xid, type, write);
    });
    const bytes = Buffer.concat(frames);
    const at = Math.min(cutAt, bytes.length);
    for (const part of [bytes.subarray(0, at), bytes.subarray(at)]) {
      if (!this.#raw.closed) this.#raw.send(Buffer.from(part));
    }
  }

  garbage(bytes: Uint8Array): void {
    this.#wild = true;
    if (!this.#raw.closed) this.#raw.send(Buffer.from(bytes));
  }

  hangUp(): void {
    if (!this.#raw.closed) this.#raw.hangUp();
  }

  /** A new connection: for the old session, or for a new one. */
  comeBack(toOld: boolean): void {
    this.listen();
    const { sessionId } = this.#raw;
    this.#raw = this.#server.accept();
    this.#asked = [];
    this.#wild = false;
    this.#raw.connect({ timeOut: 4000, ...(toOld ? { sessionId } : {}) });
  }

  /** Replies come in the order of the requests, none is left out and none comes twice. */
  listen(): void {
    for (const { xid } of this.#raw.replies()) {
      if (xid === Xid.notification || this.#wild) continue;
      this.answered++;
      if (this.#asked[0] === xid) this.#asked.shift();
      else expect(this.#asked, `${xid} comes out of its turn`).not.toContain(xid);
    }
  }
}

test("whatever clients send, in whatever pieces, and whenever the ensemble answers", () => {
  let answered = 0;
  fc.assert(
    fc.property(fc.array(event, { minLength: 40, maxLength: 80 }), (events) => {
      const server = new StandaloneServer({ globalOutstandingLimit: 6 });
      const players = Array.from({ length: 4 }, () => new Player(server));
      server.immediate = false;
      for (const happens of events) {
        if ("asks" in happens) players[happens.client]?.ask(happens.asks, happens.cut);
        else if ("hangsUp" in happens) players[happens.client]?.hangUp();
        else if ("comesBack" in happens) players[happens.client]?.comeBack(happens.comesBack);
        else if ("garbage" in happens) players[happens.client]?.garbage(happens.garbage);
        else if ("commits" in happens) server.commit(happens.commits);
        else if ("passes" in happens) server.pass(happens.passes);
        else server.restartRole();
        server.endTurn();
        for (const player of players) player.listen();
      }
      for (let turn = 0; turn < 50; turn++) {
        server.commit();
        server.endTurn();
      }
      for (const player of players) {
        player.listen();
        player.hangUp();
        answered += player.answered;
      }
      server.pass(100_000);
      server.commit();
      server.endTurn();
      expect(server.unexpected).toEqual([]);
      expect(server.reports.filter(({ level }) => level === "error")).toEqual([]);
      expect(server.counters.outstanding).toBe(0);
      expect([...server.service.connections()]).toEqual([]);
      expect(server.service.watches.watchCount).toBe(0);
      expect(server.database.sessions.size).toBe(0);
      expect(server.database.ephemeralCount).toBe(0);
      expect(server.tracker.size).toBe(0);
    }),
    { numRuns: 150 },
  );
  expect(answered).toBeGreaterThan(1500);
});
