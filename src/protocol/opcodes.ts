/** Numbers of the client protocol: request types, reserved xids, permission bits and create flags (ZooDefs, CreateMode). */

/** Request and txn types (ZooDefs.OpCode). Negative ones never come from a client, except closeSession. */
export const OpCode = {
  notification: 0,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
  error: -1,
} as const;
export type OpCode = (typeof OpCode)[keyof typeof OpCode];

/** Xids with a meaning of their own; ordinary requests count up from 1. */
export const Xid = {
  notification: -1,
  ping: -2,
  auth: -4,
  setWatches: -8,
} as const;
export type Xid = (typeof Xid)[keyof typeof Xid];

/** Bits of `Acl.perms` (ZooDefs.Perms). CREATE and DELETE are checked on the parent. */
export const Perms = {
  READ: 1,
  WRITE: 2,
  CREATE: 4,
  DELETE: 8,
  ADMIN: 16,
  ALL: 31,
} as const;

/** The `flags` of a create request (CreateMode). Not a bit set: 4, 5 and 6 are modes of their own. */
export const CreateFlags = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTTL: 5,
  persistentSequentialWithTTL: 6,
} as const;
export type CreateFlags = (typeof CreateFlags)[keyof typeof CreateFlags];

/** `mode` of an addWatch request (ZooDefs.AddWatchModes). */
export const AddWatchMode = {
  persistent: 0,
  persistentRecursive: 1,
} as const;
export type AddWatchMode = (typeof AddWatchMode)[keyof typeof AddWatchMode];

/** `type` of checkWatches and removeWatches (Watcher.WatcherType); 4 and 5 exist since 3.9.0. */
export const WatcherType = {
  children: 1,
  data: 2,
  any: 3,
  persistent: 4,
  persistentRecursive: 5,
} as const;
export type WatcherType = (typeof WatcherType)[keyof typeof WatcherType];

const names = new Map<number, string>(Object.entries(OpCode).map(([name, code]) => [code, name]));

/** `getData`, or `unknown(55)`. For reports and traces. */
export function opName(code: number): string {
  return names.get(code) ?? `unknown(${code})`;
}
