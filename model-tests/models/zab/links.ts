/**
 * The connections between two servers, of which one is the learner: FIFO each way, no loss inside. A connection ends when
 * one end closes it or it is cut; the other end may notice at any time, with or without taking what is still under way, so
 * an arbitrary suffix is lost. What an end sends after that is lost for sure.
 *
 * An old connection of which only the leader's end is left may still have something to say when a new one is open already.
 */

import { LocalMachine } from "../../checker/memo.ts";
import type { Slot } from "./outputs.ts";
import type { DownPacket, UpPacket } from "./values.ts";

export interface Link {
  /** To the leader, and to the learner; oldest first. */
  readonly up: readonly UpPacket[];
  readonly down: readonly DownPacket[];
  readonly learnerEnd: boolean;
  readonly leaderEnd: boolean;
  readonly cut: boolean;
}

export type PairLinks = readonly [Link | null, Link | null];

export type LinkEvent =
  | { readonly type: "up"; readonly packet: UpPacket }
  | { readonly type: "down"; readonly slot: Slot; readonly packet: DownPacket }
  | { readonly type: "open" | "taken up" | "cut" | "leaderCloses"; readonly slot: Slot }
  | { readonly type: "taken down" | "learnerCloses" }
  /** The only connection gets the first slot. */
  | { readonly type: "moved" };

export const NO_LINKS: PairLinks = [null, null];

const OPEN: Link = { up: [], down: [], learnerEnd: true, leaderEnd: true, cut: false };

export function linkMachine(): LocalMachine<PairLinks, LinkEvent, never> {
  return new LocalMachine({
    name: "links",
    snapshotKey: JSON.stringify,
    eventKey: JSON.stringify,
    step: (links, event) => ({ next: step(links, event), outputs: [] }),
  });
}

/** The connection whose learner's end is open: there is at most one. */
export function learnersSlot(links: PairLinks): Slot | null {
  if (links[0]?.learnerEnd === true) return 0;
  return links[1]?.learnerEnd === true ? 1 : null;
}

export function freeSlot(links: PairLinks): Slot | null {
  if (links[0] === null) return 0;
  return links[1] === null ? 1 : null;
}

/** The older connection is gone: which of the two slots the other one has means nothing any more, so it gets the first. */
export const isMisplaced = (links: PairLinks): boolean => links[0] === null && links[1] !== null;

function step(links: PairLinks, event: LinkEvent): PairLinks {
  if (event.type === "moved") return [links[1], null];
  const slot = "slot" in event ? event.slot : learnersSlot(links);
  if (slot === null) return links;
  const link = event.type === "open" ? OPEN : links[slot];
  if (link === null) return links;
  const next = tidy(changed(link, event));
  return slot === 0 ? [next, links[1]] : [links[0], next];
}

function changed(link: Link, event: Exclude<LinkEvent, { type: "moved" }>): Link {
  const passes = !link.cut && link.learnerEnd && link.leaderEnd;
  switch (event.type) {
    case "open":
      return link;
    case "up":
      return passes ? { ...link, up: [...link.up, event.packet] } : link;
    case "down":
      return passes ? { ...link, down: [...link.down, event.packet] } : link;
    case "taken up":
      return { ...link, up: link.up.slice(1) };
    case "taken down":
      return { ...link, down: link.down.slice(1) };
    case "cut":
      return { ...link, cut: true };
    case "learnerCloses":
      return { ...link, learnerEnd: false };
    case "leaderCloses":
      return { ...link, leaderEnd: false };
  }
}

/** Nobody reads what goes to a closed end, and to the other end it is all the same why this one is gone. */
function tidy(link: Link): Link | null {
  const { learnerEnd, leaderEnd } = link;
  if (!learnerEnd && !leaderEnd) return null;
  return {
    up: leaderEnd ? link.up : [],
    down: learnerEnd ? link.down : [],
    learnerEnd,
    leaderEnd,
    cut: link.cut && learnerEnd && leaderEnd,
  };
}

/** Is the connection as good as open? */
export const isOpen = (link: Link | null): boolean => link?.learnerEnd === true && link.leaderEnd && !link.cut;

/** Does the leader's end have something to notice? */
export const hasEnded = (link: Link | null): boolean => link?.leaderEnd === true && (link.cut || !link.learnerEnd);
