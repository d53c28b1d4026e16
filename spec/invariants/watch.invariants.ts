/** What a client may rely on when it watches (W1–W5), as an observer of its replies and events sees it. */

export interface WatchWorld {
  readonly clients: readonly {
    readonly watches: readonly {
      readonly path: string;
      /** Of changes after this zxid it is told. */
      readonly since: number;
    }[];
    /** A reply showed a change before its event came. */
    readonly late: boolean;
    /** An event came after one of a later change. */
    readonly disordered: boolean;
    /** An event came that no watch had asked for, or once too often. */
    readonly surplus: boolean;
    /** An event was of another kind than the change. */
    readonly wrongKind: boolean;
    /** Everything was applied by this client's server, and everything that it sent has arrived. */
    readonly settled: boolean;
  }[];
  /** Changes of data, as far as they are committed. */
  readonly changes: readonly { readonly path: string; readonly zxid: number }[];
}

export const WATCH_INVARIANTS = [
  {
    id: "W1",
    name: "EventBeforeReply",
    sentence: "A client gets the event before any reply that shows the change.",
    holds: ({ clients }: WatchWorld) => clients.every(({ late }) => !late),
  },
  {
    id: "W2",
    name: "EventsInOrder",
    sentence: "Events of one connection come in the order of the changes.",
    holds: ({ clients }: WatchWorld) => clients.every(({ disordered }) => !disordered),
  },
  {
    id: "W3",
    name: "NoSurplusEvents",
    sentence: "A one-shot watch tells once, a persistent one every change once.",
    holds: ({ clients }: WatchWorld) => clients.every(({ surplus }) => !surplus),
  },
  {
    id: "W4",
    name: "NoWatchIsLost",
    sentence: "A watch tells of the first change after it, also across a reconnection.",
    holds: ({ clients, changes }: WatchWorld) =>
      clients.every(({ settled, watches }) => {
        return !settled || watches.every(({ path, since }) => !changes.some((c) => c.path === path && c.zxid > since));
      }),
  },
  {
    id: "W5",
    name: "RightKind",
    sentence: "The event says what happened.",
    holds: ({ clients }: WatchWorld) => clients.every(({ wrongKind }) => !wrongKind),
  },
] as const;
