/**
 * Transitions that no real object takes by real inputs, and why: chart → transition → reason. They are in the charts because a
 * chart must not depend on how well the code around it closes its links.
 */
const DETACHED = "the role closes its link to the leader when it ends, and hears nothing of it afterwards";
const GONE = "the role sends its learners away when it ends; what they say then reaches the chart before it settles";
const TABLE = "a leader asks the table whether the event is admitted; the chart itself is never told";
const OVERFLOW = "after 16 MiB of events that nobody reads; src/pipeline/limits.test.ts writes them";
const QUIET = "a role begins after the disk has settled, and this phase has asked it for nothing of the kind";

export const UNREACHABLE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  peer: {
    "recovering LEADER_LOST#0": DETACHED,
    "looking LEADER_LOST#0": DETACHED,
    "settling LEADER_LOST#0": DETACHED,
    "settling SNAPSHOT_RECEIVED#0": DETACHED,
    "settling SNAPSHOT_TAKEN#0":
      "a role that is cut off while a received tree is written does not wait for it: it recovers at once",
    "recovering LEARNER_LEFT#0": GONE,
    "looking LEARNER_LEFT#0": GONE,
    "settling QUORUM_LOST#0": "a leader counts its quorum on ticks, which end with its broadcast",
    "leading LEARNER_CAUGHT_UP#0": TABLE,
    "leading.synchronization LEARNER_PING#0": TABLE,
    "leading LOG_APPENDED#0": QUIET,
    "following LOG_APPENDED#0": QUIET,
    "following ACCEPTED_EPOCH_WRITTEN#0": QUIET,
    "following CURRENT_EPOCH_WRITTEN#0": QUIET,
    "observing LOG_APPENDED#0": QUIET,
    "observing ACCEPTED_EPOCH_WRITTEN#0": QUIET,
    "observing CURRENT_EPOCH_WRITTEN#0": QUIET,
    "leading.discovery.persistingAcceptedEpoch always#0":
      "after 2 097 151 epochs; spec/peer/peer.test.ts takes it with such an epoch",
  },
  "learner-handler": {
    "awaitingNewLeaderAck ACK#2":
      "every zxid satisfies one of the two guards before it, as long as they are right: there so that a wrong one is noticed",
  },
  "server-connection": {
    "established OVERFLOWED#0": OVERFLOW,
    "finishing OVERFLOWED#0": OVERFLOW,
    "draining OVERFLOWED#0": OVERFLOW,
    "draining ENDED#0": "its session has forgotten a connection that drains: no second reason to end finds it",
  },
};
