/**
 * Loaded into servers of ours to prove that a slowdown is noticed: burns, in every turn of the event loop, so much CPU time that a
 * server uses PLANTED_PERCENT more of it per request than it would by itself.
 */
import { pathToFileURL } from "node:url";

interface Steps {
  step(input: { readonly type: string }, effects: unknown): void;
}

const share = Number(process.env["PLANTED_PERCENT"] ?? 0) / 100;
const build = process.env["PLANTED_BUILD"] ?? "";
let burntMicros = 0;

function usedMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function burn(): void {
  const used = usedMicros();
  const target = (used - burntMicros) * share;
  if (target <= burntMicros) return;
  const end = used + target - burntMicros;
  let now = used;
  while (now < end) now = usedMicros();
  burntMicros += now - used;
}

const { Server } = (await import(pathToFileURL(`${build}/src/server/server.js`).href)) as {
  readonly Server: { readonly prototype: Steps };
};
const { step } = Server.prototype;
Server.prototype.step = function (this: Steps, input, effects): void {
  step.call(this, input, effects);
  if (input.type === "TURN_ENDED") burn();
};
