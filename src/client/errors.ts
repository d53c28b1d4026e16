/** What an operation can end with instead of a result (KeeperException): one class per code that applications tell apart. */
import { ErrorCode } from "../protocol/error-codes.ts";

/** The client was closed by its owner; never sent by a server (ZCLOSING of the C client). */
export const CLOSING = -116;

/**
 * `code` is the wire's (ErrorCode), `name` its readable form ("NoNode"), `path` the client's path of the operation, if it
 * has one. The message is Java's: `KeeperErrorCode = NoNode for /a`.
 */
export class ZooKeeperError extends Error {
  readonly code: number;
  readonly path: string | null;
  /** Of a failed multi: the code of each op; 0 before the one that failed, RUNTIMEINCONSISTENCY after it. */
  readonly results: readonly number[] | null;

  constructor(code: number, path: string | null, message?: string, results: readonly number[] | null = null) {
    const text = codeText(code);
    super(message ?? (path === null ? `KeeperErrorCode = ${text}` : `KeeperErrorCode = ${text} for ${path}`));
    this.name = codeName(code);
    this.code = code;
    this.path = path;
    this.results = results;
  }
}

/** The connection broke, or there is none: the operation may or may not have happened. */
export class ConnectionLoss extends ZooKeeperError {}
/** A server said that the session is gone, and its ephemeral nodes with it. This client is of no more use. */
export class SessionExpired extends ZooKeeperError {}
/** A server refused the credentials of `addAuth`. This client is of no more use. */
export class AuthFailed extends ZooKeeperError {}
/** `close` was called before. */
export class ClientClosed extends ZooKeeperError {}
export class NoNode extends ZooKeeperError {}
export class NodeExists extends ZooKeeperError {}
export class NotEmpty extends ZooKeeperError {}
export class BadVersion extends ZooKeeperError {}
export class NoAuth extends ZooKeeperError {}
export class InvalidAcl extends ZooKeeperError {}
export class NoChildrenForEphemerals extends ZooKeeperError {}
/** A write reached a server without a quorum. */
export class NotReadOnly extends ZooKeeperError {}
export class NoWatcher extends ZooKeeperError {}
export class Unimplemented extends ZooKeeperError {}
export class QuotaExceeded extends ZooKeeperError {}
export class BadArguments extends ZooKeeperError {
  constructor(path: string | null, message?: string, results: readonly number[] | null = null) {
    super(ErrorCode.BADARGUMENTS, path, message, results);
  }
}

type ErrorClass = new (
  code: number,
  path: string | null,
  message?: string,
  results?: readonly number[] | null,
) => ZooKeeperError;

/** Class, name, and Java's text where it differs from the name (KeeperException.getCodeMessage). */
type Kind = readonly [type: ErrorClass, name: string, text?: string];

const kinds = new Map<number, Kind>([
  [ErrorCode.SYSTEMERROR, [ZooKeeperError, "SystemError"]],
  [ErrorCode.RUNTIMEINCONSISTENCY, [ZooKeeperError, "RuntimeInconsistency"]],
  [ErrorCode.DATAINCONSISTENCY, [ZooKeeperError, "DataInconsistency"]],
  [ErrorCode.CONNECTIONLOSS, [ConnectionLoss, "ConnectionLoss"]],
  [ErrorCode.MARSHALLINGERROR, [ZooKeeperError, "MarshallingError"]],
  [ErrorCode.UNIMPLEMENTED, [Unimplemented, "Unimplemented"]],
  [ErrorCode.OPERATIONTIMEOUT, [ZooKeeperError, "OperationTimeout"]],
  [ErrorCode.NEWCONFIGNOQUORUM, [ZooKeeperError, "NewConfigNoQuorum"]],
  [ErrorCode.RECONFIGINPROGRESS, [ZooKeeperError, "ReconfigInProgress"]],
  [ErrorCode.APIERROR, [ZooKeeperError, "APIError"]],
  [ErrorCode.NONODE, [NoNode, "NoNode"]],
  [ErrorCode.NOAUTH, [NoAuth, "NoAuth"]],
  [ErrorCode.BADVERSION, [BadVersion, "BadVersion"]],
  [ErrorCode.NOCHILDRENFOREPHEMERALS, [NoChildrenForEphemerals, "NoChildrenForEphemerals"]],
  [ErrorCode.NODEEXISTS, [NodeExists, "NodeExists"]],
  [ErrorCode.NOTEMPTY, [NotEmpty, "NotEmpty", "Directory not empty"]],
  [ErrorCode.SESSIONEXPIRED, [SessionExpired, "SessionExpired", "Session expired"]],
  [ErrorCode.INVALIDCALLBACK, [ZooKeeperError, "InvalidCallback", "Invalid callback"]],
  [ErrorCode.INVALIDACL, [InvalidAcl, "InvalidACL"]],
  [ErrorCode.AUTHFAILED, [AuthFailed, "AuthFailed"]],
  [CLOSING, [ClientClosed, "ClientClosed", "Client is closed"]],
  [ErrorCode.SESSIONMOVED, [ZooKeeperError, "SessionMoved", "Session moved"]],
  [ErrorCode.NOTREADONLY, [NotReadOnly, "NotReadOnly", "Not a read-only call"]],
  [ErrorCode.EPHEMERALONLOCALSESSION, [ZooKeeperError, "EphemeralOnLocalSession", "Ephemeral node on local session"]],
  [ErrorCode.NOWATCHER, [NoWatcher, "NoWatcher", "No such watcher"]],
  [ErrorCode.RECONFIGDISABLED, [ZooKeeperError, "ReconfigDisabled", "Reconfig is disabled"]],
  [
    ErrorCode.SESSIONCLOSEDREQUIRESASLAUTH,
    [ZooKeeperError, "SessionClosedRequireSaslAuth", "Session closed because client failed to authenticate"],
  ],
  [ErrorCode.QUOTAEXCEEDED, [QuotaExceeded, "QuotaExceeded", "Quota has exceeded"]],
  [ErrorCode.THROTTLEDOP, [ZooKeeperError, "ThrottledOp", "Op throttled due to high load"]],
]);

function codeName(code: number): string {
  if (code === ErrorCode.BADARGUMENTS) return "BadArguments";
  return kinds.get(code)?.[1] ?? `Unknown(${code})`;
}

function codeText(code: number): string {
  const kind = kinds.get(code);
  return (
    kind?.[2] ?? (kind === undefined && code !== ErrorCode.BADARGUMENTS ? `Unknown error ${code}` : codeName(code))
  );
}

/** The error for a reply's code. */
export function errorFor(code: number, path: string | null, results: readonly number[] | null = null): ZooKeeperError {
  if (code === ErrorCode.BADARGUMENTS) return new BadArguments(path, undefined, results);
  const type = kinds.get(code)?.[0] ?? ZooKeeperError;
  return new type(code, path, undefined, results);
}
