import type { SessionId, Zxid } from "../../spec/vocabulary.ts";
import { JuteError, JuteReader } from "../protocol/jute-reader.ts";
import type { JuteWriter } from "../protocol/jute-writer.ts";
import { ConnectRequest, ConnectResponse, type RecordOf } from "../protocol/records.ts";
import { isSessionPassword, PASSWORD_LENGTH, sessionPassword } from "../protocol/session-password.ts";

const NO_SESSION = 0n as SessionId;
const NO_PASSWORD = Buffer.alloc(PASSWORD_LENGTH);

/** What to do with a ConnectRequest (ZooKeeperServer.processConnectRequest). Times in ms. */
export type Greeting =
  /** Close without an answer. */
  | { readonly verdict: "drop"; readonly reason: string }
  /** Answer that there is no such session, then close. */
  | { readonly verdict: "refuse"; readonly sendsReadOnly: boolean }
  | { readonly verdict: "create"; readonly sendsReadOnly: boolean; readonly timeoutMs: number }
  | {
      readonly verdict: "reattach";
      readonly sendsReadOnly: boolean;
      readonly timeoutMs: number;
      readonly sessionId: SessionId;
    };

export interface GreetingLimits {
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
}

/**
 * The password is judged before anything else happens to the session. (Java first closes the session's other connection, so
 * that there a wrong password still disconnects the real owner.)
 */
export function judgeConnectRequest(
  bytes: Buffer,
  start: number,
  end: number,
  lastProcessedZxid: Zxid,
  limits: GreetingLimits,
): Greeting {
  let request: RecordOf<typeof ConnectRequest>;
  try {
    request = ConnectRequest.read(new JuteReader(bytes, start, end));
  } catch (error) {
    if (!(error instanceof JuteError)) throw error;
    return { verdict: "drop", reason: `The first frame is no ConnectRequest: ${error.message}` };
  }
  const { lastZxidSeen, timeOut, sessionId, passwd, readOnly } = request;
  // This server is behind what the client has seen: its time must not run backwards (C4).
  if (lastZxidSeen > lastProcessedZxid) {
    return { verdict: "drop", reason: `The client has seen zxid ${lastZxidSeen}, this server ${lastProcessedZxid}` };
  }
  const sendsReadOnly = readOnly !== null;
  const timeoutMs = Math.max(limits.minSessionTimeoutMs, Math.min(limits.maxSessionTimeoutMs, timeOut));
  if (sessionId === 0n) return { verdict: "create", sendsReadOnly, timeoutMs };
  if (!isSessionPassword(sessionId, passwd)) return { verdict: "refuse", sendsReadOnly };
  return { verdict: "reattach", sendsReadOnly, timeoutMs, sessionId };
}

/** The frame that opens a session to the client. */
export function writeConnectResponse(
  writer: JuteWriter,
  sessionId: SessionId,
  timeoutMs: number,
  sendsReadOnly: boolean,
): void {
  const passwd = sessionPassword(sessionId);
  writeResponse(writer, {
    protocolVersion: 0,
    timeOut: timeoutMs,
    sessionId,
    passwd,
    readOnly: readOnlyFlag(sendsReadOnly),
  });
}

/** The frame that tells a client that its session is gone, or never was its own. */
export function writeSessionRefusal(writer: JuteWriter, sendsReadOnly: boolean): void {
  const readOnly = readOnlyFlag(sendsReadOnly);
  writeResponse(writer, { protocolVersion: 0, timeOut: 0, sessionId: NO_SESSION, passwd: NO_PASSWORD, readOnly });
}

/** The answer to whether this server is read-only; null is not sent, for clients that would not expect it. */
function readOnlyFlag(sendsReadOnly: boolean): boolean | null {
  return sendsReadOnly ? false : null;
}

function writeResponse(writer: JuteWriter, response: RecordOf<typeof ConnectResponse>): void {
  const at = writer.offset;
  writer.int(0);
  ConnectResponse.write(writer, response);
  writer.patchInt(at, writer.offset - at - 4);
}
