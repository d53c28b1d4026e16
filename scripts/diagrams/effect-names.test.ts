import { expect, test } from "vitest";
import { assign } from "xstate";
import { assignedNames, effectNames } from "./effect-names.ts";

interface Args {
  readonly context: { readonly epoch: number; readonly voters: readonly number[] };
  readonly event: { readonly from?: number };
}
const effect = (params: unknown) => ({ type: "effect", params });

test("plain effects are named in order, with the constants that tell them apart", () => {
  expect(effectNames(effect([{ type: "socket.drop" }, { type: "packet.send", packet: "ACK", epoch: 1 }]))).toEqual([
    "socket.drop",
    "packet.send ACK",
  ]);
});

test("computed effects are named without a context or an event at hand", () => {
  const params = ({ context, event }: Args) => ({
    type: "epoch.write",
    epoch: context.epoch + 1,
    to: context.voters.filter((id) => id !== event.from),
  });
  expect(effectNames(effect(params))).toEqual(["epoch.write"]);
});

test("what another branch would ask for is named as well", () => {
  const params = ({ context }: Args) => (context.epoch > 1_000_000 ? { type: "log.truncate" } : [{ type: "log.keep" }]);
  expect(effectNames(effect(params)).sort()).toEqual(["log.keep", "log.truncate"]);
});

test("hot actions and assignments are no effects", () => {
  expect(effectNames({ type: "hot", params: { handler: "leader.ack" } })).toEqual([]);
  expect(effectNames(assign({ epoch: 1 }))).toEqual([]);
});

test("an assignment is told by its fields, or as `context` where only its code knows", () => {
  expect(assignedNames([assign({ epoch: 1, voters: [] }), assign({ epoch: 2 })])).toBe("epoch, voters");
  expect(assignedNames([assign(() => ({ epoch: 1 }))])).toBe("context");
  expect(assignedNames([effect({ type: "log.keep" })])).toBe("");
});
