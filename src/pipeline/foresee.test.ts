import fc from "fast-check";
import { expect, test } from "vitest";
import * as op from "../../model-tests/support/raw-requests.ts";
import { request, StandaloneServer } from "../../model-tests/support/standalone-server.ts";
import { OpCode } from "../protocol/opcodes.ts";

/** As many as make looking ahead worth while. */
const NODES = 6000;

function stage() {
  const server = new StandaloneServer();
  const client = server.connect();
  for (let i = 0; i < NODES; i++) client.send(request(i, ...op.create(`/n${i}`, { data: `data ${i}` })));
  expect(server.database.tree.warmer.worthwhile).toBe(true);
  return server;
}

const path = fc.nat({ max: NODES + 50 }).map((i) => `/n${i}`);
const asked: fc.Arbitrary<op.RawRequest> = fc.oneof(
  path.map((p) => op.getData(p)),
  path.map((p) => op.exists(p)),
  path.map((p) => op.setData(p, "changed")),
  path.map((p) => op.remove(p)),
  fc.constantFrom(op.getData("/"), op.getData(""), op.ping, op.empty(OpCode.getData), op.cut(op.getData("/n1"), 2)),
  fc.string({ maxLength: 300 }).map((text) => op.getData(text)),
);

test("requests in one piece are answered as they are one by one", () => {
  const ahead = stage();
  const single = stage();
  let xid = 1;
  fc.assert(
    fc.property(fc.array(asked, { minLength: 1, maxLength: 250 }), fc.nat(200), (requests, cut) => {
      const frames = requests.map(([type, write]) => request(xid++, type, write));
      const bytes = Buffer.concat(frames);
      const [a, b] = [ahead.connect(), single.connect()];
      a.send(bytes.subarray(0, cut)).send(bytes.subarray(cut));
      for (const frame of frames) b.send(frame);
      expect(a.replies().map(({ xid, err, body }) => [xid, err, body.toString("hex")])).toEqual(
        b.replies().map(({ xid, err, body }) => [xid, err, body.toString("hex")]),
      );
    }),
    { numRuns: 60 },
  );
});

test("whatever the bytes ahead are, looking at them throws nothing and changes nothing", () => {
  const { database } = stage();
  const before = database.digest;
  const { warmer } = database.tree;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(400), (bytes, at) => {
      warmer.expect(bytes, Math.min(at, bytes.length), bytes.length);
      warmer.warm();
    }),
  );
  const server = stage();
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constantFrom(0, 0, 0, 1, 4, 16, 255), fc.nat(255)), { minLength: 130, maxLength: 600 }),
      (garbage) => {
        server.connect().send(Buffer.from(garbage));
      },
    ),
  );
  expect(database.digest).toEqual(before);
});
