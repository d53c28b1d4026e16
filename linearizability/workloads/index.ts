/** All workloads, by name. */
import { bank } from "./bank.ts";
import { election } from "./election.ts";
import { lock } from "./lock.ts";
import { pipeline } from "./pipeline.ts";
import { queue } from "./queue.ts";
import { register } from "./register.ts";
import { sessions } from "./sessions.ts";
import { set } from "./set.ts";
import type { Workload } from "./stage.ts";
import { watch } from "./watch.ts";

export const WORKLOADS: readonly Workload[] = [register, set, queue, lock, election, bank, watch, pipeline, sessions];
