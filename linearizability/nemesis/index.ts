/** All nemeses, by name. "everything" stands for all of them at once. */
import { CLIENT_NEMESES } from "./clients.ts";
import { DAMAGE_NEMESES } from "./damage.ts";
import { DISK_NEMESES } from "./disks.ts";
import { HISTORY_NEMESES } from "./histories.ts";
import { LINK_NEMESES } from "./links.ts";
import { LOST_WRITES_NEMESES } from "./lost-writes.ts";
import type { Nemesis } from "./nemesis.ts";
import { PARTITION_NEMESES } from "./partitions.ts";
import { PROCESS_NEMESES } from "./processes.ts";

export const NEMESES: readonly Nemesis[] = [
  ...PROCESS_NEMESES,
  ...PARTITION_NEMESES,
  ...LINK_NEMESES,
  ...DISK_NEMESES,
  ...LOST_WRITES_NEMESES,
  ...DAMAGE_NEMESES,
  ...HISTORY_NEMESES,
  ...CLIENT_NEMESES,
];

export const EVERYTHING = "everything";
/** A run without faults. */
export const NONE = "none";
