/** Starts the load generator's process, gives it its mission and waits for what it measured. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FromGenerator, Mission, Moment, OutcomeOf } from "./missions/mission.ts";

const GENERATOR = fileURLToPath(new URL("./generator.js", import.meta.url));
/** For all that is not a given time: making znodes, opening sessions. */
const PATIENCE_MS = 120_000;
/** A machine that is busy with other things opens and closes this slowly. */
const PER_SESSION_MS = 20;

type Acts = { readonly [M in Moment]?: () => Promise<void> | void };

/**
 * @param acts what to do at moments of the mission, which waits for it
 * @throws Error: a session failed, or the load did not end in time
 */
export function runLoad<M extends Mission>(mission: M, acts: Acts = {}): Promise<OutcomeOf[M["kind"]]> {
  const child = fork(GENERATOR, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise<OutcomeOf[M["kind"]]>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("The load does not come to its end")), givenMs(mission));
    child.on("message", (message: FromGenerator) => {
      if ("moment" in message) {
        Promise.resolve(acts[message.moment]?.()).then(() => {
          if (child.connected) child.send("go on");
        }, reject);
        return;
      }
      clearTimeout(timer);
      if ("outcome" in message) resolve(message.outcome as OutcomeOf[M["kind"]]);
      else reject(new Error(message.failure));
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`The load generator ended with code ${code}`));
    });
    child.send(mission);
  }).finally(() => child.kill());
}

function givenMs(mission: Mission): number {
  if (mission.kind === "load") return mission.warmUpMs + mission.windowMs + PATIENCE_MS;
  if (mission.kind === "sessions") return mission.holdMs + mission.count * PER_SESSION_MS + PATIENCE_MS;
  if (mission.kind === "fan-out") return mission.watchers * PER_SESSION_MS + PATIENCE_MS;
  return PATIENCE_MS;
}
