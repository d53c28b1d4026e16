/** `npm run bench:history`: the trend over the runs of this machine and those that were recorded with a baseline. */
import { HISTORIES } from "../places.ts";
import { recall, trend } from "./history.ts";

process.stdout.write(`${trend(recall(HISTORIES))}\n`);
