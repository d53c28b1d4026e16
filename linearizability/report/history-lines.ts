/** A history in memory as the lines it was read from, or would be: so that a part of it can be kept and judged again. */
import { HISTORY_FORMAT, HISTORY_VERSION, type Line } from "../histories/format.ts";
import type { History } from "../histories/history.ts";
import { MODES, OPS, Op, Outcome } from "../histories/operations.ts";

export function historyLines(history: History): Line[] {
  const { operations, events, connections, startedAt, endedAt } = history;
  const placed: { readonly at: number; readonly line: object }[] = [];
  for (let i = 0; i < operations.count; i++) {
    const { invokeLine, completeLine, completed, invoked } = operations;
    placed.push({
      at: invokeLine[i]!,
      line: {
        kind: "invoke",
        t: invoked[i],
        ...whatOf(history, i),
        op: OPS[operations.op[i]!],
        args: argsOf(history, i),
      },
    });
    if (completeLine[i]! < 0) continue;
    const isInfo = operations.outcome[i] === Outcome.info;
    const common = { t: isInfo ? endedAt : completed[i], ...whatOf(history, i), zxid: operations.zxid[i] };
    placed.push({ at: completeLine[i]!, line: { ...common, ...endOf(history, i) } });
  }
  for (const { line: at, ...line } of [...events, ...connections]) placed.push({ at, line });
  placed.sort((a, b) => a.at - b.at);
  const header = { kind: "header", format: HISTORY_FORMAT, version: HISTORY_VERSION, startedAt };
  const end = { kind: "end", t: endedAt, lines: placed.length + 2 };
  return [header, ...placed.map(({ line }) => line), end] as Line[];
}

function whatOf({ operations }: History, i: number): object {
  const { id, xid, proc, session, conn, server, sessions } = operations;
  const where = { proc: proc[i], session: sessions.text(sessions.ids[session[i]!]!), conn: conn[i], server: server[i] };
  return { id: id[i], xid: xid[i], ...where };
}

function argsOf({ operations }: History, i: number): object {
  const extra = operations.extra[i]!;
  const path = operations.path[i]!;
  const version = operations.version[i]!;
  switch (operations.op[i]!) {
    case Op.create: {
      const { acl, ttlMs } = extra;
      const rest = { ...(acl === undefined ? {} : { acl }), ...(ttlMs === undefined ? {} : { ttlMs }) };
      return { path, data: operations.data[i], mode: MODES[operations.mode[i]!], ...rest };
    }
    case Op.delete:
      return { path, version };
    case Op.setData:
      return { path, version, data: operations.data[i] };
    case Op.setACL:
      return { path, version, acl: extra.acl ?? [] };
    case Op.multi:
      return { ops: extra.ops ?? [] };
    case Op.addWatch:
      return { path, mode: extra.watches };
    case Op.removeWatches:
      return { path, type: extra.watches };
    case Op.closeSession:
    case Op.setWatches:
      return {};
    default:
      return operations.watch[i] === 1 ? { path, watch: true } : { path };
  }
}

function endOf({ operations }: History, i: number): object {
  const { results, children, acl } = operations.extra[i]!;
  const err = operations.err[i]!;
  if (operations.outcome[i] === Outcome.info) return { kind: "info", err };
  if (operations.outcome[i] === Outcome.fail) {
    return results === undefined ? { kind: "fail", err } : { kind: "fail", err, res: { results } };
  }
  const op = operations.op[i]!;
  const stat = operations.statOf(i);
  return {
    kind: "ok",
    res: {
      ...(operations.created[i] === null ? {} : { path: operations.created[i] }),
      ...(op === Op.getData ? { data: operations.data[i] } : {}),
      ...(stat === null ? {} : { stat }),
      ...(children === undefined ? {} : { children }),
      ...(op === Op.getACL && acl !== undefined ? { acl } : {}),
      ...(results === undefined ? {} : { results }),
    },
  };
}
