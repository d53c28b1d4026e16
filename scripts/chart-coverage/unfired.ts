/** Transitions that nothing takes, neither runs, generated tests, the checker nor walks, and why that is: chart → transition → reason. */
export const UNFIRED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  peer: {
    "leading.discovery.persistingAcceptedEpoch always#0":
      "after 2 097 151 epochs; spec/peer/peer.test.ts takes it with such an epoch",
  },
  "learner-handler": {
    "awaitingNewLeaderAck ACK#2":
      "every zxid satisfies one of the two guards before it, as long as they are right: there so that a wrong one is noticed",
  },
};
