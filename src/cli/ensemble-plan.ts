/** What `zoetrope start` will run: members with their ports and directories, and the zoo.cfg of each. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export interface MemberPlan {
  readonly id: number;
  readonly clientPort: number;
  readonly quorumPort: number;
  readonly electionPort: number;
  /** data/N: holds myid, zoo.cfg and version-2. */
  readonly directory: string;
}

export interface EnsemblePlan {
  readonly members: readonly MemberPlan[];
  readonly dataDir: string;
}

/** Wrong options; the message is a sentence. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Keeps the customary distances: 2181 → 2888 for the quorum, 3888 for the election. */
const QUORUM_OFFSET = 2888 - 2181;
const ELECTION_OFFSET = 3888 - 2181;
export const HOST = "127.0.0.1";

/** @throws UsageError */
export function planEnsemble(args: readonly string[]): EnsemblePlan {
  const values = parseOptions(args);
  const servers = Number(values.servers);
  if (![1, 3, 5].includes(servers)) throw new UsageError(`--servers is 1, 3 or 5, not ${values.servers}.`);
  const first = Number(values["client-port"]);
  const highest = 65_535 - ELECTION_OFFSET - servers;
  if (!/^\d+$/.test(values["client-port"]) || first < 1 || first > highest)
    throw new UsageError(`--client-port is a port from 1 to ${highest}, not ${values["client-port"]}.`);
  const dataDir = resolve(values.data);
  const members = Array.from({ length: servers }, (_, index) => ({
    id: index + 1,
    clientPort: first + index,
    quorumPort: first + QUORUM_OFFSET + index,
    electionPort: first + ELECTION_OFFSET + index,
    directory: join(dataDir, String(index + 1)),
  }));
  return { members, dataDir };
}

function parseOptions(args: readonly string[]): { servers: string; "client-port": string; data: string } {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const options = { servers: text("3"), "client-port": text("2181"), data: text("data") };
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.`);
  }
}

/** A single server gets no server lines: it is standalone. */
export function zooCfg(plan: EnsemblePlan, member: MemberPlan): string {
  const lines = [
    "# Written anew by every `zoetrope start`; copy it elsewhere to change it.",
    "tickTime=2000",
    "initLimit=10",
    "syncLimit=5",
    // Java reads a backslash as an escape.
    `dataDir=${member.directory.replaceAll("\\", "\\\\")}`,
    `clientPort=${member.clientPort}`,
    `clientPortAddress=${HOST}`,
    "4lw.commands.whitelist=*",
    "admin.enableServer=false",
  ];
  if (plan.members.length > 1)
    for (const { id, quorumPort, electionPort } of plan.members)
      lines.push(`server.${id}=${HOST}:${quorumPort}:${electionPort}`);
  return `${lines.join("\n")}\n`;
}
