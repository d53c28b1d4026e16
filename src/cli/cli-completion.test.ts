import { expect, test } from "vitest";
import { connected, type ScriptedReply, ScriptedWorld } from "../client/scripted-world.ts";
import { ErrorCode } from "../protocol/error-codes.ts";
import { complete } from "./cli-completion.ts";

const COMMANDS = ["create", "get", "getAcl", "ls"];

/** Completes while the server answers getChildren with this. */
async function completed(line: string, reply: ScriptedReply): Promise<{ candidates: string[]; word: string }> {
  const world = connected();
  const result = complete(line, COMMANDS, world.zk);
  for (const request of world.sent()) world.reply(request, reply);
  const [candidates, word] = await result;
  return { candidates, word };
}

const children = (...names: string[]): ScriptedReply => ({
  body: (writer) => {
    writer.vectorCount(names.length);
    for (const name of names) writer.ustring(name);
  },
});

test("the first word is a command", async () => {
  expect(await completed("ge", {})).toEqual({ candidates: ["get", "getAcl"], word: "ge" });
  expect(await completed("help l", {})).toEqual({ candidates: ["ls"], word: "l" });
  expect(await completed("get ge", {})).toEqual({ candidates: [], word: "ge" });
  expect((await completed("", {})).candidates).toEqual(COMMANDS);
});

test("a path is completed by the children of the node so far", async () => {
  expect(await completed("get /ap", children("b", "apple", "app"))).toEqual({
    candidates: ["/app", "/apple"],
    word: "/ap",
  });
  expect((await completed("ls -s /a/b/c", children("cd", "dc"))).candidates).toEqual(["/a/b/cd"]);
  expect((await completed("ls /a/", children("y", "x"))).candidates).toEqual(["/a/x", "/a/y"]);
});

test("where nothing is, nothing is offered", async () => {
  expect((await completed("ls /none/x", { err: ErrorCode.NONODE })).candidates).toEqual([]);
  const offline = new ScriptedWorld("a:1");
  expect(await complete("ls /a", COMMANDS, offline.zk)).toEqual([[], "/a"]);
});
