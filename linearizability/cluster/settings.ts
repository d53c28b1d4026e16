/** The zoo.cfg of a server under test, and how it is started. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { apacheClassPath, apacheVersion } from "../../model-tests/support/installed.ts";
import type { Launch, SystemKind } from "./member.ts";
import type { Network, ServerPorts } from "./network.ts";

/** Short ticks make failures visible soon; a session lasts from 2 to 20 of them. */
export const TICK_MS = 500;

const SETTINGS: Readonly<Record<string, string>> = {
  tickTime: String(TICK_MS),
  initLimit: "12",
  syncLimit: "6",
  cnxTimeout: "2000",
  maxClientCnxns: "0",
  // KiB: the run folder keeps every log.
  preAllocSize: "512",
  "4lw.commands.whitelist": "*",
  "admin.enableServer": "false",
};

/** Every server is told its own ports, and links instead of those of the others. */
export function zooCfg(server: ServerPorts, network: Network, dataDir: string, more: Settings): string {
  const settings = { ...SETTINGS, ...more, dataDir, clientPort: server.client, clientPortAddress: "127.0.0.1" };
  const members = network.servers.map(({ id, quorum, election }) => {
    const ports =
      id === server.id
        ? [quorum, election]
        : [network.link(server.id, id, "quorum").port, network.link(server.id, id, "election").port];
    return `server.${id}=127.0.0.1:${ports.join(":")}`;
  });
  const lines = [...Object.entries(settings).map(([key, value]) => `${key}=${value}`), ...members];
  return `${lines.join("\n")}\n`;
}

export type Settings = Readonly<Record<string, string>>;

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The build that this very file belongs to; from the sources, the checkout's. */
const OWN_BUILD = existsSync(join(ROOT, "bin", "build.js")) ? join(ROOT, "build") : ROOT;

const ENTRY = join("src", "cli", "main.js");

/** Is there a server in this directory, as `tsc --outDir` leaves one? */
export function isBuild(directory: string): boolean {
  return existsSync(join(directory, ENTRY));
}

/** `serverBuild`: whose servers are started; null: those of the build that runs. */
export function launchOf(kind: SystemKind, serverBuild: string | null): (configFile: string) => Launch {
  if (kind === "zookeeper") return launchApache;
  const entry = join(serverBuild ?? OWN_BUILD, ENTRY);
  return (configFile) => ({ command: process.execPath, args: [entry, "server", configFile], ipc: true });
}

function launchApache(configFile: string): Launch {
  if (apacheClassPath === null) throw new Error("Apache ZooKeeper is not installed");
  const options = ["-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true", "-cp", apacheClassPath];
  return { command: "java", args: [...options, "org.apache.zookeeper.server.quorum.QuorumPeerMain", configFile] };
}

export function systemName(kind: SystemKind): string {
  return kind === "zoetrope" ? "zoetrope" : `zookeeper ${apacheVersion ?? ""}`.trim();
}
