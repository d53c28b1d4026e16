/**
 * The logs of a story's servers, and what may be wrong with them. `log 2 cut w`: server 2's (or `all`) has lost w and all after it.
 *
 * - lose w: not there, what follows is. cut w: the log ends before it.
 * - again w [77]: at the end once more, under a new zxid (as another request, of cxid 77). old w: at the end once more.
 * - cxid w 77, data w x, version w 7, path w /x, fail w: the txn says otherwise.
 * - owned w /a,/b: a close lists these ephemerals. session 2: the txn that creates client 2's session is lost.
 * - twice 2: that txn is there a second time. closed 2: client 2's session is closed before its last txn.
 * - foreign delete /x: at the end a txn of somebody who is not recorded. digests; digest w: digests, and a wrong one with w.
 */
import { bytesOf } from "../../model-tests/support/model-txns.ts";
import { makeZxid, type SessionId } from "../../spec/vocabulary.ts";
import { ErrorCode } from "../../src/protocol/error-codes.ts";
import { OpCode } from "../../src/protocol/opcodes.ts";
import { makeTxn, type Txn, type TxnBody } from "../../src/protocol/txn.ts";
import { Database } from "../../src/tree/database.ts";
import { type ServerLog, serverLogOf } from "../checker/witness/server-log.ts";
import { STARTED_AT, type Stage } from "./stage.ts";
import { logOf } from "./txns.ts";

const STRANGER = 0x0500000000000001n as SessionId;

export function tamperedLogs(
  servers: readonly number[],
  stage: Stage,
  tampering: readonly (readonly string[])[],
  zxidOf: (name: string) => number,
): ServerLog[] {
  return servers.map((server) => {
    let txns: Txn[] = [...stage.txns];
    for (const [which, verb, ...rest] of tampering) {
      if (which === "all" || which === String(server)) txns = tampered(txns, verb!, rest, stage, zxidOf);
    }
    return serverLogOf(server, [logOf(txns)]);
  });
}

function tampered(
  txns: readonly Txn[],
  verb: string,
  [name = "", value = ""]: readonly string[],
  stage: Stage,
  zxidOf: (name: string) => number,
): Txn[] {
  const session = (): SessionId => firstSession(stage, Number(name));
  const isIt = ({ zxid }: Txn): boolean => zxid === zxidOf(name);
  const it = (): Txn => txns.find(isIt)!;
  const changed = (change: (body: TxnBody) => object): Txn[] =>
    txns.map((txn) => (isIt(txn) ? with_(txn, { body: { ...txn.body, ...change(txn.body) } as TxnBody }) : txn));
  const next = makeZxid(1, txns.length + 1);
  switch (verb) {
    case "lose":
      return txns.filter((txn) => !isIt(txn));
    case "cut":
      return txns.filter(({ zxid }) => zxid < zxidOf(name));
    case "again":
      return [...txns, with_(it(), { zxid: next, cxid: value === "" ? it().cxid : Number(value) })];
    case "old":
      return [...txns, it()];
    case "cxid":
      return txns.map((txn) => (isIt(txn) ? with_(txn, { cxid: Number(value) }) : txn));
    case "data":
      return changed(() => ({ data: bytesOf(value) }));
    case "version":
      return changed(() => ({ version: Number(value) }));
    case "path":
      return changed(() => ({ path: value }));
    case "owned":
      return changed(() => ({ paths: value === "" ? [] : value.split(",") }));
    case "fail":
      return txns.map((txn) => (isIt(txn) ? with_(txn, { body: { type: OpCode.error, err: ErrorCode.NONODE } }) : txn));
    case "session":
      return txns.filter(({ sessionId, body }) => sessionId !== session() || body.type !== OpCode.createSession);
    case "twice": {
      const made = txns.find(({ sessionId, body }) => sessionId === session() && body.type === OpCode.createSession)!;
      return [...txns, with_(made, { zxid: next })];
    }
    case "foreign":
      return [
        ...txns,
        makeTxn(STRANGER, 0, next, STARTED_AT, { type: OpCode.createSession, timeOut: 6000 }, null),
        foreign(name, value, next),
      ];
    case "digests":
      return withDigests(txns, () => false);
    case "digest":
      return withDigests(txns, isIt);
    default:
      throw new Error(`what is "log … ${verb}"?`);
  }
}

function with_(txn: Txn, changes: Partial<Txn>): Txn {
  const { sessionId, cxid, zxid, time, body, digest } = { ...txn, ...changes };
  return makeTxn(sessionId, cxid, zxid, time, body, digest);
}

function firstSession(stage: Stage, proc: number): SessionId {
  const line = stage.lines.find((one) => one.kind === "conn" && one.proc === proc && one.session !== "0x0");
  return BigInt((line as { session: string }).session) as SessionId;
}

function foreign(verb: string, path: string, after: number): Txn {
  const zxid = (after + 1) as Txn["zxid"];
  const body: TxnBody =
    verb === "delete"
      ? { type: OpCode.delete, path }
      : verb === "set"
        ? { type: OpCode.setData, path, data: bytesOf("?"), version: 1 }
        : { type: OpCode.create, path, data: null, acl: [], ephemeral: false, parentCVersion: -1 };
  return makeTxn(STRANGER, 1, zxid, STARTED_AT, body, null);
}

/** As the servers would log them; `isWrong`: this one is off by one. */
function withDigests(txns: readonly Txn[], isWrong: (txn: Txn) => boolean): Txn[] {
  const database = new Database({ extendedTypes: true });
  return txns.map((txn) => {
    database.apply(txn);
    const { version, hi, lo } = database.digest!;
    return with_(txn, { digest: { version, hi, lo: isWrong(txn) ? (lo ^ 1) >>> 0 : lo } });
  });
}
