/** A session with Apache ZooKeeper's Java client library, unmodified: the steps are in JavaSession.java. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Conversation } from "../support/conversation.ts";
import { type Ensemble, startEnsemble } from "../support/ensemble.ts";
import { apacheClassPath, javaCompiler, unless } from "../support/installed.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { KINDS } from "./kinds.ts";

const SOURCE = fileURLToPath(new URL("JavaSession.java", import.meta.url));

async function session(ensemble: Ensemble): Promise<void> {
  const options = ["-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"];
  const args = [...options, "-cp", apacheClassPath!, SOURCE, ensemble.addresses];
  await using java = new Conversation("java", args, { timeoutMs: 60_000 });
  const [, sessionId] = await java.hears(/^kill the server of session ([0-9a-f]+)$/m);
  const server = await serverOf(ensemble, sessionId!);
  await server.kill();
  if (ensemble.servers.length === 1) server.start();
  java.tell("killed");
  await java.hears(/^ok closes$/m);
  expect(await java.ended()).toBe(0);
}

/** `cons` tells whose connection a session is. */
async function serverOf(ensemble: Ensemble, sessionId: string): Promise<ServerProcess> {
  for (const server of ensemble.servers) if ((await server.ask("cons")).includes(`sid=0x${sessionId},`)) return server;
  throw new Error(`No server has a connection of session ${sessionId}`);
}

describe.skipIf(!javaCompiler)(`Apache's Java client${unless(javaCompiler, "a JDK with Apache ZooKeeper")}`, () => {
  test.each(KINDS)("multi, pipelines and a restart with one server of %s", { timeout: 90_000 }, async (kind) => {
    await using ensemble = await startEnsemble({ servers: 1, kind });
    await session(ensemble);
  });

  test.each(KINDS)("moves on when its server of three of %s is killed", { timeout: 90_000 }, async (kind) => {
    await using ensemble = await startEnsemble({ servers: 3, kind });
    await session(ensemble);
  });
});
