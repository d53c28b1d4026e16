/** What it takes to let a nemesis strike, whichever. */
import type { Random } from "../cluster/random.ts";
import type { Field, Nemesis } from "./nemesis.ts";

export interface Strike {
  readonly random: Random;
  readonly over: boolean;
  readonly field: (nemesis: string) => Field;
  /** Over early when the run ends. */
  readonly rest: (ms: number) => Promise<void>;
  readonly say: (text: string) => void;
}

/** A fault that does not come about, say for want of a leader, is told and not the end of the run. */
export async function attemptStrike(strike: Strike, nemesis: Nemesis, holdMs: number): Promise<void> {
  try {
    await nemesis.strike(strike.field(nemesis.name), holdMs);
  } catch (error) {
    strike.say(`${nemesis.name} did not come about: ${(error as Error).message.split("\n")[0]}`);
  }
}
