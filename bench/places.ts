/** Where the bench keeps things. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** From build/bench. */
export const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
export const RESULTS = join(CHECKOUT, "runs", "bench");
export const BASELINE = join(CHECKOUT, "bench", "baseline.json");
/** Goes with the baseline into the repository. */
export const RECORDED_HISTORY = join(CHECKOUT, "bench", "history.jsonl");
/** Every run on this machine. */
export const LOCAL_HISTORY = join(RESULTS, "history.jsonl");
export const HISTORIES = [RECORDED_HISTORY, LOCAL_HISTORY];
