/** How a state and a step of an ensemble are told to a person. */

import { type History, lastZxid } from "../../../spec/invariants/zab-view.ts";
import { counterOf, epochOf, type Zxid } from "../../../spec/vocabulary.ts";
import type { ActionStory, ChannelPicture, Storyboard } from "../../checker/model.ts";
import type { ZabState } from "./abstract.ts";
import {
  ACTION_KINDS,
  kindOfAction,
  parameterOfAction,
  peerOfAction,
  serverOfAction,
  type ZabLayout,
} from "./layout.ts";
import type { Packet } from "./values.ts";
import type { ZabWorld } from "./world.ts";

const nameOf = (server: number): string => `s${server + 1}`;
const zxidText = (zxid: Zxid): string => (zxid < 0 ? "-" : `${epochOf(zxid)}.${counterOf(zxid)}`);
const historyText = (history: History | null): string =>
  history === null ? "in doubt" : `[${history.map(([zxid, value]) => `${zxidText(zxid)}=${value}`).join(" ")}]`;

export function zabStoryboard(world: ZabWorld, at: ZabLayout): Storyboard<ZabState> {
  return {
    lanes: Array.from({ length: at.servers }, (_, i) => nameOf(i)),
    describe: (action) => describe(world, at, action),
    facts: (state) => facts(world, state),
    channels: (state) => channels(world, at, state),
  };
}

function describe(world: ZabWorld, at: ZabLayout, action: number): ActionStory {
  const kind = ACTION_KINDS[kindOfAction(action)] as (typeof ACTION_KINDS)[number];
  const lane = serverOfAction(action);
  const server = nameOf(lane);
  const peer = nameOf(peerOfAction(action));
  const parameter = parameterOfAction(action);
  switch (kind) {
    case "elect": {
      const electorate = Array.from({ length: at.servers }, (_, i) => i).filter((i) => (parameter & (1 << i)) !== 0);
      return { lane, text: `elect ${server} by ${electorate.map(nameOf).join(" ")}` };
    }
    case "leader takes":
    case "learner takes": {
      const event = world.servers.machine.events.get(parameter);
      const packet = "packet" in event ? packetText(event.packet) : "";
      return { lane, text: `${server} takes ${packet} of ${peer}` };
    }
    case "leader notices":
    case "learner notices":
      return { lane, text: `${server} notices that ${peer} is gone` };
    case "join":
    case "connect":
      return { lane, text: `${server} ${kind === "join" ? "joins" : "connects to"} ${peer}` };
    case "crash":
      return { lane, text: `${server} crashes${parameter > 0 ? `, ${parameter} unsynced kept` : ""}` };
    case "start":
      return { lane, text: `${server} starts` };
    case "hear":
      return { lane, text: `${server} hears ${peer}` };
    case "repeat":
      return { lane, text: `${server} repeats itself` };
    case "wait's end":
      return { lane, text: `${server} has waited long enough` };
    case "cut":
      return { lane: null, text: `cut ${server} ${peer}` };
    default:
      return { lane, text: `${server} ${kind}` };
  }
}

function facts(world: ZabWorld, { view, words }: ZabState): Map<string, string> {
  const shown = new Map<string, string>();
  view.servers.forEach((server, i) => {
    const name = nameOf(i);
    const { disk, peer } = world.servers.machine.snapshots.get(words[i] as number);
    shown.set(name, world.charts.peer.path(world.charts.peer.parts.snapshots.intern(peer)));
    shown.set(`${name}.accepted`, String(server.acceptedEpoch));
    shown.set(`${name}.epoch`, String(server.currentEpoch));
    shown.set(`${name}.disk`, historyText(server.durable));
    shown.set(`${name}.writing`, historyText([...disk.writing, ...disk.gathered]));
    shown.set(`${name}.tree`, server.tree === null ? "in doubt" : zxidText(lastZxid(server.tree)));
  });
  shown.set("committed", historyText(view.ghost.committed));
  shown.set("established", view.ghost.established.map(([e, leader]) => `${e}:s${leader}`).join(" ") || "-");
  shown.set("alarm", view.ghost.alarms.join("; ") || "-");
  return shown;
}

function channels(world: ZabWorld, at: ZabLayout, { words }: ZabState): ChannelPicture[] {
  const pictures: ChannelPicture[] = [];
  for (let learner = 0; learner < at.servers; learner++)
    for (let leader = 0; leader < at.servers; leader++) {
      if (learner === leader) continue;
      const links = world.links.snapshots.get(words[at.pair(learner, leader)] as number);
      const up = links.flatMap((link) => link?.up ?? []);
      const down = links.flatMap((link) => link?.down ?? []);
      pictures.push({ from: learner, to: leader, packets: up.map((packet) => `${packetText(packet)}`) });
      pictures.push({ from: leader, to: learner, packets: down.map((packet) => `${packetText(packet)}`) });
    }
  return pictures;
}

export function packetText(packet: Packet): string {
  switch (packet.type) {
    case "LEADERINFO":
    case "NEWLEADER":
      return `${packet.type}(${packet.epoch})`;
    case "PROPOSAL":
      return `PROPOSAL(${zxidText(packet.txn[0])}=${packet.txn[1]})`;
    case "SNAPSHOT":
      return `tree ${historyText(packet.tree)}`;
    case "FOLLOWERINFO":
      return `FOLLOWERINFO(${packet.acceptedEpoch})`;
    case "ACKEPOCH":
      return `ACKEPOCH(${packet.currentEpoch}, ${zxidText(packet.lastZxid)})`;
    case "UPTODATE":
      return "UPTODATE";
    default:
      return `${packet.type}(${zxidText(packet.zxid)})`;
  }
}
