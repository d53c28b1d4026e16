/** `host:port,host:port/chroot`, as every ZooKeeper client takes it (ConnectStringParser). */
import { validatePath } from "../protocol/path.ts";
import { BadArguments } from "./errors.ts";
import type { ServerAddress } from "./io.ts";

export const DEFAULT_PORT = 2181;

export interface ConnectString {
  readonly servers: readonly ServerAddress[];
  /** "" for none, else "/app": put before every path. */
  readonly chroot: string;
}

/**
 * Ports default to 2181; an IPv6 address with a port stands in brackets. A chroot of "/" is none.
 * @throws BadArguments with the part that is wrong
 */
export function parseConnectString(text: string): ConnectString {
  const slash = text.indexOf("/");
  const list = slash < 0 ? text : text.slice(0, slash);
  const path = slash < 0 ? "" : text.slice(slash);
  const servers = list
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(parseServer);
  if (servers.length === 0) throw new BadArguments(null, `A connect string names at least one server: "${text}"`);
  const chroot = path === "/" ? "" : path;
  const reason = chroot === "" ? null : validatePath(chroot);
  if (reason !== null) throw new BadArguments(null, `Invalid chroot "${chroot}": ${reason}`);
  return { servers, chroot };
}

function parseServer(part: string): ServerAddress {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(part);
  if (bracketed !== null) return { host: bracketed[1]!, port: parsePort(bracketed[2], part) };
  const colon = part.indexOf(":");
  if (colon < 0) return { host: part, port: DEFAULT_PORT };
  // More than one colon: an IPv6 address without a port.
  if (part.indexOf(":", colon + 1) >= 0) return { host: part, port: DEFAULT_PORT };
  const host = part.slice(0, colon);
  if (host === "") throw new BadArguments(null, `A server without a host: "${part}"`);
  return { host, port: parsePort(part.slice(colon + 1), part) };
}

function parsePort(text: string | undefined, part: string): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) {
    throw new BadArguments(null, `A port is a number from 1 to 65535: "${part}"`);
  }
  return port;
}

/** Fisher-Yates: clients that share a list spread over the servers. */
export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
