/**
 * Random histories of a few operations: at first legal, then in half of them something is altered that may make them illegal, or
 * not. Which it is the oracle says.
 */
import { makeZxid } from "../../spec/vocabulary.ts";
import type { Line } from "../histories/format.ts";
import { Random } from "./random.ts";
import { type Asked, create, writeOfAsked } from "./requests.ts";
import { type Actor, type Asking, Stage } from "./stage.ts";

export interface SmallHistory {
  readonly lines: readonly Line[];
  readonly stage: Stage;
  /** Something was altered; it may still be legal. */
  readonly altered: boolean;
}

const MAX_OPERATIONS = 6;
const FIRST = makeZxid(1, 1);

/** The first operation makes /a; it is one of those counted. */
export function smallHistory(seed: number): SmallHistory {
  const random = new Random(seed);
  const stage = new Stage();
  const careless = random.chance(0.35);
  const teller = new Teller(stage, random, 1 + random.below(2), careless);
  teller.tell(2 + random.below(MAX_OPERATIONS - 1));
  const lines = stage.end();
  const altered = random.chance(0.5);
  return { lines: altered ? alter(lines, random) : lines, stage, altered: altered || careless };
}

class Teller {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #keys: readonly string[];
  readonly #actors: readonly Actor[];
  /** Writes of connections that broke: the leader may still get them until the client is back. */
  readonly #late = new Map<Actor, Asking[]>();
  readonly #careless: boolean;
  readonly #breaks: number;
  #values = 0;

  /** `careless`: reads see the tree as it was at any time before. */
  constructor(stage: Stage, random: Random, keys: number, careless: boolean) {
    this.#stage = stage;
    this.#random = random;
    this.#keys = ["/a", "/b"].slice(0, keys);
    this.#actors = Array.from({ length: 1 + random.below(3) }, (_, at) => stage.actor(at + 1));
    this.#careless = careless;
    this.#breaks = random.pick([0, 0.1, 0.3]);
  }

  tell(operations: number): void {
    for (const actor of this.#actors) this.#stage.connect(actor);
    this.#stage.answer(this.#stage.ask(this.#actors[0]!, create("/a", "0", "persistent")));
    for (let asked = 1; asked < operations || this.#busy().length > 0; ) {
      const actor = this.#random.pick(this.#actors);
      if (actor.server === 0) this.#bringBack(actor);
      else if (asked < operations && actor.waiting.length < 3 && this.#random.chance(0.4)) {
        this.#stage.ask(actor, this.#request());
        asked++;
      } else if (actor.waiting.length > 0) this.#move(actor);
    }
  }

  #busy(): Actor[] {
    return this.#actors.filter(({ waiting }) => waiting.length > 0);
  }

  /** The leader orders the first of its requests that is not ordered yet, or the first is answered, or all are lost. */
  #move(actor: Actor): void {
    const [head] = actor.waiting;
    if (this.#random.chance(this.#breaks)) {
      this.#late.set(
        actor,
        actor.waiting.filter((asking) => asking.zxid === 0 && writeOfAsked(asking.asked) !== null),
      );
      return this.#stage.lose(actor);
    }
    const next = actor.waiting.find(({ zxid }) => zxid === 0);
    if (next !== undefined && this.#random.chance(0.5)) return this.#stage.order(next);
    // A sync that the leader does not know of yet has promised nothing.
    if (head!.zxid === 0 && (head!.asked.op === "sync" || writeOfAsked(head!.asked) !== null)) this.#stage.order(head!);
    const ahead = actor.waiting.find(
      ({ zxid, asked }) => zxid > 0 && writeOfAsked(asked) !== null && asked !== head!.asked,
    );
    const limit = ahead === undefined ? this.#stage.last : ahead.zxid - 1;
    const promised = Math.max(actor.lastZxid, head!.asked.op === "sync" ? head!.zxid : 0);
    const least = this.#careless ? Math.max(FIRST, limit - this.#random.below(4)) : promised;
    this.#stage.answer(head!, least + this.#random.below(Math.max(0, limit - least) + 1));
  }

  #bringBack(actor: Actor): void {
    const late = this.#late.get(actor) ?? [];
    const next = late.shift();
    if (next !== undefined && this.#random.chance(0.5)) return this.#stage.order(next);
    this.#late.delete(actor);
    this.#stage.connect(actor);
  }

  #request(): Asked {
    const random = this.#random;
    const path = random.pick(this.#keys);
    const data = `${++this.#values}`;
    const kinds = { set: 4, cas: 3, get: 5, exists: 1, sync: 2, create: 2, delete: 2, multi: 1, list: 1, number: 1 };
    switch (random.weighted(kinds)) {
      case "set":
        return { op: "setData", args: { path, data, version: -1 } };
      case "cas":
        return { op: "setData", args: { path, data, version: random.below(2) } };
      case "exists":
        return { op: "exists", args: { path } };
      case "sync":
        return { op: "sync", args: { path } };
      case "create":
        return create(path, data, "persistent");
      case "delete":
        return { op: "delete", args: { path, version: random.pick([-1, 0, 1]) } };
      case "list":
        return { op: "getChildren", args: { path: random.pick(["/", path]) } };
      case "number":
        return create(`${path}/n`, data, "persistentSequential");
      case "multi": {
        const check = {
          op: "check",
          args: { path: random.pick(this.#keys), version: random.pick([-1, 0, 1]) },
        } as const;
        return { op: "multi", args: { ops: [check, { op: "setData", args: { path, data, version: -1 } }] } };
      }
      default:
        return { op: "getData", args: { path } };
    }
  }
}

// ---- alterations

function alter(lines: readonly Line[], random: Random): Line[] {
  const changed = structuredClone(lines) as Line[];
  const answers = changed.filter((line) => line.kind === "ok" || line.kind === "fail") as Answer[];
  // The last is likelier to leave something to contradict it.
  for (let tries = 0; tries < 20; tries++) {
    const answer = answers[answers.length - 1 - Math.min(random.below(answers.length), random.below(answers.length))]!;
    if (random.pick(ALTERATIONS)(answer, changed, random)) break;
  }
  return changed;
}

type Answer = Extract<Line, { kind: "ok" | "fail" }>;
interface Loose {
  zxid: number;
  err?: string;
  t: number;
  id: number;
  kind: string;
  res?: { data?: string; stat?: Record<string, number>; children?: string[]; path?: string };
}

/** False: it does not apply. */
const ALTERATIONS: readonly ((answer: Answer, lines: Line[], random: Random) => boolean)[] = [
  function otherData(answer, _, random) {
    const { res } = answer as unknown as Loose;
    if (res?.data === undefined) return false;
    res.data = String(random.below(4));
    return true;
  },
  function otherVersion(answer, _, random) {
    const { res } = answer as unknown as Loose;
    if (res?.stat === undefined) return false;
    res.stat.version = res.stat.version! + random.pick([-1, 1]);
    return true;
  },
  function otherMzxid(answer, _, random) {
    const { res } = answer as unknown as Loose;
    if (res?.stat === undefined) return false;
    res.stat.mzxid = res.stat.mzxid! + random.pick([-1, 1]);
    return true;
  },
  function otherZxid(answer, _, random) {
    const loose = answer as unknown as Loose;
    loose.zxid += random.pick([-2, -1, 1, 2]);
    return loose.zxid > 0;
  },
  function otherError(answer, _, random) {
    const loose = answer as unknown as Loose;
    if (loose.kind !== "fail") return false;
    loose.err = random.pick(["NONODE", "NODEEXISTS", "BADVERSION"]);
    return true;
  },
  function otherChildren(answer, _, random) {
    const { res } = answer as unknown as Loose;
    if (res?.children === undefined) return false;
    if (res.children.length > 0 && random.chance(0.5)) res.children.pop();
    else res.children.push("x");
    return true;
  },
  /** Two answers of different clients change places. */
  function otherTime(answer, lines) {
    const at = lines.indexOf(answer);
    const other = lines.findIndex(
      ({ kind }, index) => index > at && (kind === "ok" || kind === "fail" || kind === "invoke"),
    );
    if (other < 0) return false;
    const [one, two] = [
      lines[at] as unknown as Loose & { proc: number },
      lines[other] as unknown as Loose & { proc: number },
    ];
    if (one.proc === two.proc) return false;
    [one.t, two.t] = [two.t, one.t];
    lines[at] = two as unknown as Line;
    lines[other] = one as unknown as Line;
    return lines.every(
      (line, index) => line.kind === "header" || index === 0 || timeOf(lines[index - 1]!) <= timeOf(line),
    );
  },
  /** The same answer, as it would have been some txns earlier or later: a read that is stale, or ahead. */
  function otherAnswer(answer, lines, random) {
    const loose = answer as unknown as Loose;
    const twins = lines.filter((line) => line.kind === "ok" && "res" in line && line !== answer) as unknown as Loose[];
    const twin = twins.length === 0 ? undefined : random.pick(twins);
    if (twin?.res?.stat === undefined || loose.res?.stat === undefined) return false;
    loose.res.stat = { ...twin.res.stat };
    if (loose.res.data !== undefined && twin.res.data !== undefined) loose.res.data = twin.res.data;
    return true;
  },
];

function timeOf(line: Line): number {
  return line.kind === "header" ? 0 : line.t;
}
