/**
 * `mntr`'s values under Apache ZooKeeper's names (without the prefix `zk_`). Only what this server really measures: a name that is
 * missing here is better than one that is always 0.
 */
import type { MinMaxSum } from "../runtime/counters.ts";
import { FULL_VERSION } from "../server/version.ts";
import type { ServerView } from "../server/view.ts";
import { javaDouble } from "./java-format.ts";

export type MonitorValue = readonly [key: string, value: string];

/** In Apache's order where it has one: version and state first, then gauges, counters and summaries. Asked while serving. */
export function monitorValues(view: ServerView): MonitorValue[] {
  const { counters, host, config } = view;
  const values: MonitorValue[] = [["version", FULL_VERSION]];
  const add = (key: string, value: number | string) => {
    values.push([key, String(value)]);
  };
  add("server_state", view.mode() ?? "null");
  if (!config.standalone) add("peer_state", view.peerState());
  const observed = view.observedServerId();
  if (observed !== null) add("observer_master_id", observed);

  add("ephemerals_count", view.ephemeralCount());
  add("num_alive_connections", view.connectionCount());
  add("avg_latency", javaDouble(counters.latency.average()));
  add("outstanding_requests", counters.outstanding);
  add("znode_count", view.nodeCount());
  add("global_sessions", view.sessions.count());
  add("local_sessions", 0);
  add("packets_sent", counters.packetsSent);
  add("packets_received", counters.packetsReceived);
  add("watch_count", view.watches.watchCount());
  add("min_latency", counters.latency.min);
  add("max_latency", counters.latency.max);
  add("uptime", Math.trunc(view.monotonicMs() - counters.startedAtMs));
  add("approximate_data_size", view.approximateDataSize());
  add("open_file_descriptor_count", host.openFileDescriptors());
  add("max_file_descriptor_count", host.maxFileDescriptors());
  add("last_client_response_size", counters.responseSize.last);
  add("min_client_response_size", counters.responseSize.min);
  add("max_client_response_size", counters.responseSize.max);
  add("auth_failed_count", counters.authFailed);

  if (!config.standalone) addEnsemble(view, add);
  addCounters(view, add);
  return values;
}

type Add = (key: string, value: number | string) => void;

function addEnsemble(view: ServerView, add: Add): void {
  const { counters } = view;
  add("quorum_size", view.quorumSize());
  const leader = view.leader();
  if (leader === null) return;
  add("learners", leader.learners);
  add("synced_followers", leader.syncedFollowers);
  add("synced_non_voting_followers", leader.syncedNonVotingFollowers);
  add("synced_observers", leader.syncedObservers);
  add("pending_syncs", leader.pendingSyncs);
  add("leader_uptime", Math.trunc(view.monotonicMs() - leader.establishedAtMs));
  add("last_proposal_size", counters.proposalSize.last);
  add("min_proposal_size", counters.proposalSize.min);
  add("max_proposal_size", counters.proposalSize.max);
}

function addCounters({ counters }: ServerView, add: Add): void {
  add("connection_request_count", counters.connectionsAccepted);
  add("connection_rejected", counters.connectionsRejected);
  add("connection_drop_count", counters.connectionsDropped);
  add("connection_revalidate_count", counters.sessionsRevalidated);
  add("stale_sessions_expired", counters.sessionsExpired);
  add("proposal_count", counters.proposals);
  add("commit_count", counters.commits);
  // Not Apache's: about 0 per request, whatever the load.
  add("chart_steps", counters.chartSteps);
  add("diff_count", counters.diffsSent);
  add("snap_count", counters.snapsSent);
  summary(add, "fsynctime", counters.fsyncMs);
  summary(add, "snapshottime", counters.snapshotMs);
  summary(add, "election_time", counters.electionMs);
}

function summary(add: Add, name: string, series: MinMaxSum): void {
  add(`avg_${name}`, javaDouble(series.average()));
  add(`min_${name}`, series.min);
  add(`max_${name}`, series.max);
  add(`cnt_${name}`, series.count);
  add(`sum_${name}`, series.sum);
}
