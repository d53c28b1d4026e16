/** An oracle that elects: whatever fast leader election may come to, in one step. */

import { NO_ZXID } from "../../../spec/vocabulary.ts";
import type { Words } from "../../checker/model.ts";
import type { ElectionSteps, Elections } from "./elections.ts";
import { actionOf, type ZabBounds } from "./layout.ts";
import type { ServerInfo } from "./world.ts";

export class Oracle implements Elections {
  readonly #bounds: ZabBounds;
  readonly #quorumSize: number;

  constructor(bounds: ZabBounds) {
    this.#bounds = bounds;
    this.#quorumSize = Math.floor(bounds.servers / 2) + 1;
  }

  successors(_: Words, steps: ElectionSteps): void {
    const { servers, epochs } = this.#bounds;
    let highest = 0;
    for (let i = 0; i < servers; i++) highest = Math.max(highest, steps.info(i).acceptedEpoch);
    for (let leader = 0; leader < servers; leader++) {
      const info = steps.info(leader);
      if (info.looking && highest < epochs) this.#elect(steps, leader, info);
      if (info.listening) this.#join(steps, leader);
    }
  }

  isQuiet(): boolean {
    return true;
  }

  isWithin(): boolean {
    return true;
  }

  // It sees into the servers, and needs not be told.
  looks(): void {}
  serves(): void {}
  tidy(): void {}
  dies(): void {}

  /** With each minimal quorum of servers that look: a larger one is this one and others that join. */
  #elect(steps: ElectionSteps, leader: number, { vote }: ServerInfo): void {
    const { servers } = this.#bounds;
    for (let mask = 0; mask < 1 << servers; mask++) {
      if ((mask & (1 << leader)) === 0 || bits(mask) !== this.#quorumSize) continue;
      if (!this.#isElectorate(steps, mask, vote)) continue;
      const next = steps.fresh();
      steps.elected(next, leader, leader);
      for (let server = 0; server < servers; server++)
        if (server !== leader && (mask & (1 << server)) !== 0) steps.elected(next, server, leader);
      steps.emit(next, actionOf("elect", leader, 0, mask));
    }
  }

  #isElectorate(steps: ElectionSteps, mask: number, best: ServerInfo["vote"]): boolean {
    for (let server = 0; server < this.#bounds.servers; server++) {
      if ((mask & (1 << server)) === 0) continue;
      const { looking, vote } = steps.info(server);
      // A server that has lost its history has no vote.
      if (!looking || vote.zxid === NO_ZXID) return false;
      if (this.#bounds.oracle === "any") continue;
      if (vote.epoch > best.epoch || (vote.epoch === best.epoch && vote.zxid > best.zxid)) return false;
    }
    return true;
  }

  #join(steps: ElectionSteps, leader: number): void {
    for (let server = 0; server < this.#bounds.servers; server++) {
      if (server === leader || !steps.info(server).looking || !steps.mayConnect(server, leader)) continue;
      const next = steps.fresh();
      steps.elected(next, server, leader);
      steps.emit(next, actionOf("join", server, leader));
    }
  }
}

function bits(mask: number): number {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
