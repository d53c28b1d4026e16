/** Plays a random script on two servers, and compares what every client hears after every act. */
import { OpCode } from "../../src/protocol/opcodes.ts";
import * as op from "../support/raw-requests.ts";
import { Dialogue, type Pair } from "./dialogue.ts";
import type { Peer } from "./peers.ts";
import { type Act, CLIENTS } from "./random-acts.ts";

/** @param root a path that no script before this one has used */
export async function play(peers: readonly Peer[], root: string, script: readonly Act[]): Promise<void> {
  const dialogue = new Dialogue(peers);
  const clients: Pair[] = [];
  for (let i = 0; i < CLIENTS; i++) clients.push(await dialogue.connect());
  const [first] = clients as [Pair, ...Pair[]];
  await first.ask(op.create(root));
  for (const act of script) await perform(dialogue, clients, act, root);
  for (const client of clients) await client.leave();
}

async function perform(dialogue: Dialogue, clients: Pair[], act: Act, root: string): Promise<void> {
  const client = clients[act.client] as Pair;
  switch (act.act) {
    case "ask":
      await client.ask(act.request(root), { eventOrder: true });
      // Refused credentials and what a client may never ask end a connection, as the answer has told both.
      if (await client.closes()) clients[act.client] = await dialogue.connect();
      break;
    case "reconnect": {
      const back = await dialogue.open();
      client.drop();
      await back.connect({ of: client });
      clients[act.client] = back;
      const watched = act.watched.map((below) => `${root}${below}`);
      await back.askEach((base) => op.setWatches(base, watched, watched, watched));
      break;
    }
    case "close":
      await client.ask([OpCode.closeSession, () => {}], { eventOrder: true });
      clients[act.client] = await dialogue.connect();
  }
  for (const other of clients) if (other !== client) await other.hear({ eventOrder: true });
}
