/** The known bugs of sessions, clients, watches and replay, M21–M32 and M41. */

import type { Mutant } from "../checker/check.ts";
import { REPLAY_MUTANTS } from "./replay-mutants.ts";

export const CLIENT_MUTANTS: readonly Mutant[] = [...REPLAY_MUTANTS];
