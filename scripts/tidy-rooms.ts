/** Who may import whom, and who may touch the world. The table that docs/architecture.md draws. */

/** What pure rooms may use of the runtime; the rest of it belongs to the server. */
const PURE_RUNTIME = ["assert", "errors", "environment", "counters", "chart", "compiled-table", "tracer"].map(
  (name) => `src/runtime/${name}.ts`,
);

export interface Room {
  /** Rooms and single files it may import, besides itself. */
  readonly imports: readonly string[];
  /** Packages and Node's modules. */
  readonly packages: readonly string[];
  /**
   * "pure": no clock, timer, randomness, process, console or promise: the checker could run it unchanged.
   * "quiet": the same, but promises are its API. "open": it is where the world comes in, or a tool.
   */
  readonly touch: "pure" | "quiet" | "open";
}

/** Data, not resources: fine in any room. */
const HARMLESS = ["node:buffer", "node:zlib"];
const ANY = ["*"];

function pure(imports: readonly string[], packages: readonly string[] = []): Room {
  return { imports, packages: [...HARMLESS, ...packages], touch: "pure" };
}

export const ROOMS: Readonly<Record<string, Room>> = {
  spec: pure([], ["xstate"]),
  "src/protocol": pure(["spec/vocabulary.ts", ...PURE_RUNTIME]),
  "src/tree": pure(["spec", "src/protocol", ...PURE_RUNTIME]),
  "src/session": pure(["spec", "src/protocol", ...PURE_RUNTIME]),
  "src/connection": pure(["spec", "src/protocol", "src/session", "src/runtime"]),
  "src/ensemble": pure(["spec", "src/protocol", ...PURE_RUNTIME]),
  // A snapshot is the tree on disk, and recovery fills the tree.
  "src/storage": pure(["spec", "src/protocol", "src/tree", ...PURE_RUNTIME]),
  "src/pipeline": pure([
    "spec",
    "src/protocol",
    "src/tree",
    "src/session",
    "src/connection",
    "src/ensemble",
    ...PURE_RUNTIME,
  ]),
  "src/runtime": pure(["spec"], ["xstate"]),
  "src/server": pure([
    "spec",
    "src/protocol",
    "src/tree",
    "src/session",
    "src/connection",
    "src/ensemble",
    "src/storage",
    "src/pipeline",
    "src/runtime",
  ]),
  "src/admin": pure(["spec", "src/server", ...PURE_RUNTIME]),
  "src/host": {
    imports: ["spec", "src/server", "src/admin", "src/protocol", "src/runtime"],
    packages: ANY,
    touch: "open",
  },
  "src/client": { imports: ["spec", "src/protocol", "src/runtime"], packages: [...HARMLESS, "xstate"], touch: "quiet" },
  "src/cli": {
    imports: ["spec", "src/host", "src/client", "src/server/version.ts"],
    packages: ANY,
    touch: "open",
  },
  "model-tests": {
    imports: ["spec", "src/client", "src/server", "src/admin", ...pureRooms()],
    packages: ANY,
    touch: "open",
  },
  // Servers and commands are processes to it; what they leave on disk is evidence, read with the formats' own code.
  linearizability: {
    imports: ["spec", "src/client", "src/protocol", "src/tree", "src/storage", "src/runtime", "model-tests"],
    packages: ANY,
    touch: "open",
  },
  bench: { imports: ANY, packages: ANY, touch: "open" },
  scripts: { imports: ANY, packages: ANY, touch: "open" },
};

function pureRooms(): string[] {
  return ["protocol", "tree", "session", "connection", "ensemble", "storage", "pipeline", "runtime"].map(
    (name) => `src/${name}`,
  );
}

/** The edge of the server, as types: whoever works with inputs and effects may name them. */
export const BOUNDARY: readonly string[] = ["src/server/io.ts", "src/storage/disk-io.ts"];

/** The client stands without the server, so it has its own two windows to the world. */
export const WINDOWS: readonly string[] = ["src/client/socket.ts", "src/client/clock.ts"];

/** The room that a file is in: the longest name that its path begins with. */
export function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS)
    .filter((name) => path.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0];
}
