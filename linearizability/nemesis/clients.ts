/** Clients that come all at once, talk nonsense, or do not listen. */
import { connect, type Socket } from "node:net";
import type { RecordedClient } from "../run/recorded-client.ts";
import { attempt, SESSION_MS } from "../workloads/stage.ts";
import type { Field, Nemesis } from "./nemesis.ts";

const STORM = 60;
const STRANGERS = 40;

const storm: Nemesis = {
  name: "connection-storm",
  about: "a crowd of sessions opens and closes at once, among strangers who say nothing or nonsense",
  kind: "clients",
  strike: async (field, holdMs) => {
    const strangers: Socket[] = [];
    await field.fault(field.cluster.ids, `${STORM} sessions and ${STRANGERS} strangers at a time`, {
      inject: () => {},
      during: async () => {
        const untilMs = performance.now() + holdMs;
        while (!field.over && field.stage.running && performance.now() < untilMs) {
          for (let i = 0; i < STRANGERS; i++) strangers.push(stranger(field));
          await Promise.all(Array.from({ length: STORM }, () => visit(field)));
          for (const socket of strangers.splice(0)) socket.destroy();
        }
      },
      heal: () => {
        for (const socket of strangers) socket.destroy();
      },
    });
  },
};

/** Nobody who gets as far as a session: that would be a session which the history does not know. */
function stranger(field: Field): Socket {
  const link = field.random.pick(field.cluster.network.clientLinks);
  const socket = connect({ host: "127.0.0.1", port: link.port });
  socket.on("error", () => {});
  const words: readonly (Buffer | null)[] = [
    null,
    Buffer.from("ruok"),
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    // The length of a handshake, and half of one.
    Buffer.from([0, 0, 0, 45, 0, 0, 0, 0, 0, 0]),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
  ];
  const word = field.random.pick(words);
  if (word !== null) socket.write(word);
  return socket;
}

async function visit(field: Field): Promise<void> {
  const { stage, random } = field;
  const client = stage.open(random, { timeoutMs: SESSION_MS });
  await attempt(() => client.zk.connected());
  if (random.chance(0.5)) await attempt(() => client.zk.exists("/"));
  await stage.close(client);
}

const slowReaders: Nemesis = {
  name: "slow-readers",
  about: "clients ask for much and hardly read the answers",
  kind: "clients",
  strike: async (field, holdMs) => {
    const { stage, random } = field;
    const groups = await Promise.all([stage.openLinks(), stage.openLinks()]);
    const clients: RecordedClient[] = [];
    const lifts: (() => void)[] = [];
    await field.fault(field.cluster.ids, "readers that do not drain their sockets", {
      inject: async () => {
        for (const group of groups) {
          const client = stage.open(random, { addresses: group.addresses });
          clients.push(client);
          await attempt(() => client.zk.create("/large", "x".repeat(100_000)));
        }
        for (const group of groups) lifts.push(group.trickle(2000));
      },
      during: async () => {
        for (const client of clients)
          void Promise.allSettled(Array.from({ length: 60 }, () => client.zk.getData("/large")));
        await field.hold(holdMs);
      },
      heal: async () => {
        for (const lift of lifts) lift();
        await Promise.all(clients.map((client) => stage.close(client)));
        await Promise.all(groups.map((group) => group.close()));
      },
    });
  },
};

export const CLIENT_NEMESES: readonly Nemesis[] = [storm, slowReaders];
