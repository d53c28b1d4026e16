/** Links that are slow, uneven, silent, or break in the middle of what they carry. */
import type { Link } from "../cluster/link.ts";
import type { Disturbance } from "../cluster/wire.ts";
import type { Field, Nemesis } from "./nemesis.ts";

interface Plan {
  readonly targets: readonly number[];
  readonly detail: string;
  readonly links: readonly Link[];
  readonly disturbance: Disturbance;
  /** Existing connections begin anew under it. */
  readonly reset?: boolean;
}

async function disturb(
  field: Field,
  { targets, detail, links, disturbance, reset }: Plan,
  holdMs: number,
): Promise<void> {
  let lift: (() => void)[] = [];
  await field.fault(targets, detail, {
    inject: () => {
      lift = links.flatMap((link) => [link.forth.disturb(disturbance), link.back.disturb(disturbance)]);
      if (reset === true) for (const link of links) link.reset();
    },
    during: () => field.hold(holdMs),
    heal: () => {
      for (const one of lift) one();
    },
  });
}

/** Links of one server, or all; with or without those of clients. */
function some(field: Field): {
  readonly links: readonly Link[];
  readonly targets: readonly number[];
  readonly where: string;
} {
  const { network, members, ids } = field.cluster;
  const clients = field.random.chance(0.5) ? network.clientLinks : [];
  if (field.random.chance(0.4)) return { links: [...network.peerLinks, ...clients], targets: ids, where: "everywhere" };
  const { id } = field.random.pick(members);
  const links = [...network.peerLinks, ...clients].filter((link) => link.from === id || link.to === id);
  return { links, targets: [id], where: `at server ${id}` };
}

const slow: Nemesis = {
  name: "slow-links",
  about: "links with a delay, and with little bandwidth",
  kind: "network",
  strike: (field, holdMs) => {
    const { links, targets, where } = some(field);
    const delayMs = field.random.int(20, 120);
    const bytesPerSecond = field.random.chance(0.5) ? field.random.int(60_000, 300_000) : 0;
    const detail = `${delayMs} ms late${bytesPerSecond > 0 ? `, ${bytesPerSecond} B/s` : ""} ${where}`;
    return disturb(field, { targets, detail, links, disturbance: { delayMs, bytesPerSecond } }, holdMs);
  },
};

const jitter: Nemesis = {
  name: "jitter",
  about: "every segment is late by another while",
  kind: "network",
  strike: (field, holdMs) => {
    const { links, targets, where } = some(field);
    const jitterMs = field.random.int(50, 400);
    const detail = `up to ${jitterMs} ms late ${where}`;
    return disturb(field, { targets, detail, links, disturbance: { jitterMs } }, holdMs);
  },
};

const halfOpen: Nemesis = {
  name: "half-open",
  about: "connections are taken and never served",
  kind: "network",
  strike: (field, holdMs) => {
    const { links, targets, where } = some(field);
    const plan = {
      targets,
      detail: `half-open connections ${where}`,
      links,
      disturbance: { halfOpen: true },
      reset: true,
    };
    return disturb(field, plan, holdMs);
  },
};

const resetMidFrame: Nemesis = {
  name: "reset-mid-frame",
  about: "each connection is reset once, in the middle of a frame",
  kind: "network",
  strike: async (field) => {
    for (let round = 0; round < 3 && !field.over; round++) {
      const { links, targets, where } = some(field);
      // Frames are mostly 20 to 150 bytes: few cuts fall between two of them.
      const disturbance = { cutAfterBytes: () => field.random.int(1, 3000) };
      await disturb(field, { targets, detail: `resets in mid-frame ${where}`, links, disturbance }, 600);
      await field.hold(field.random.int(500, 1500));
    }
  },
};

const tornFrames: Nemesis = {
  name: "torn-frames",
  about: "no connection carries more than a few hundred bytes before it breaks",
  kind: "network",
  strike: (field, holdMs) => {
    const { network, members } = field.cluster;
    const { id } = field.random.pick(members);
    const links = [...network.peerLinks, ...network.clientLinks].filter((link) => link.from === id || link.to === id);
    const disturbance = { cutAfterBytes: () => field.random.int(1, 600) };
    return disturb(field, { targets: [id], detail: `torn frames at server ${id}`, links, disturbance }, holdMs);
  },
};

const byteByByte: Nemesis = {
  name: "byte-by-byte",
  about: "frames arrive one byte at a time",
  kind: "network",
  strike: (field, holdMs) => {
    const { links, targets, where } = some(field);
    return disturb(
      field,
      { targets, detail: `one byte at a time ${where}`, links, disturbance: { sliceBytes: 1 } },
      holdMs,
    );
  },
};

export const LINK_NEMESES: readonly Nemesis[] = [slow, jitter, halfOpen, resetMidFrame, tornFrames, byteByByte];
