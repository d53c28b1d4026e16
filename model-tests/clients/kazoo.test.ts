/** A full session with kazoo, the Python client, unmodified: the steps are in kazoo_session.py. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Conversation } from "../support/conversation.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { kazooPython, unless } from "../support/installed.ts";
import { KINDS } from "./kinds.ts";

const SCRIPT = fileURLToPath(new URL("kazoo_session.py", import.meta.url));

async function session(ensemble: Ensemble): Promise<void> {
  await using kazoo = new Conversation(kazooPython!, [SCRIPT, ensemble.addresses], { timeoutMs: 40_000 });
  const [, port] = await kazoo.hears(/^kill the server 127\.0\.0\.1:(\d+)$/m);
  const server = ensemble.servers.find((candidate) => candidate.clientPort === Number(port))!;
  await server.kill();
  if (ensemble.servers.length === 1) server.start();
  kazoo.tell("killed");
  await kazoo.hears(/^ok end$/m);
  expect(await kazoo.ended()).toBe(0);
}

describe.skipIf(kazooPython === null)(`kazoo${unless(kazooPython !== null, "kazoo")}`, () => {
  test.each(KINDS)(
    "has a full session with one server of %s, through its restart",
    { timeout: 60_000 },
    async (kind) => {
      await using ensemble = await startEnsemble({ servers: 1, kind });
      await session(ensemble);
    },
  );

  test.each(KINDS)("moves on when its server of three of %s is killed", { timeout: 90_000 }, async (kind) => {
    await using ensemble = await startEnsemble({ servers: 3, kind });
    await session(ensemble);
  });
});
