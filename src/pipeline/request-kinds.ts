import { OpCode } from "../protocol/opcodes.ts";

/** How a request travels through a server. */
export const RequestKind = {
  /** Nobody knows it, or only servers may say it: answered UNIMPLEMENTED, then the connection is closed. */
  unknown: 0,
  /** Answered here, from this server's tree, in the order of its session. */
  read: 1,
  /** Becomes a txn. */
  write: 2,
  sync: 3,
  /** Answered at once, ahead of what waits. */
  auth: 4,
  sasl: 5,
} as const;

const KINDS = new Uint8Array(128);

const kinds: readonly (readonly [number, readonly number[]])[] = [
  [
    RequestKind.read,
    [
      OpCode.ping,
      OpCode.exists,
      OpCode.getData,
      OpCode.getACL,
      OpCode.getChildren,
      OpCode.getChildren2,
      OpCode.multiRead,
      OpCode.getEphemerals,
      OpCode.getAllChildrenNumber,
      OpCode.whoAmI,
      OpCode.setWatches,
      OpCode.setWatches2,
      OpCode.addWatch,
      OpCode.checkWatches,
      OpCode.removeWatches,
    ],
  ],
  [
    RequestKind.write,
    [
      OpCode.create,
      OpCode.create2,
      OpCode.createContainer,
      OpCode.createTTL,
      OpCode.delete,
      OpCode.setData,
      OpCode.setACL,
      OpCode.multi,
      OpCode.reconfig,
    ],
  ],
  [RequestKind.sync, [OpCode.sync]],
  [RequestKind.auth, [OpCode.auth]],
  [RequestKind.sasl, [OpCode.sasl]],
];
for (const [kind, ops] of kinds) for (const op of ops) KINDS[op] = kind;

/**
 * One of RequestKind. Not here: check outside a multi, createSession and deleteContainer. Apache 3.8.0 takes them from a
 * client, and a logged top-level check makes its log unreadable.
 */
export function kindOf(op: number): number {
  if (op >= 0 && op < KINDS.length) return KINDS[op] as number;
  return op === OpCode.closeSession ? RequestKind.write : RequestKind.unknown;
}
