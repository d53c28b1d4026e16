/** What `sync` promises (C8). */

export interface SyncWorld {
  /** For each sync that was answered: writes acknowledged by anyone before it was asked, and those its leader knows of. */
  readonly answered: readonly { readonly acknowledgedBefore: number; readonly known: number }[];
}

export const SYNC_INVARIANTS = [
  {
    id: "C8",
    name: "SyncSeesAcknowledgedWrites",
    sentence: "A read after a sync sees every write that was acknowledged before the sync was asked for.",
    holds: ({ answered }: SyncWorld) => answered.every(({ acknowledgedBefore, known }) => known >= acknowledgedBefore),
  },
] as const;
