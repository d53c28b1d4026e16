/** What the leader refuses before it orders it takes a zxid, but has no place in its client's order. */
import { expect, test } from "vitest";
import { makeZxid } from "../../../spec/vocabulary.ts";
import { ErrorCode } from "../../../src/protocol/error-codes.ts";
import { OpCode } from "../../../src/protocol/opcodes.ts";
import { historyOf } from "../../histories/read-history.ts";
import { type Asked, create } from "../../proof/requests.ts";
import { Stage } from "../../proof/stage.ts";
import { logOf } from "../../proof/txns.ts";
import { serverLogOf } from "./server-log.ts";
import { checkByWitness } from "./witness.ts";

function judge(stage: Stage) {
  const logs = [serverLogOf(1, [logOf(stage.txns)])];
  const { violations } = checkByWitness(historyOf(stage.end()), { logs, tickTimeMs: 1000 });
  return violations.map(({ property, anomaly }) => `${property}: ${anomaly}`);
}

/** A client's request waits in a connection that is cut off; it goes on elsewhere; then its old server gets the request. */
function lateRequest(err: number) {
  const stage = new Stage();
  const actor = stage.actor(1);
  const late = stage.ask(actor, create("/late", "1", "persistent"));
  stage.lose(actor);
  stage.connect(actor, 2);
  stage.answer(stage.ask(actor, create("/next", "2", "persistent")));
  const zxid = makeZxid(1, stage.txns.length + 1);
  const body = { type: OpCode.error, err } as const;
  stage.txns.push({ ...stage.txns[0]!, cxid: late.xid, zxid, type: OpCode.error, body, digest: null });
  return stage;
}

test("a late request of a session that has moved is refused, and is no write out of order", () => {
  expect(judge(lateRequest(ErrorCode.SESSIONMOVED))).toEqual([]);
});

test("nor is a late multi", () => {
  const stage = new Stage();
  const actor = stage.actor(1);
  const late = stage.ask(actor, {
    op: "multi",
    args: { ops: [create("/late", "1", "persistent"), create("/later", "1", "persistent")] },
  } as Asked);
  stage.lose(actor);
  stage.connect(actor, 2);
  stage.answer(stage.ask(actor, create("/next", "2", "persistent")));
  const zxid = makeZxid(1, stage.txns.length + 1);
  const errors = [ErrorCode.SESSIONMOVED, ErrorCode.RUNTIMEINCONSISTENCY];
  const txns = errors.map((err) => ({ type: OpCode.error, err }) as const);
  const body = { type: OpCode.multi, txns } as const;
  stage.txns.push({ ...stage.txns[0]!, cxid: late.xid, zxid, type: OpCode.multi, body, digest: null });
  expect(judge(stage)).toEqual([]);
});

test("a late request that was decided upon is a write out of order", () => {
  expect(judge(lateRequest(ErrorCode.NODEEXISTS))).toContain("C2 FIFO client order: writes out of order");
});
