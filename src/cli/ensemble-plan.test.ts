import { expect, test } from "vitest";
import { parseConfig, withMyId } from "../server/config.ts";
import { planEnsemble, zooCfg } from "./ensemble-plan.ts";

test("three servers on the customary ports by default", () => {
  const plan = planEnsemble([]);
  expect(
    plan.members.map(({ clientPort, quorumPort, electionPort }) => [clientPort, quorumPort, electionPort]),
  ).toEqual([
    [2181, 2888, 3888],
    [2182, 2889, 3889],
    [2183, 2890, 3890],
  ]);
});

test("options choose number, ports and data", () => {
  const plan = planEnsemble(["--servers", "5", "--client-port=4000", "--data", "/tmp/d"]);
  expect(plan.members.at(-1)).toMatchObject({ id: 5, clientPort: 4004, directory: "/tmp/d/5" });
});

test.each([
  [["--servers", "2"], "--servers is 1, 3 or 5, not 2."],
  [["--client-port", "http"], "--client-port is a port from 1 to 63825, not http."],
  [["--prot", "1"], "Unknown option '--prot'"],
  [["extra"], "Unexpected argument 'extra'"],
])("%j is a sentence", (args, sentence) => {
  expect(() => planEnsemble(args)).toThrow(sentence);
});

test("the configuration written for a member is one that a server takes without a warning", () => {
  const plan = planEnsemble(["--data", "/tmp/d"]);
  const { config, warnings } = withMyId(parseConfig(zooCfg(plan, plan.members[1]!), "zoo.cfg"), "2");
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({ serverId: 2, standalone: false, clientPort: 2182, dataDir: "/tmp/d/2" });
});

test("a single server is standalone", () => {
  const plan = planEnsemble(["--servers", "1", "--data", "/tmp/d"]);
  expect(parseConfig(zooCfg(plan, plan.members[0]!), "zoo.cfg")).toMatchObject({
    config: { standalone: true },
    warnings: [],
  });
});
