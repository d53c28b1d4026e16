/** The `type` and `state` of a WatcherEvent (Watcher.Event). */

export const EventType = {
  /** A change of the connection's own state; clients make it up, servers never send it for a node. */
  none: -1,
  created: 1,
  deleted: 2,
  dataChanged: 3,
  childrenChanged: 4,
  /** Local to a client that removed its watch. */
  dataWatchRemoved: 5,
  childWatchRemoved: 6,
  persistentWatchRemoved: 7,
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

/** Servers send `syncConnected` with every node event; the others are what a client library tells its application. */
export const KeeperState = {
  disconnected: 0,
  syncConnected: 3,
  authFailed: 4,
  connectedReadOnly: 5,
  saslAuthenticated: 6,
  expired: -112,
  closed: 7,
} as const;
export type KeeperState = (typeof KeeperState)[keyof typeof KeeperState];
