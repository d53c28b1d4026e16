/**
 * The election port between real servers, as the models have it: what one has last said to another and the other has not heard
 * yet. A server that has died is silent until it starts, and its channels are new then.
 */
import type { PeerState, Vote } from "../../spec/vocabulary.ts";
import { ElectionDecoder, type Notification } from "../../src/protocol/notification.ts";
import { voteText } from "../models/election/election-model.ts";
import type { RealMember } from "./real-member.ts";

export class RealBallots {
  readonly #members: () => readonly RealMember[];
  readonly #underWay = new Map<string, Notification>();
  /** Servers without a voice, and what they have to say. */
  readonly #silent = new Map<number, Map<number, Notification>>();

  constructor(members: () => readonly RealMember[]) {
    this.#members = members;
  }

  /** What a server wrote to a socket that is no learner's. */
  said(from: number, socket: number, bytes: Buffer | null): void {
    const to = this.#member(from).peerOf(socket);
    // An introduction begins with a negative number.
    if (to === null || bytes === null || bytes.readInt32BE(0) < 0) return;
    const decoder = new ElectionDecoder("initiator");
    decoder.push(bytes);
    const message = decoder.next();
    if (message?.type !== "NOTIFICATION") return;
    const silent = this.#silent.get(from);
    if (silent !== undefined) silent.set(to, message.notification);
    else this.#underWay.set(`${from} ${to}`, message.notification);
  }

  /** To be called before the server is started again: what it says from now on is kept. */
  dies(server: number): void {
    this.#silent.set(server, new Map());
    for (const from of this.#members().keys()) this.#underWay.delete(`${from} ${server}`);
  }

  /** A server that has not been started yet: what it has said nobody has heard of. */
  isLate(server: number): void {
    const said = new Map<number, Notification>();
    for (const to of this.#members().keys()) {
      const notification = this.#underWay.get(`${server} ${to}`);
      if (notification !== undefined) said.set(to, notification);
      this.#underWay.delete(`${server} ${to}`);
    }
    this.dies(server);
    this.#silent.set(server, said);
  }

  /** It has its voice back, and others call it, or are called by it, anew. */
  starts(server: number, gather: () => void): void {
    const said = this.#silent.get(server) ?? new Map<number, Notification>();
    this.#silent.delete(server);
    for (const [to, notification] of said) this.#underWay.set(`${server} ${to}`, notification);
    for (const from of this.#members().keys()) {
      this.#underWay.delete(`${from} ${server}`);
      if (from === server || this.#silent.has(from)) continue;
      this.#member(from).calledAnew(server + 1);
      gather();
    }
  }

  /** @returns what is wrong. */
  hears(server: number, from: number): string | null {
    const notification = this.#underWay.get(`${from} ${server}`);
    if (notification === undefined) return "nothing was said to it";
    this.#underWay.delete(`${from} ${server}`);
    this.#member(server).hear(from + 1, notification);
    return null;
  }

  isRunning(server: number): boolean {
    return !this.#silent.has(server);
  }

  /** "LOOKING …", or null. */
  underWay(from: number, to: number): string | null {
    const notification = this.#underWay.get(`${from} ${to}`);
    return notification === undefined ? null : ballotText(notification);
  }

  #member(index: number): RealMember {
    return this.#members()[index] as RealMember;
  }
}

export const ballotText = ({ state, vote }: { readonly state: PeerState; readonly vote: Vote }): string =>
  `${state} ${voteText(vote)}`;
