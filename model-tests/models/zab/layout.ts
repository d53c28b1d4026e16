/** Where what of an ensemble stands in a state's words: servers, links of each pair, the ghost, what faults are left. */

export interface ZabBounds {
  readonly servers: number;
  /** Writes that clients ask for. */
  readonly txns: number;
  /** Crashes; the server restarts at once, or a server that never takes part again never restarted. */
  readonly crashes: number;
  /** Links cut, and leaders that lose patience although they could go on. */
  readonly breaks: number;
  /** Servers that come back with an empty disk. */
  readonly wipes: number;
  readonly epochs: number;
  /** Txns of epoch 1 that all servers hold in the beginning. */
  readonly history: number;
  /** So many servers follow the first one in the beginning, itself included; the others look. 0: all look. */
  readonly serving: number;
  /** Txns that a server keeps in memory for learners (commitLogCount). */
  readonly committedLog: number;
  /** "best": elects who knows most among a quorum (what FLE promises). "any": elects anybody; discovery must notice. */
  readonly oracle: "best" | "any";
}

export class ZabLayout {
  readonly servers: number;
  readonly pairs: number;
  readonly ghost: number;
  readonly budget: number;
  readonly width: number;

  constructor(servers: number) {
    this.servers = servers;
    this.pairs = servers * (servers - 1);
    this.ghost = servers + this.pairs;
    this.budget = this.ghost + 1;
    this.width = this.budget + 1;
  }

  /** The word of the links that `learner` has to `leader`; both count from 0. */
  pair(learner: number, leader: number): number {
    return this.servers + learner * (this.servers - 1) + (leader < learner ? leader : leader - 1);
  }
}

/** Budgets share a word, 6 bits each: faults that are left, writes that were made. */
export const budgetOf = (bounds: ZabBounds): number => bounds.crashes | (bounds.breaks << 6) | (bounds.wipes << 12);
export const crashesIn = (budget: number): number => budget & 63;
export const breaksIn = (budget: number): number => (budget >> 6) & 63;
export const wipesIn = (budget: number): number => (budget >> 12) & 63;
export const writesIn = (budget: number): number => budget >> 18;
export const A_CRASH = 1;
export const A_BREAK = 1 << 6;
export const A_WIPE = 1 << 12;
export const A_WRITE = 1 << 18;

export const ACTION_KINDS = [
  "elect",
  "join",
  "connect",
  "give up connecting",
  "log synced",
  "epoch written",
  "log truncated",
  "snapshot step",
  "propose",
  "quorum lost",
  "leader loses patience",
  "leader takes",
  "learner takes",
  "leader notices",
  "learner notices",
  "crash",
  "cut",
  "append lost",
  "wipe",
  // Of a server's voice in elections, where no oracle elects.
  "start",
  "hear",
  "repeat",
  "wait's end",
] as const;

export type ActionKind = (typeof ACTION_KINDS)[number];

/** Those of a model whose elections are an oracle's. */
export const ORACLE_KINDS: readonly ActionKind[] = ACTION_KINDS.slice(0, ACTION_KINDS.indexOf("start"));

const FAULTS: readonly ActionKind[] = ["crash", "cut", "append lost", "wipe"];

const kindIndex = new Map<ActionKind, number>(ACTION_KINDS.map((kind, i) => [kind, i]));

/** kind, server, peer and a parameter (a slot, a packet's id, a mask of servers) in one number. */
export function actionOf(kind: ActionKind, server: number, peer = 0, parameter = 0): number {
  return ((parameter * 8 + peer) * 8 + server) * 32 + (kindIndex.get(kind) as number);
}

export const kindOfAction = (action: number): number => action & 31;
/** A leader that loses its patience although it could go on has parameter 1. */
export function isFault(action: number): boolean {
  const kind = ACTION_KINDS[kindOfAction(action)] as ActionKind;
  return FAULTS.includes(kind) || (kind === "leader loses patience" && parameterOfAction(action) === 1);
}
export const serverOfAction = (action: number): number => (action >> 5) & 7;
export const peerOfAction = (action: number): number => (action >> 8) & 7;
export const parameterOfAction = (action: number): number => action >>> 11;
