/** File operations as data, so that the simulator can tear, reorder nothing, lose what was not synced, and fill the disk. */

/** Which directory: `version-2` below dataLogDir, `version-2` below dataDir, or dataDir itself (myid, initialize). */
export type DiskArea = "log" | "snap" | "data";

export type DiskEffect =
  | { readonly type: "disk.list"; readonly id: number; readonly area: DiskArea }
  | {
      readonly type: "disk.read";
      readonly id: number;
      readonly area: DiskArea;
      readonly file: string;
      readonly offset: number;
      readonly length: number;
    }
  /** Write at an offset (creating the file), then, if `sync`, make the data durable before answering. */
  | {
      readonly type: "disk.write";
      readonly id: number;
      readonly area: DiskArea;
      readonly file: string;
      readonly offset: number;
      readonly bytes: readonly Buffer[];
      readonly sync: boolean;
      /** Grow the file to this size with zeros first, if it is smaller. */
      readonly size?: number;
    }
  /** Atomic; the directory is synced before answering. */
  | {
      readonly type: "disk.rename";
      readonly id: number;
      readonly area: DiskArea;
      readonly from: string;
      readonly to: string;
    }
  | { readonly type: "disk.remove"; readonly id: number; readonly area: DiskArea; readonly file: string }
  /** Cut (and sync). */
  | {
      readonly type: "disk.truncate";
      readonly id: number;
      readonly area: DiskArea;
      readonly file: string;
      readonly length: number;
    };

export type DiskInput =
  | {
      readonly type: "DISK_DONE";
      readonly id: number;
      readonly bytes?: Buffer;
      readonly files?: readonly { readonly name: string; readonly size: number }[];
    }
  | { readonly type: "DISK_FAILED"; readonly id: number; readonly code: string; readonly message: string };
