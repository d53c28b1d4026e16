/** The Schema of trace lines (format.ts): for tests, and for judging a trace that somebody else wrote. */
import { Schema as S } from "effect";

const N = S.Int.pipe(S.positive());
const Zxid = S.Int.pipe(S.greaterThanOrEqualTo(-1));
const Epoch = S.Int.pipe(S.greaterThanOrEqualTo(-1));
const ServerId = S.Int.pipe(S.between(-1, 255));
const kind = <K extends string>(name: K) => S.Literal(name);

export const ServerHeader = S.Struct({
  format: S.Literal(1),
  self: ServerId,
  standalone: S.Boolean,
  kind: S.Literal("participant", "observer"),
  forceSync: S.Boolean,
  quorum: S.Struct({
    voters: S.Array(ServerId),
    groups: S.optionalWith(S.Array(S.Array(ServerId)), { exact: true }),
    weights: S.optionalWith(S.Record({ key: S.String, value: S.NonNegativeInt }), { exact: true }),
  }),
});

const Chart = S.String.pipe(S.pattern(/^(peer|election|recovery|session|learner\.\d+)$/));
const Link = S.String.pipe(S.pattern(/^(leader|learner\.\d+)$/));
const Event = S.Struct({ type: S.NonEmptyString }, { key: S.String, value: S.Unknown });
const Packet = S.String.pipe(S.pattern(/^([A-Z]+|UNKNOWN\(-?\d+\))$/));

export const TraceLine = S.Union(
  S.Tuple(N, kind("server"), ServerHeader),
  S.Tuple(N, kind("step"), Chart, S.String, Event, S.NonEmptyString, S.NonNegative),
  S.Tuple(N, kind("unexpected"), Chart, S.String, S.NonEmptyString),
  S.Tuple(N, S.Literal("in", "out"), Link, Packet, Zxid),
  S.Tuple(N, S.Literal("log", "apply"), Zxid),
  S.Tuple(N, kind("ask"), S.Int, S.Literal("disk.write", "disk.rename"), S.NonEmptyString, S.Boolean),
  S.Tuple(N, kind("done"), S.Int),
  S.Tuple(N, kind("disk"), S.Literal("LOG_APPENDED", "SNAPSHOT_TAKEN"), Zxid),
  S.Tuple(N, kind("disk"), kind("EPOCH_WRITTEN"), S.Literal("acceptedEpoch", "currentEpoch"), Epoch),
  S.Tuple(N, kind("disk"), kind("RECOVERED"), Zxid, Epoch, Epoch),
  S.Tuple(N, kind("disk"), kind("STORAGE_FAILED"), S.String),
  S.Tuple(
    N,
    kind("vote"),
    ServerId,
    S.Literal("LOOKING", "FOLLOWING", "LEADING", "OBSERVING"),
    ServerId,
    Zxid,
    S.Int,
    Epoch,
  ),
  S.Tuple(N, kind("end")),
);
