import { expect, test } from "vitest";
import { ClientConnection } from "./client-connection.ts";
import { Outbox, SLAB_BYTES } from "./outbox.ts";

const environment = { monotonicMs: () => 0, wallMs: () => 0 };

function connections(outbox: Outbox, count: number): ClientConnection[] {
  const remote = { host: "127.0.0.1", port: 1 };
  return Array.from({ length: count }, (_, id) => new ClientConnection(id, remote, 1000, outbox, environment));
}

/** One turn in which all of them are written to: what each is handed, and the memory that is behind it. */
function turn(outbox: Outbox, all: readonly ClientConnection[], bytes: number) {
  for (const [index, connection] of all.entries()) {
    for (let at = 0; at < bytes; at += 100) {
      connection.output().raw(Buffer.alloc(Math.min(100, bytes - at), index));
      connection.written();
    }
  }
  expect(outbox.takeDirty()).toEqual(all);
  const memory = new Set<unknown>();
  let right = 0;
  const effects: Parameters<ClientConnection["flush"]>[0] = [];
  for (const connection of all) connection.flush(effects);
  const told = new Map<number, number>();
  for (const effect of effects) {
    if (effect.type !== "socket.write") continue;
    told.set(effect.socket, (told.get(effect.socket) ?? 0) + effect.bytes.length);
    if (effect.bytes.every((byte) => byte === effect.socket % 256)) right++;
    memory.add(effect.bytes.buffer);
  }
  expect([...told.values()]).toEqual(all.map(() => bytes));
  expect(right).toBe(effects.filter(({ type }) => type === "socket.write").length);
  for (const effect of effects) if (effect.type === "socket.write") effect.slab?.release();
  return [...memory].reduce<number>((sum, buffer) => sum + (buffer as ArrayBuffer).byteLength, 0);
}

test("a word to each of many connections costs no large slab each", () => {
  const outbox = new Outbox();
  const all = connections(outbox, 5000);
  for (let i = 0; i < 3; i++) expect(turn(outbox, all, 20)).toBeLessThan(200 * SLAB_BYTES);
});

test("whatever each of many is told arrives whole and unmixed", () => {
  const outbox = new Outbox();
  const all = connections(outbox, 300);
  for (const bytes of [20, 511, 512, 513, 5000, 100_000, 20]) turn(outbox, all, bytes);
});
