/**
 * How Apache ZooKeeper takes a snapshot while txns go on (DataTree.serializeNode): ACLs and sessions first; then each node,
 * its children by the names it had at that moment, each looked up by path when its turn comes.
 */
import { JuteWriter } from "../../src/protocol/jute-writer.ts";
import type { Database } from "../../src/tree/database.ts";

/** Returns the next bytes, of at most so many nodes; null after the end marker. */
export function javaSnapshot(database: Database): (nodes: number) => Buffer | null {
  const parts = serialize(database);
  const head = parts.next().value;
  let ended = false;
  let first: Buffer | null = head ?? null;
  return (nodes) => {
    if (ended) return null;
    const slice: Buffer[] = first === null ? [] : [first];
    first = null;
    for (let i = 0; i < nodes && !ended; i++) {
      const part = parts.next();
      if (part.done === true) ended = true;
      else slice.push(part.value);
    }
    return Buffer.concat(slice);
  };
}

function* serialize(database: Database): Generator<Buffer, undefined> {
  const writer = new JuteWriter();
  writer.int(database.sessions.size);
  for (const [id, timeoutMs] of database.sessions) {
    writer.int64(id);
    writer.int(timeoutMs);
  }
  writer.int(database.acls.size);
  database.acls.forEach((key, acl) => {
    writer.long(key);
    writer.vectorCount(acl.length);
    for (const { perms, scheme, id } of acl) {
      writer.int(perms);
      writer.ustring(scheme);
      writer.ustring(id);
    }
  });
  yield writer.take();
  yield* serializeNode(database, "/");
  writer.ustring("/");
  yield writer.take();
}

function* serializeNode(database: Database, path: string): Generator<Buffer, undefined> {
  const { tree } = database;
  const node = tree.get(path);
  if (node === undefined) return;
  const stat = tree.stat(node);
  const writer = new JuteWriter();
  writer.ustring(path === "/" ? "" : path);
  tree.writeData(writer, node);
  writer.long(tree.aclKey(node));
  for (const long of [stat.czxid, stat.mzxid, stat.ctime, stat.mtime]) writer.long(long);
  for (const int of [stat.version, stat.cversion, stat.aversion]) writer.int(int);
  writer.int64(stat.ephemeralOwner);
  writer.long(stat.pzxid);
  const names = tree.childNames(node);
  yield writer.take();
  for (const name of names) yield* serializeNode(database, path === "/" ? `/${name}` : `${path}/${name}`);
}
