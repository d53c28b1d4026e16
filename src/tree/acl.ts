import type { Acl, Id } from "../../spec/vocabulary.ts";

const notYet = (): never => {
  throw new Error("not yet");
};

export const OPEN_ACL: readonly Acl[] = [{ perms: 31, scheme: "world", id: "anyone" }];

/** `perms`: bits of Perms; any overlap suffices. An empty list allows everything, as does an id of scheme "super". */
export function checkAcl(_acl: readonly Acl[], _perms: number, _ids: readonly Id[]): boolean {
  return notYet();
}
/** What a create or setACL stores: no duplicates, "auth" expanded. null: INVALIDACL. */
export function fixupAcl(_acl: readonly Acl[] | null, _ids: readonly Id[]): readonly Acl[] | null {
  return notYet();
}
/** The ACL as getACL shows it to someone without ADMIN: digest hashes become "x". */
export function redactAcl(_acl: readonly Acl[]): readonly Acl[] {
  return notYet();
}
/** Ids that an auth request adds to a connection; null: AUTHFAILED. `remoteHost`: for scheme "ip". */
export function authenticate(
  _scheme: string,
  _auth: Buffer,
  _options: {
    readonly sha1: (bytes: Uint8Array) => Uint8Array;
    readonly superDigest: string | null;
    readonly remoteHost: string;
  },
): readonly Id[] | null {
  return notYet();
}
