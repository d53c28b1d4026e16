/** How a state and a step of the Zab specification are told to a person. */

import type { ActionStory, ChannelPicture, Storyboard } from "../model.ts";
import { NULL_POINT, STATE_NAMES, Violated, ZAB_STATE_NAMES, type ZabLayout, type ZabState } from "./zab-layout.ts";
import { ACTION_KINDS, firstOf, kindOf, NOBODY, secondOf } from "./zab-step.ts";
import { counterOfZxid, epochOfZxid, type History, MESSAGE_NAMES, type Message, MessageType } from "./zab-values.ts";

export function zabStoryboard(at: ZabLayout): Storyboard<ZabState> {
  const lanes = Array.from({ length: at.servers }, (_, i) => nameOf(i));
  return {
    lanes,
    describe,
    facts: (state) => facts(at, state),
    channels: (state) => channels(at, state),
  };
}

const nameOf = (server: number) => `s${server + 1}`;

function describe(action: number): ActionStory {
  const servers = [firstOf(action), secondOf(action)].filter((server) => server !== NOBODY).map(nameOf);
  return { text: [ACTION_KINDS[kindOf(action)], ...servers].join(" "), lane: firstOf(action) };
}

function facts(at: ZabLayout, z: ZabState): Map<string, string> {
  const shown = new Map<string, string>();
  const oracle = z.word(at.leaderOracle);
  shown.set("oracle", oracle === NULL_POINT ? "-" : nameOf(oracle - 1));
  for (let i = 0; i < z.servers; i++) {
    const server = nameOf(i);
    const zabState = ZAB_STATE_NAMES[z.zabState[i] as number];
    shown.set(`${server}`, z.zabState[i] === 0 ? "LOOKING" : `${STATE_NAMES[z.state[i] as number]}/${zabState}`);
    shown.set(`${server}.accepted`, `${z.acceptedEpoch[i]}`);
    shown.set(`${server}.epoch`, `${z.currentEpoch[i]}`);
    shown.set(`${server}.log`, historyText(z.history[i] as History));
    shown.set(`${server}.committed`, `${z.committed[i]}`);
    shown.set(`${server}.learners`, serversText(z.learners[i] as number));
  }
  const violated = Object.entries(Violated).flatMap(([name, bit]) => ((z.violated & bit) === 0 ? [] : [name]));
  shown.set("flag", violated.join(" ") || "-");
  return shown;
}

function channels(at: ZabLayout, z: ZabState): ChannelPicture[] {
  const pictures: ChannelPicture[] = [];
  for (let from = 0; from < at.servers; from++)
    for (let to = 0; to < at.servers; to++)
      if (from !== to) pictures.push({ from, to, packets: z.channel(from, to).map(messageText) });
  return pictures;
}

function messageText(message: Message): string {
  const name = MESSAGE_NAMES[message.type] as string;
  switch (message.type) {
    case MessageType.CEPOCH:
    case MessageType.NEWEPOCH:
      return `${name}(${message.mark})`;
    case MessageType.ACKEPOCH:
    case MessageType.NEWLEADER:
      return `${name}(${message.mark}, ${historyText(message.history)})`;
    default:
      return `${name}(${zxidText(message.mark)})`;
  }
}

const zxidText = (zxid: number) => `${epochOfZxid(zxid)}.${counterOfZxid(zxid)}`;
const historyText = (history: History) => `[${history.map((t) => `${zxidText(t.zxid)}=v${t.value}`).join(" ")}]`;
const serversText = (mask: number) =>
  `{${[0, 1, 2, 3, 4].flatMap((i) => ((mask & (1 << i)) === 0 ? [] : [nameOf(i)])).join(" ")}}`;
