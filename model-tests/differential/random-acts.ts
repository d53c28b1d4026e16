/**
 * Random scripts for two servers at once: a few clients write, read, watch, come and go on a few paths, so that they meet. Where
 * we differ from Apache on purpose (docs/deviations.md), no script goes.
 */
import fc from "fast-check";
import type { Acl } from "../../spec/vocabulary.ts";
import { AddWatchMode, CreateFlags, OpCode, WatcherType } from "../../src/protocol/opcodes.ts";
import { arbitraryOf } from "../../src/protocol/records.arbitrary.ts";
import {
  CreateRequest,
  DeleteRequest,
  GetChildrenRequest,
  GetDataRequest,
  SetACLRequest,
  SetDataRequest,
} from "../../src/protocol/records.ts";
import type { RawRequest } from "../support/raw-requests.ts";
import * as op from "../support/raw-requests.ts";

export const CLIENTS = 3;

/** Request: how it is made below the root of the script. Everything else is plain data, so that a failure can be read. */
export type Act =
  | {
      readonly act: "ask";
      readonly client: number;
      readonly what: string;
      readonly request: (root: string) => RawRequest;
    }
  /** The client drops its connection and comes back to its session, with the watches that it remembers. */
  | { readonly act: "reconnect"; readonly client: number; readonly watched: readonly string[] }
  /** The client closes its session and begins another. */
  | { readonly act: "close"; readonly client: number };

const NAMES = ["", "/a", "/b", "/a/a", "/a/b", "/b/a", "/é", "/a/a/a"];
const ODD = [
  "/a/",
  "//a",
  "/a/.",
  "/b/..",
  "/a/\u0001",
  "/missing/x",
  "/a/s0000000000",
  "/s0000000001",
  "/a/s0000000001",
];

const path = fc.oneof(
  { weight: 10, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 2, arbitrary: fc.constantFrom(...ODD) },
);
const sequence = fc.constantFrom("/s", "/a/s", "/a/", "/b/s");
const data = fc.constantFrom<(string | null)[]>(null, "", "x", "yes", "z".repeat(700));
const version = fc.constantFrom(-1, -1, -1, -1, 0, 0, 1, 2, 7, -2);
const ACLS: readonly (readonly Acl[])[] = [
  op.OPEN,
  op.OPEN,
  op.OPEN,
  [{ perms: 1, scheme: "world", id: "anyone" }],
  [{ perms: 23, scheme: "world", id: "anyone" }],
  [{ perms: 31, scheme: "auth", id: "" }],
  [
    { perms: 31, scheme: "digest", id: "ann:oiasY2AZbB4vd7nFSUzKnFbCvDM=" },
    { perms: 1, scheme: "world", id: "anyone" },
  ],
  [{ perms: 31, scheme: "ip", id: "127.0.0.1" }],
  [{ perms: 31, scheme: "ip", id: "10.0.0.0/8" }],
  [{ perms: 31, scheme: "ip", id: "nonsense" }],
  [{ perms: 31, scheme: "digest", id: "no colon" }],
  [{ perms: 31, scheme: "martian", id: "x" }],
  [],
  [
    { perms: 31, scheme: "world", id: "anyone" },
    { perms: 31, scheme: "world", id: "anyone" },
  ],
];
const acl = fc.constantFrom(...ACLS);
const flags = fc.constantFrom(
  CreateFlags.persistent,
  CreateFlags.persistent,
  CreateFlags.ephemeral,
  CreateFlags.persistentSequential,
  CreateFlags.ephemeralSequential,
);
const createType = fc.constantFrom(OpCode.create, OpCode.create2);
const isSequential = (mode: number): boolean =>
  mode === CreateFlags.persistentSequential || mode === CreateFlags.ephemeralSequential;

type Made = { readonly what: string; readonly request: (root: string) => RawRequest };
const made = (what: string, request: (root: string) => RawRequest): Made => ({ what, request });

/** `types`: a create2 in a multi is answered otherwise by 3.8.0. */
const create = (types: fc.Arbitrary<number>): fc.Arbitrary<Made> =>
  fc
    .record({ mode: flags, plain: path, seq: sequence, content: data, access: acl, type: types })
    .map(({ mode, plain, seq, content, access, type }) => {
      const below = isSequential(mode) ? seq : plain;
      return made(`create ${below} mode ${mode} type ${type} ${JSON.stringify(access)}`, (root) =>
        op.create(`${root}${below}`, { data: content, acl: access, flags: mode, type }),
      );
    });
const remove = fc
  .record({ below: path, at: version })
  .map(({ below, at }) => made(`delete ${below} ${at}`, (root) => op.remove(`${root}${below}`, at)));
const setData = fc
  .record({ below: path, content: data, at: version })
  .map(({ below, content, at }) =>
    made(`setData ${below} ${at}`, (root) => op.setData(`${root}${below}`, content, at)),
  );
const check = fc
  .record({ below: path, at: version })
  .map(({ below, at }) => made(`check ${below} ${at}`, (root) => op.check(`${root}${below}`, at)));
const setAcl = fc
  .record({ below: path, access: acl, at: version })
  .map(({ below, access, at }) =>
    made(`setACL ${below} ${at} ${JSON.stringify(access)}`, (root) => op.setAcl(`${root}${below}`, access, at)),
  );

const multi = fc
  .array(fc.oneof(create(fc.constant(OpCode.create)), remove, setData, check), { maxLength: 5 })
  .map((ops) =>
    made(`multi [${ops.map(({ what }) => what).join("; ")}]`, (root) => op.multi(ops.map((it) => it.request(root)))),
  );
const multiRead = fc
  .array(
    path.chain((below) =>
      fc.constantFrom(
        made(`getData ${below}`, (root: string) => op.getData(`${root}${below}`)),
        made(`getChildren ${below}`, (root: string) => op.getChildren(`${root}${below}`)),
      ),
    ),
    { maxLength: 4 },
  )
  .map((ops) =>
    made(`multiRead [${ops.map(({ what }) => what).join("; ")}]`, (root) =>
      op.multi(
        ops.map((it) => it.request(root)),
        OpCode.multiRead,
      ),
    ),
  );

const read = (watched: fc.Arbitrary<boolean>): fc.Arbitrary<Made> =>
  fc.tuple(path, watched, fc.nat({ max: 7 })).map(([below, watch, kind]) => {
    const at = (root: string) => `${root}${below}`;
    switch (kind) {
      case 0:
        return made(`exists ${below} ${watch}`, (root) => op.exists(at(root), watch));
      case 1:
        return made(`getData ${below} ${watch}`, (root) => op.getData(at(root), watch));
      case 2:
        return made(`getChildren ${below} ${watch}`, (root) => op.getChildren(at(root), watch));
      case 3:
        return made(`getChildren2 ${below} ${watch}`, (root) => op.getChildren(at(root), watch, OpCode.getChildren2));
      case 4:
        return made(`getACL ${below}`, (root) => op.getAcl(at(root)));
      case 5:
        return made(`getAllChildrenNumber ${below}`, (root) => op.plain(OpCode.getAllChildrenNumber, at(root)));
      case 6:
        return made(`getEphemerals ${below}`, (root) => op.plain(OpCode.getEphemerals, at(root)));
      default:
        return made(`sync ${below}`, (root) => op.sync(at(root)));
    }
  });

const persistentWatches = (mode: AddWatchMode): fc.Arbitrary<Made> =>
  fc
    .tuple(path, fc.nat({ max: 3 }))
    .map(([below, kind]) =>
      kind < 3
        ? made(`addWatch ${below} ${mode}`, (root) => op.addWatch(`${root}${below}`, mode))
        : made(`removeWatches ${below}`, (root) => op.removeWatches(`${root}${below}`, WatcherType.any)),
    );

const auth = fc
  .constantFrom("ann:secret", "bob:secret", "ann:other")
  .map((who) => made(`addauth ${who}`, () => op.auth("digest", who)));

/** Whole records from their declarations: any version, any permission bits, any data; only the path is one of ours. */
const declared: fc.Arbitrary<Made> = fc.oneof(
  fc
    .tuple(path, arbitraryOf(SetDataRequest))
    .map(([below, value]) =>
      made(`setData ${below} ${value.version}`, (root) => [
        OpCode.setData,
        (w) => SetDataRequest.write(w, { ...value, path: `${root}${below}` }),
      ]),
    ),
  fc
    .tuple(path, arbitraryOf(DeleteRequest))
    .map(([below, value]) =>
      made(`delete ${below} ${value.version}`, (root) => [
        OpCode.delete,
        (w) => DeleteRequest.write(w, { ...value, path: `${root}${below}` }),
      ]),
    ),
  fc
    .tuple(path, arbitraryOf(SetACLRequest))
    .map(([below, value]) =>
      made(`setACL ${below} ${JSON.stringify(value.acl)}`, (root) => [
        OpCode.setACL,
        (w) => SetACLRequest.write(w, { ...value, path: `${root}${below}` }),
      ]),
    ),
  fc
    .tuple(path, arbitraryOf(CreateRequest), flags)
    .map(([below, value, mode]) =>
      made(`create ${below} mode ${mode} ${JSON.stringify(value.acl)}`, (root) => [
        OpCode.create2,
        (w) => CreateRequest.write(w, { ...value, path: `${root}${below}`, flags: mode }),
      ]),
    ),
  fc
    .tuple(path, arbitraryOf(GetDataRequest))
    .map(([below]) =>
      made(`getData ${below}`, (root) => [
        OpCode.getData,
        (w) => GetDataRequest.write(w, { path: `${root}${below}`, watch: false }),
      ]),
    ),
  arbitraryOf(GetChildrenRequest).map((value) =>
    made(`getChildren ${JSON.stringify(value.path)}`, () => [
      OpCode.getChildren2,
      (w) => GetChildrenRequest.write(w, { ...value, watch: false }),
    ]),
  ),
);

const client = fc.nat({ max: CLIENTS - 1 });
const asked = (request: fc.Arbitrary<Made>): fc.Arbitrary<Act> =>
  fc.tuple(client, request).map(([who, { what, request: make }]) => ({
    act: "ask" as const,
    client: who,
    what,
    request: make,
    toString: () => `${who}: ${what}`,
  }));

/** One kind of watches per script: several on one path are a deviation. null: standard ones. */
function acts(mode: AddWatchMode | null): fc.Arbitrary<Act> {
  const persistent = mode !== null;
  return fc.oneof(
    { weight: 14, arbitrary: asked(create(createType)) },
    { weight: 6, arbitrary: asked(remove) },
    { weight: 6, arbitrary: asked(setData) },
    { weight: 3, arbitrary: asked(setAcl) },
    { weight: 5, arbitrary: asked(multi) },
    { weight: 12, arbitrary: asked(read(persistent ? fc.constant(false) : fc.boolean())) },
    { weight: 2, arbitrary: asked(multiRead) },
    { weight: persistent ? 6 : 0, arbitrary: asked(persistentWatches(mode ?? AddWatchMode.persistent)) },
    { weight: 1, arbitrary: asked(auth) },
    { weight: 3, arbitrary: asked(declared) },
    {
      weight: 1,
      arbitrary: fc.record({
        act: fc.constant("reconnect" as const),
        client,
        watched: fc.array(fc.constantFrom(...NAMES), { maxLength: persistent ? 0 : 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ act: fc.constant("close" as const), client }) },
  );
}

export function scripts(length: number): fc.Arbitrary<readonly Act[]> {
  const script = (mode: AddWatchMode | null) =>
    fc.array(acts(mode), { minLength: length / 2, maxLength: length, size: "max" });
  return fc.oneof(
    { weight: 4, arbitrary: script(null) },
    { weight: 1, arbitrary: script(AddWatchMode.persistent) },
    { weight: 1, arbitrary: script(AddWatchMode.persistentRecursive) },
  );
}
