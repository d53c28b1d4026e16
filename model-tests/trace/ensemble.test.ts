import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { connect } from "../../src/client/index.ts";
import { startEnsemble } from "../support/ensemble.ts";
import { checkTraces } from "./check.ts";
import { readLines } from "./read-lines.ts";

const directory = mkdtempSync(join(tmpdir(), "zoetrope-trace-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("traces of three processes, of which one is killed and comes back, are accepted", {
  timeout: 60_000,
}, async () => {
  const files = [1, 2, 3].map((id) => join(directory, `s${id}.trace`));
  await using ensemble = await startEnsemble({
    servers: 3,
    ownSettings: ({ id }) => [`zoetrope.traceFile=${files[id - 1]}`],
  });
  const zk = connect(ensemble.addresses, { timeoutMs: 10_000 });
  await zk.connected();
  const write = (name: string) =>
    Promise.all(Array.from({ length: 100 }, (_, i) => zk.create(`/${name}-${i}`, name).catch(() => {})));
  await write("before");
  const leader = await ensemble.leader();
  await leader.kill();
  await ensemble.leader();
  await write("between");
  leader.start();
  await leader.serves();
  await write("after");
  await zk.close();
  await Promise.all(ensemble.servers.map((server) => server.stop()));

  expect(files.every((file) => statSync(file).size > 0)).toBe(true);
  const verdict = checkTraces(files.map((file) => ({ file, lines: readLines(file) })));
  expect(verdict).toMatchObject({ servers: 3, lives: 4, violation: null });
  expect(verdict.lines).toBeGreaterThan(2000);
});
