/** Named mixes of operations, with what prepares the ground for them. */
import { type Asked, create, type Mix } from "./requests.ts";

function registers(keys: number): Asked[] {
  return Array.from({ length: keys }, (_, i) => create(`/r${i}`, "0", "persistent"));
}

const folders = ["/q", "/e", "/s"].map((path) => create(path, "", "persistent"));

/** Everything at once, on few znodes. */
export function everything(keys = 2): Mix {
  return {
    keys,
    weights: {
      set: 6,
      cas: 4,
      get: 6,
      exists: 2,
      create: 3,
      delete: 3,
      list: 2,
      enqueue: 3,
      dequeue: 2,
      ephemeral: 3,
      multi: 3,
      sync: 1,
      syncGet: 3,
      watchGet: 3,
      watchExists: 3,
      watchList: 3,
      watchForEver: 1,
      watchBelow: 1,
      close: 0.3,
    },
    prepare: [...registers(keys), ...folders],
    final: [
      ...Array.from({ length: keys }, (_, i): Asked => ({ op: "getData", args: { path: `/r${i}` } })),
      { op: "getChildren", args: { path: "/q" } },
      { op: "getChildren", args: { path: "/e" } },
    ],
  };
}

/** Reads, writes and conditional writes of single znodes. */
export function registerMix(keys: number): Mix {
  return { keys, weights: { set: 3, cas: 3, get: 4, syncGet: 1 }, prepare: registers(keys) };
}
