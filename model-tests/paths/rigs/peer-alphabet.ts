/** Payloads for the peer chart's events that can happen to a real server in its state, right ones and wrong ones. */
import type { AnyMachineSnapshot, EventObject } from "xstate";
import type { PeerContext, PeerEvent } from "../../../spec/peer/setup.ts";
import {
  counterOf,
  type Epoch,
  epochOf,
  makeZxid,
  NO_ZXID,
  type ServerId,
  type Zxid,
} from "../../../spec/vocabulary.ts";
import { listedIn } from "../pair-graph.ts";
import { type DiskContent, lastZxidOf } from "./peer-disks.ts";

export interface PeerVariant {
  readonly self: number;
  readonly kind: "participant" | "observer";
  readonly standalone: boolean;
  readonly voters: readonly number[];
  readonly observers: readonly number[];
  readonly disk: DiskContent;
}

/** Elections repeat themselves: more new epochs than this show nothing new. */
const NEW_EPOCHS = 2;

export function peerAlphabet(variant: PeerVariant): (snapshot: AnyMachineSnapshot) => readonly EventObject[] {
  return (snapshot) => {
    const context = snapshot.context as PeerContext;
    return listedIn(snapshot).flatMap((type) => payloads(type, context, variant));
  };
}

function payloads(type: string, context: PeerContext, variant: PeerVariant): readonly EventObject[] {
  const { acceptedEpoch, currentEpoch, lastZxid, newEpoch } = context;
  const others = variant.voters.filter((id) => id !== variant.self) as ServerId[];
  const observer = variant.observers.find((id) => id !== variant.self) as ServerId | undefined;
  // As many as a quorum needs besides this server.
  const needed = others.slice(0, Math.floor(variant.voters.length / 2));
  switch (type as PeerEvent["type"]) {
    case "RECOVERED": {
      const fromStart = acceptedEpoch === 0 && lastZxid === 0;
      const { disk } = variant;
      const payload = fromStart
        ? { lastZxid: lastZxidOf(disk), acceptedEpoch: disk.acceptedEpoch, currentEpoch: disk.currentEpoch }
        : { lastZxid, acceptedEpoch, currentEpoch };
      return [{ type, ...payload } as EventObject];
    }
    case "STORAGE_FAILED":
      return [{ type, code: "EIO", message: "injected" } as EventObject];
    case "ACCEPTED_EPOCH_WRITTEN":
      return newEpoch > acceptedEpoch ? [{ type, epoch: newEpoch } as EventObject] : [];
    case "CURRENT_EPOCH_WRITTEN":
      return newEpoch > currentEpoch ? [{ type, epoch: newEpoch } as EventObject] : [];
    case "LOG_TRUNCATED":
      return context.treeInDoubt && mayTruncate(context, variant)
        ? [{ type, lastZxid: truncationOf(context), currentEpoch } as EventObject]
        : [];
    case "SNAPSHOT_RECEIVED":
    case "SNAPSHOT_TAKEN":
    case "SNAP":
      return [{ type, zxid: snapshotOf(context) } as EventObject];
    case "SETTLED":
      return [{ type, lastZxid } as EventObject];
    case "LOG_APPENDED":
      return [{ type, upTo: lastZxid } as EventObject];
    case "ELECTED": {
      if (acceptedEpoch >= variant.disk.acceptedEpoch + NEW_EPOCHS) return [];
      const leaders = variant.kind === "observer" ? others.slice(0, 1) : [...others.slice(-1), variant.self];
      return leaders.map((leader) => ({ type, leader }) as EventObject);
    }
    case "LEADER_LOST":
      return [{ type, reason: "reset" } as EventObject];
    case "LEADER_CONNECT_FAILED":
      // All tries in the first following; one in later ones.
      return context.connectAttempts === 0 || acceptedEpoch === variant.disk.acceptedEpoch ? [{ type }] : [];
    case "LEADER_CONNECTED":
      return context.connectAttempts <= 1 ? [{ type }] : [];
    case "LEADERINFO":
      return [acceptedEpoch + 1, acceptedEpoch, acceptedEpoch - 1]
        .filter((epoch) => epoch >= 0)
        .map((epoch) => ({ type, epoch }) as EventObject);
    case "DIFF":
      return [{ type, zxid: lastZxid } as EventObject];
    case "TRUNC":
      return mayTruncate(context, variant) ? [{ type, zxid: truncationOf(context) } as EventObject] : [];
    case "NEWLEADER":
      return [newEpoch, newEpoch + 1].map((epoch) => ({ type, epoch }) as EventObject);
    case "LEARNER_JOINED":
      return [
        ...needed.flatMap((id) => [0, acceptedEpoch + 1].map((epoch) => joined(id, true, epoch))),
        ...(observer === undefined ? [] : [joined(observer, false, 0)]),
      ];
    case "EPOCH_ACKED":
      return epochAcks(context, needed, observer);
    case "NEWLEADER_ACKED":
      return [
        ...needed.map((from) => ({ type, from, voter: true }) as EventObject),
        ...(observer === undefined ? [] : [{ type, from: observer, voter: false } as EventObject]),
      ];
    case "LEARNER_LEFT":
      // Its link broke before it said who it is.
      return [{ type, from: -1 } as EventObject];
    case "LISTEN_FAILED":
      return [{ type, message: "EADDRINUSE" } as EventObject];
    default:
      return [{ type }];
  }
}

const joined = (from: ServerId, voter: boolean, acceptedEpoch: number): EventObject =>
  ({ type: "LEARNER_JOINED", from, voter, acceptedEpoch }) as EventObject;

function epochAcks(
  { currentEpoch, lastZxid }: PeerContext,
  voters: readonly ServerId[],
  observer: ServerId | undefined,
): EventObject[] {
  const ack = (from: ServerId, isVoter: boolean, epoch: number, zxid: number): EventObject =>
    ({ type: "EPOCH_ACKED", from, voter: isVoter, currentEpoch: epoch, lastZxid: zxid }) as EventObject;
  const acks: EventObject[] = [];
  for (const voter of voters) {
    acks.push(ack(voter, true, currentEpoch, lastZxid));
    acks.push(ack(voter, true, -1, lastZxid));
    acks.push(ack(voter, true, currentEpoch, NO_ZXID));
    acks.push(ack(voter, true, currentEpoch, lastZxid + 1));
    acks.push(ack(voter, true, currentEpoch + 1, 0));
  }
  if (observer !== undefined) {
    acks.push(ack(observer, false, currentEpoch, lastZxid));
    acks.push(ack(observer, false, currentEpoch + 1, lastZxid + 1));
  }
  return acks;
}

const mayTruncate = ({ lastZxid }: PeerContext, { disk }: PeerVariant): boolean =>
  counterOf(lastZxid) > 1 && lastZxid <= lastZxidOf(disk) && epochOf(lastZxid) === 1;

/** A leader that lacks this server's last txn. */
const truncationOf = ({ lastZxid }: PeerContext): Zxid => (lastZxid - 1) as Zxid;

/** A leader whose history this server's log cannot be brought up to. */
const snapshotOf = ({ lastZxid }: PeerContext): Zxid => Math.max(lastZxid, makeZxid(1, 9)) as Zxid;

export function epochIn(event: EventObject): Epoch {
  return (event as unknown as { epoch: Epoch }).epoch;
}
