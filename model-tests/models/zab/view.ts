/** What the properties see of a server (spec/invariants/zab-view.ts). */

import type { Phase, ServerView } from "../../../spec/invariants/zab-view.ts";
import { type PeerContext, standing } from "../../../spec/peer/setup.ts";
import type { Epoch } from "../../../spec/vocabulary.ts";
import type { MemberSetting, ServerState } from "./server-state.ts";

export function serverView({ charts, parts }: MemberSetting, state: ServerState): ServerView {
  const { self, disk, tree, window } = state;
  const path = charts.peer.path(charts.peer.parts.snapshots.intern(state.peer));
  const context = state.peer.context as PeerContext;
  const role = path.startsWith("leading") ? "leading" : path.startsWith("following") ? "following" : "none";
  const durable = new parts.Disk(disk, charts.recovery).peek();
  const pending = [...disk.writing, ...disk.gathered];
  const tells = path === "looking" || path.includes("discovery");
  return {
    self,
    role: state.stopped ? "none" : role,
    phase: state.stopped ? "stopped" : phaseOf(path),
    bringing: BRINGING[path] ?? null,
    leader: context.leader,
    epoch: role === "none" ? (0 as Epoch) : context.newEpoch,
    acceptedEpoch: disk.acceptedEpoch,
    currentEpoch: disk.currentEpoch,
    durable,
    logged: disk.snapshot !== null ? disk.snapshot.tree : durable === null ? null : [...durable, ...pending],
    tree: context.treeInDoubt ? null : tree,
    window,
    synchronized:
      path === "following.synchronization.awaitingUpToDate" ||
      path === "following.broadcast" ||
      path === "leading.broadcast",
    reported: tells && !state.stopped ? { epoch: context.currentEpoch, zxid: standing(context) } : null,
  };
}

function phaseOf(path: string): Phase {
  const [role, phase] = path.split(".");
  if (role === "leading" || role === "following") return phase as Phase;
  return role === "failed" ? "stopped" : "looking";
}

const BRINGING: Readonly<Record<string, ServerView["bringing"]>> = {
  "following.synchronization.truncating": "truncation",
  "following.synchronization.truncatingThenLogging": "truncation",
  "following.synchronization.persistingSnapshot": "snapshot",
  "following.synchronization.persistingSnapshotThenLogging": "snapshot",
  "following.synchronization.loggingHistory": "history",
};
