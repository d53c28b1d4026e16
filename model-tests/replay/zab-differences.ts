/** What real servers say otherwise than the model, after a step that both have made. */
import { type History, lastZxid, type ServerView } from "../../spec/invariants/zab-view.ts";
import { formatZxid, type Zxid } from "../../spec/vocabulary.ts";
import type { ChannelPicture, Model } from "../checker/model.ts";
import type { TraceStep } from "../checker/trace.ts";
import { voteText } from "../models/election/election-model.ts";
import type { ZabState } from "../models/zab/abstract.ts";
import type { RealBallots } from "./real-ballots.ts";
import type { RealLink } from "./real-link.ts";
import type { Extent, RealMember } from "./real-member.ts";

export interface RealServers {
  readonly members: readonly RealMember[];
  readonly links: readonly RealLink[];
  /** Session → number of the write that opened it, which is what the model says of it. */
  readonly values: ReadonlyMap<bigint, number>;
}

export function differences<State>(
  model: Model<State>,
  step: TraceStep,
  { members, links, values }: RealServers,
  ballots: RealBallots | null,
): string[] {
  const state = model.decode(step.words, undefined);
  const facts = model.storyboard.facts(state);
  const found: string[] = [];
  for (const [index, member] of members.entries()) {
    const name = `s${index + 1}`;
    const compare = (what: string, real: string): void => {
      const modelled = facts.get(what);
      if (modelled !== real) found.push(`${what} is ${real}, not ${modelled}`);
    };
    compare(name, member.exited ? "failed" : member.path);
    compare(`${name}.accepted`, String(member.epochOnDisk("accepted")));
    compare(`${name}.epoch`, String(member.epochOnDisk("current")));
    const { tree, durable, window } = (state as ZabState).view.servers[index] as ServerView;
    const compareExtent = (what: string, real: Extent | null, modelled: History | null): void => {
      if (modelled === null) return;
      const [ours, theirs] = [textOf(real), textOf({ last: lastOf(modelled, real), txns: modelled.length })];
      if (ours !== theirs) found.push(`${name}'s ${what} is ${ours}, not ${theirs}`);
    };
    compareExtent("tree", member.tree, tree);
    if (tree !== null) {
      const numbers = [...values.values()];
      const applied = [...member.sessions].map((session) => values.get(session) ?? 0).sort();
      const modelled = tree.map(([, value]) => value).filter((value) => numbers.includes(value));
      if (`${applied}` !== `${modelled.sort()}`)
        found.push(`${name} has applied writes [${applied}], not [${modelled}]`);
    }
    const sent = member.window.map(formatZxid).join(" ");
    const sendable = window.map(([zxid]) => formatZxid(zxid)).join(" ");
    if (sent !== sendable) found.push(`${name} can send [${sent}], not [${sendable}]`);
    compareExtent("disk", member.durable, durable);
  }
  for (const { from, to, packets } of channelsOf(model, state)) {
    const names = links.flatMap((link) =>
      link.learner === from && link.leader === to
        ? link.up.underWay
        : link.leader === from && link.learner === to
          ? link.down.underWay
          : [],
    );
    const real = names.map(({ name }) => name).join(" ");
    const modelled = packets
      .map((text) => (text.startsWith("tree") ? "SNAPSHOT" : text.replace(/\(.*$/, "")))
      .join(" ");
    if (real !== modelled) found.push(`s${from + 1}→s${to + 1} carries [${real}], not [${modelled}]`);
  }
  return ballots === null ? found : [...found, ...otherVotes(model, state, members, ballots)];
}

/** Of those that have a voice: how they vote, and what is on its way to them. */
function otherVotes<State>(
  model: Model<State>,
  state: State,
  members: readonly RealMember[],
  ballots: RealBallots,
): string[] {
  const found: string[] = [];
  const facts = model.storyboard.facts(state);
  const said = model.storyboard.channels(state).filter(({ packets }) => packets.some(isBallot));
  for (const [to, member] of members.entries()) {
    const { phase, round, vote } = member.ballot;
    const real = ballots.isRunning(to) ? `${phase}, round ${round}, for ${voteText(vote)}` : "down";
    const modelled = facts.get(`s${to + 1}.vote`);
    if (real !== modelled) found.push(`s${to + 1}'s vote: ${real}, not ${modelled}`);
    for (const from of ballots.isRunning(to) ? members.keys() : []) {
      const [ballot = null] = said.find((channel) => channel.from === from && channel.to === to)?.packets ?? [];
      const own = ballots.underWay(from, to);
      if (own !== ballot) found.push(`s${from + 1}→s${to + 1} says ${own ?? "nothing"}, not ${ballot ?? "nothing"}`);
    }
  }
  return found;
}

const isBallot = (packet: string): boolean => /^(LOOKING|FOLLOWING|LEADING|OBSERVING) /.test(packet);

/** A history without txns ends at zero, or nowhere: where the disk was emptied. */
const lastOf = (history: History, real: Extent | null): Zxid =>
  history.length === 0 ? (Math.min(real?.last ?? 0, 0) as Zxid) : lastZxid(history);

const textOf = (extent: Extent | null): string =>
  extent === null ? "of no use" : `${extent.txns} txns up to ${formatZxid(extent.last)}`;

/** Two servers may follow each other in turn: what is under way from one to the other, whatever their roles. Not the votes. */
export function channelsOf<State>(model: Model<State>, state: State): ChannelPicture[] {
  const pairs = new Map<string, ChannelPicture>();
  for (const { from, to, packets } of model.storyboard.channels(state)) {
    const known = pairs.get(`${from} ${to}`)?.packets ?? [];
    pairs.set(`${from} ${to}`, { from, to, packets: [...known, ...packets.filter((packet) => !isBallot(packet))] });
  }
  return [...pairs.values()];
}
