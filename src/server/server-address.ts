/**
 * `server.N=host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort]` (QuorumPeer.QuorumServer), IPv6
 * literals in brackets, and its inverse: the text of /zookeeper/config.
 */
import type { LearnerKind, ServerId } from "../../spec/vocabulary.ts";

/** One member of the ensemble as the configuration lists it. IPv6 hosts are kept without their brackets. */
export interface ServerSpec {
  readonly id: ServerId;
  readonly host: string;
  /** Where the leader listens for learners. */
  readonly quorumPort: number;
  readonly electionPort: number;
  readonly kind: LearnerKind;
  /** From the `;` part; null when the line has none. `host` is null for "all addresses". */
  readonly client: { readonly host: string | null; readonly port: number } | null;
}

export const SERVER_SPEC_SHAPE =
  "host:quorumPort:electionPort[:participant|observer][;[clientHost:]clientPort], IPv6 addresses in brackets";

/** Returns null when the text has not the shape above; ports are 1–65535. */
export function parseServerSpec(id: ServerId, text: string): ServerSpec | null {
  const [server = "", client, ...more] = text.split(";").map((part) => part.trim());
  if (more.length > 0) return null;
  const parts = splitColons(server);
  if (parts === null || parts.length < 3 || parts.length > 4) return null;
  const [host = "", quorum = "", election = "", role = "participant"] = parts;
  const quorumPort = parsePort(quorum);
  const electionPort = parsePort(election);
  const kind = role.toLowerCase();
  if (host === "" || quorumPort === null || electionPort === null) return null;
  if (kind !== "participant" && kind !== "observer") return null;
  if (client === undefined) return { id, host, quorumPort, electionPort, kind, client: null };
  const clientParts = splitColons(client);
  if (clientParts === null || clientParts.length < 1 || clientParts.length > 2) return null;
  const port = parsePort(clientParts.at(-1)!);
  const clientHost = clientParts.length === 2 ? clientParts[0]! : null;
  if (port === null || clientHost === "") return null;
  return { id, host, quorumPort, electionPort, kind, client: { host: wildcardAsNull(clientHost), port } };
}

/** A TCP port 1–65535 in plain decimal digits, or null. */
export function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port >= 1 && port <= 65535 ? port : null;
}

/** "All addresses" has several spellings; the configuration knows one. */
export function wildcardAsNull(host: string | null): string | null {
  return host === null || host === "0.0.0.0" || host === "::" || host === "*" ? null : host;
}

/** Splits at colons outside brackets; null when a bracket is not closed, or stands in the middle of a part. */
function splitColons(text: string): string[] | null {
  const parts: string[] = [];
  let rest = text;
  for (;;) {
    const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^[\]:\s]*))(:|$)/.exec(rest);
    if (match === null) return null;
    parts.push(match[1] ?? match[2] ?? "");
    if (match[3] === "") return parts;
    rest = rest.slice(match[0].length);
  }
}

/** `[::1]` for an IPv6 literal, the host itself otherwise. */
export function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

export function formatServerSpec(server: ServerSpec): string {
  const client = server.client === null ? "" : `;${bracketed(server.client.host ?? "0.0.0.0")}:${server.client.port}`;
  return `${bracketed(server.host)}:${server.quorumPort}:${server.electionPort}:${server.kind}${client}`;
}

/** Text of /zookeeper/config (QuorumMaj.toString): sorted `server.N=` lines, group and weight lines, then `version=<hex>`. */
export function ensembleConfigText(
  servers: readonly ServerSpec[],
  groups: ReadonlyMap<number, readonly ServerId[]>,
  weights: ReadonlyMap<ServerId, number>,
  version: number,
): string {
  const lines = servers.map((server) => `server.${server.id}=${formatServerSpec(server)}`);
  if (groups.size > 0) {
    for (const [group, members] of groups) lines.push(`group.${group}=${members.join(":")}`);
    for (const server of servers) lines.push(`weight.${server.id}=${weights.get(server.id) ?? 1}`);
  }
  return `${lines.map((line) => `${line}\n`).join("")}version=${version.toString(16)}`;
}
