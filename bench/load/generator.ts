/**
 * The load generator, a process of its own, so that its work is told apart from the servers'. Started by `runLoad`; its mission
 * comes as a message, its answer is one.
 */
import { failover } from "./missions/failover.ts";
import type { FromGenerator, Mission, OutcomeOf, Stage } from "./missions/mission.ts";
import { manySessions } from "./missions/sessions.ts";
import { load, prepare } from "./missions/steady.ts";
import { distinctWatches, fanOut } from "./missions/watching.ts";

let goOn: () => void = () => {};

function tell(message: FromGenerator): void {
  process.send?.(message, () => process.exit(0));
}

const stage: Stage = {
  moment: (moment) =>
    new Promise((resolve) => {
      goOn = resolve;
      process.send?.({ moment } satisfies FromGenerator);
    }),
  fail: (error) => tell({ failure: error.message }),
};

function run(mission: Mission): Promise<OutcomeOf[Mission["kind"]]> {
  switch (mission.kind) {
    case "prepare":
      return prepare(mission, stage);
    case "load":
      return load(mission, stage);
    case "fan-out":
      return fanOut(mission, stage);
    case "distinct-watches":
      return distinctWatches(mission, stage);
    case "sessions":
      return manySessions(mission, stage);
    case "failover":
      return failover(mission, stage);
  }
}

process.on("message", (message: Mission | "go on") => {
  if (message === "go on") return goOn();
  run(message).then(
    (outcome) => tell({ outcome }),
    (error: Error) => stage.fail(error),
  );
});
// Whoever started this process is gone.
process.once("disconnect", () => process.exit(1));
