/** The Schema of `format.ts`: for tests, generators, and for judging a history that somebody else wrote. */
import { Schema as S } from "effect";
import type { Line, RunManifest } from "./format.ts";

const opt = S.optionalWith;
const maybe = <A, I>(schema: S.Schema<A, I>) => opt(schema, { exact: true });
const Count = S.NonNegativeInt;
const Zxid = S.Int.pipe(S.greaterThanOrEqualTo(-1));
const Session = S.String.pipe(S.pattern(/^0x[0-9a-f]{1,16}$/));
const Path = S.String.pipe(S.startsWith("/"));
const Data = S.NullOr(S.String);

export const Stat = S.Struct({
  czxid: Count,
  mzxid: Count,
  pzxid: Count,
  ctime: S.Int,
  mtime: S.Int,
  version: S.Int,
  cversion: S.Int,
  aversion: S.Int,
  ephemeralOwner: Session,
  dataLength: Count,
  numChildren: Count,
});
const Acl = S.Struct({ perms: Count, scheme: S.String, id: S.String });
const Mode = S.Literal(
  "persistent",
  "ephemeral",
  "persistentSequential",
  "ephemeralSequential",
  "container",
  "persistentWithTTL",
  "persistentSequentialWithTTL",
);

const Create = S.Struct({ path: Path, data: Data, mode: Mode, ttlMs: maybe(Count), acl: maybe(S.Array(Acl)) });
const Versioned = S.Struct({ path: Path, version: S.Int });
const SetData = S.Struct({ path: Path, version: S.Int, data: Data });
const SetAcl = S.Struct({ path: Path, version: S.Int, acl: S.Array(Acl) });
const Read = S.Struct({ path: Path, watch: maybe(S.Boolean) });
const Nothing = S.Struct({});
const Sub = S.Union(
  S.Struct({ op: S.Literal("create"), args: Create }),
  S.Struct({ op: S.Literal("delete"), args: Versioned }),
  S.Struct({ op: S.Literal("setData"), args: SetData }),
  S.Struct({ op: S.Literal("check"), args: Versioned }),
);
const SubResult = S.Struct({ path: maybe(Path), stat: maybe(Stat) });

/** By operation: what is asked, what a success answers. */
const OPERATIONS = {
  create: [Create, S.Struct({ path: Path, stat: maybe(Stat) })],
  delete: [Versioned, Nothing],
  setData: [SetData, S.Struct({ stat: Stat })],
  setACL: [SetAcl, S.Struct({ stat: Stat })],
  multi: [S.Struct({ ops: S.Array(Sub) }), S.Struct({ results: S.Array(SubResult) })],
  getData: [Read, S.Struct({ data: Data, stat: Stat })],
  exists: [Read, S.Struct({ stat: Stat })],
  getChildren: [Read, S.Struct({ children: S.Array(S.String), stat: maybe(Stat) })],
  getACL: [Read, S.Struct({ acl: S.Array(Acl), stat: Stat })],
  sync: [Read, Nothing],
  addWatch: [S.Struct({ path: Path, mode: S.Literal("persistent", "persistentRecursive") }), Nothing],
  removeWatches: [S.Struct({ path: Path, type: S.Literal("children", "data", "any") }), Nothing],
  setWatches: [S.Struct({ relativeZxid: maybe(Zxid) }), Nothing],
  closeSession: [Nothing, Nothing],
} as const;

const where = { proc: Count, session: Session, conn: Count, server: Count };
const completion = { t: Count, id: Count, xid: S.Int, zxid: Zxid, ...where };

const invoke = <const Op extends keyof typeof OPERATIONS>(op: Op) =>
  S.Struct({
    kind: S.Literal("invoke"),
    t: Count,
    id: Count,
    xid: S.Int,
    ...where,
    op: S.Literal(op),
    args: OPERATIONS[op][0] as (typeof OPERATIONS)[Op][0],
  });

const Invoke = S.Union(
  invoke("create"),
  invoke("delete"),
  invoke("setData"),
  invoke("setACL"),
  invoke("multi"),
  invoke("getData"),
  invoke("exists"),
  invoke("getChildren"),
  invoke("getACL"),
  invoke("sync"),
  invoke("addWatch"),
  invoke("removeWatches"),
  invoke("setWatches"),
  invoke("closeSession"),
);
/** Which of the results belongs to the operation is not said on the line; `resultSchema` tells. Widest first. */
const Ok = S.Struct({
  kind: S.Literal("ok"),
  ...completion,
  res: S.Struct({
    path: maybe(Path),
    stat: maybe(Stat),
    data: maybe(Data),
    children: maybe(S.Array(S.String)),
    acl: maybe(S.Array(Acl)),
    results: maybe(S.Array(SubResult)),
  }),
});

export const LineSchema = S.Union(
  S.Struct({
    kind: S.Literal("header"),
    format: S.Literal("zoetrope-history"),
    version: S.Literal(1),
    startedAt: Count,
  }),
  Invoke,
  Ok,
  S.Struct({
    kind: S.Literal("fail"),
    ...completion,
    err: S.String,
    res: maybe(S.Struct({ results: S.Array(S.String) })),
  }),
  S.Struct({ kind: S.Literal("info"), ...completion, err: S.String }),
  S.Struct({
    kind: S.Literal("event"),
    t: Count,
    ...where,
    type: S.Literal("created", "deleted", "dataChanged", "childrenChanged"),
    path: Path,
    zxid: Zxid,
  }),
  S.Struct({
    kind: S.Literal("conn"),
    t: Count,
    ...where,
    state: S.Literal("connecting", "connected", "readOnly", "disconnected", "expired", "closed", "authFailed"),
    timeoutMs: maybe(Count),
    lastZxidSeen: maybe(Zxid),
  }),
  S.Struct({
    kind: S.Literal("fault"),
    t: Count,
    fault: S.String,
    nemesis: S.String,
    action: S.Literal("inject", "heal", "point", "skipped"),
    targets: S.Array(Count),
    detail: S.String,
  }),
  S.Struct({
    kind: S.Literal("server"),
    t: Count,
    server: Count,
    state: S.Literal(
      "started",
      "looking",
      "following",
      "leading",
      "observing",
      "exited",
      "killed",
      "paused",
      "resumed",
    ),
    epoch: maybe(Count),
    detail: maybe(S.String),
  }),
  S.Struct({ kind: S.Literal("phase"), t: Count, phase: S.Literal("load", "heal", "final") }),
  S.Struct({ kind: S.Literal("digest"), t: Count, server: Count, zxid: Zxid, digest: S.String }),
  S.Struct({ kind: S.Literal("end"), t: Count, lines: Count }),
);

/** What a success of this operation must look like. */
export function resultSchema(op: keyof typeof OPERATIONS) {
  return OPERATIONS[op][1];
}

export const ManifestSchema = S.Struct({
  format: S.Literal("zoetrope-history"),
  version: S.Literal(1),
  name: S.String,
  command: S.String,
  seed: S.Int,
  box: S.Literal("white", "black"),
  system: S.String,
  servers: S.Array(Count),
  workloads: S.Array(S.String),
  nemeses: S.Array(S.String),
  tickTimeMs: Count,
  floors: S.Struct({
    completed: maybe(Count),
    leaderChanges: maybe(Count),
    offeredPerSecond: maybe(S.NonNegative),
    recoveredShare: maybe(S.NonNegative),
    recoveryWithinMs: maybe(Count),
    determinateShare: maybe(S.NonNegative),
  }),
});

/** Schema and types say the same: these lines do not compile otherwise. */
type Same<A, B> = A extends B ? true : never;
export const manifestIsTyped: Same<typeof ManifestSchema.Type, RunManifest> = true;
export const linesAreTyped: Same<(typeof LineSchema.Type)["kind"], Line["kind"]> = true;
