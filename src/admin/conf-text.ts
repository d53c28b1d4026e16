/** `conf`: the settings in force (ZooKeeperServer.dumpConf, QuorumZooKeeperServer.dumpConf). */
import type { ServerView } from "../server/view.ts";

export function confText(view: ServerView): string {
  const { config, host } = view;
  const values: [string, string | number][] = [
    ["clientPort", config.clientPort ?? -1],
    ["secureClientPort", -1],
    ["dataDir", `${config.dataDir}/version-2`],
    ["dataDirSize", host.dataDirSize()],
    ["dataLogDir", `${config.dataLogDir}/version-2`],
    ["dataLogSize", host.logDirSize()],
    ["tickTime", config.tickTimeMs],
    ["maxClientCnxns", config.maxClientCnxns],
    ["minSessionTimeout", config.minSessionTimeoutMs],
    ["maxSessionTimeout", config.maxSessionTimeoutMs],
    ["clientPortListenBacklog", config.clientPortListenBacklog],
    ["serverId", config.serverId],
  ];
  if (config.standalone) return lines(values);
  const own = config.servers.find((server) => server.id === config.serverId);
  values.push(
    ["initLimit", config.initLimitTicks],
    ["syncLimit", config.syncLimitTicks],
    ["electionAlg", config.electionAlg],
    ["electionPort", own?.electionPort ?? -1],
    ["quorumPort", own?.quorumPort ?? -1],
    ["peerType", config.peerType === "participant" ? 0 : 1],
  );
  return `${lines(values)}membership: \n${view.ensembleConfigText()}`;
}

function lines(values: readonly (readonly [string, string | number])[]): string {
  return values.map(([key, value]) => `${key}=${value}\n`).join("");
}
