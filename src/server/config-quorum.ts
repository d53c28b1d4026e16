/** Which servers decide, by the server list and the group and weight lines of a configuration. */
import type { QuorumConfig } from "../../spec/quorum.ts";
import type { ServerConfig } from "./config.ts";

export function quorumOf(config: ServerConfig): QuorumConfig {
  if (config.standalone) return { voters: [config.serverId] };
  const voters = config.servers.filter((server) => server.kind === "participant").map((server) => server.id);
  if (config.groups.size === 0) return { voters };
  const weights: Record<number, number> = {};
  for (const [id, weight] of config.weights) weights[id] = weight;
  return { voters, groups: [...config.groups.values()], weights };
}
