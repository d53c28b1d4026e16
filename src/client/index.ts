/** The TypeScript client: works with Zoetrope and with Apache ZooKeeper. */
export type { Acl, SessionId, Zxid } from "../../spec/vocabulary.ts";
export { ErrorCode } from "../protocol/error-codes.ts";
export { OpCode, Perms } from "../protocol/opcodes.ts";
export { type ClientOptions, connect } from "./connect.ts";
export type { ClientPhase } from "./connection-core.ts";
export type { BackoffOptions, SessionCredentials } from "./connection-options.ts";
export * from "./errors.ts";
export type { ClientEnvironment, ServerAddress } from "./io.ts";
export type { ClientObserver, ConnectionInfo, ReplyInfo, RequestInfo } from "./observer.ts";
export {
  ANY_VERSION,
  CREATOR_ALL_ACL,
  type CreateOptions,
  type Data,
  OPEN_ACL,
  READ_ACL,
  type TransactionOp,
} from "./operations.ts";
export type { AclResult, ChildrenResult, CreateResult, DataResult, MultiResult, Stat } from "./replies.ts";
export type { Transaction } from "./transaction.ts";
export type { SessionState, WatchedEvent, WatchedEventType, Watcher } from "./watches.ts";
export { type ClientInfo, type StateListener, ZooKeeper } from "./zookeeper.ts";
