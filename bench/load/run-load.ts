/** Starts the load generator's process, gives it its mission and waits for what it measured. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Answer, Mission, Outcome } from "./generator.ts";

const GENERATOR = fileURLToPath(new URL("./generator.js", import.meta.url));
/** Beyond the time that the mission itself takes. */
const PATIENCE_MS = 30_000;

/** @throws Error: a session failed, or the load did not end in time. */
export function runLoad(mission: Mission): Promise<Outcome> {
  const child = fork(GENERATOR, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  return new Promise<Outcome>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error("The load does not come to its end")),
      mission.warmUpMs + mission.windowMs + PATIENCE_MS,
    );
    child.once("message", (answer: Answer) => {
      clearTimeout(timer);
      if ("outcome" in answer) resolve(answer.outcome);
      else reject(new Error(answer.failure));
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`The load generator ended with code ${code}`));
    });
    child.send(mission);
  }).finally(() => child.kill());
}
