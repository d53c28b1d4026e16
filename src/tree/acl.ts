/** Who may do what: ACL checks and the lists that nodes store (ZooKeeperServer.checkACL, PrepRequestProcessor.fixupACL). */
import type { Acl, Id } from "../../spec/vocabulary.ts";
import { isIpPattern, matchesIp } from "./ip-pattern.ts";

export { OPEN_ACL, OPEN_ACL_KEY } from "./acl-cache.ts";

/** `perms`: bits of Perms; any overlap suffices. An empty list allows everything, as does an id of scheme "super". */
export function checkAcl(acl: readonly Acl[], perms: number, ids: readonly Id[]): boolean {
  if (acl.length === 0) return true;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i]!.scheme === "super") return true;
  }
  for (let i = 0; i < acl.length; i++) {
    const entry = acl[i]!;
    if ((entry.perms & perms) === 0) continue;
    if (isAnyone(entry)) return true;
    for (let j = 0; j < ids.length; j++) {
      const id = ids[j]!;
      if (id.scheme === entry.scheme && matches(entry, id.id)) return true;
    }
  }
  return false;
}

/**
 * What a create or setACL stores: no duplicates, "auth" expanded to the connection's authenticated ids. null: INVALIDACL
 * (empty, an unknown scheme, an id its scheme refuses, "auth" without authentication).
 */
export function fixupAcl(acl: readonly Acl[] | null, ids: readonly Id[]): readonly Acl[] | null {
  if (acl === null || acl.length === 0) return null;
  const fixed: Acl[] = [];
  for (const [index, entry] of acl.entries()) {
    if (acl.findIndex((other) => isSame(other, entry)) < index) continue;
    if (entry.scheme === "auth") {
      const authenticated = ids.filter((id) => id.scheme === "digest");
      if (authenticated.length === 0) return null;
      for (const id of authenticated) fixed.push({ perms: entry.perms, scheme: id.scheme, id: id.id });
    } else {
      if (!isStorable(entry)) return null;
      fixed.push(entry);
    }
  }
  return fixed;
}

/** As getACL shows it to someone without ADMIN: digests become "x". */
export function redactAcl(acl: readonly Acl[]): readonly Acl[] {
  return acl.map((entry) => (entry.scheme === "digest" ? { ...entry, id: `${entry.id.split(":", 1)[0]}:x` } : entry));
}

/** What a connection's auth request may prove, and where. */
export interface AuthenticationOptions {
  readonly sha1: (bytes: Uint8Array) => Uint8Array;
  /** The `user:base64(sha1)` that is allowed everything (`zookeeper.DigestAuthenticationProvider.superDigest`). */
  readonly superDigest: string | null;
  /** For scheme "ip": the peer's address. */
  readonly remoteHost: string;
}

/** Ids that an auth request adds to a connection; null: AUTHFAILED. */
export function authenticate(scheme: string, auth: Buffer, options: AuthenticationOptions): readonly Id[] | null {
  if (scheme === "ip") return [{ scheme, id: options.remoteHost }];
  if (scheme !== "digest") return null;
  const id = digestId(auth, options.sha1);
  return id === options.superDigest
    ? [
        { scheme: "super", id: "" },
        { scheme, id },
      ]
    : [{ scheme, id }];
}

/** `user:password` → `user:base64(sha1(user:password))`. The user ends at the first colon. */
export function digestId(auth: Buffer, sha1: (bytes: Uint8Array) => Uint8Array): string {
  const user = auth.toString("utf8").split(":", 1)[0]!;
  return `${user}:${Buffer.from(sha1(auth)).toString("base64")}`;
}

function isAnyone(entry: Acl): boolean {
  return entry.scheme === "world" && entry.id === "anyone";
}

function isSame(a: Acl, b: Acl): boolean {
  return a.perms === b.perms && a.scheme === b.scheme && a.id === b.id;
}

function isStorable(entry: Acl): boolean {
  switch (entry.scheme) {
    case "world":
      return entry.id === "anyone";
    case "digest":
      return isDigestId(entry.id);
    case "ip":
      return isIpPattern(entry.id);
    default:
      return false;
  }
}

/** Two parts around a colon, as Java's split counts them: empty parts at the end do not count. */
function isDigestId(id: string): boolean {
  const parts = id.split(":");
  while (parts.length > 0 && parts.at(-1) === "") parts.pop();
  return parts.length === 2;
}

/** Schemes of other servers (sasl, x509) may be stored in their snapshots: equality is what they all start from. */
function matches(entry: Acl, id: string): boolean {
  return entry.scheme === "ip" ? matchesIp(entry.id, id) : entry.id === id;
}
