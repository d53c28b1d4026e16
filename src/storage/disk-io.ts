/**
 * File operations as data, so that the simulator can tear them, lose what was not synced, and fill the disk. Effects on
 * one file are performed in the order given; those on different files in any order. Every effect is answered once.
 */

/** Which directory: `version-2` below dataLogDir, `version-2` below dataDir, or dataDir itself (myid, initialize). */
export type DiskArea = "log" | "snap" | "data";

export type DiskEffect =
  /** Plain files and their sizes. A directory that does not exist yet is made. */
  | { readonly type: "disk.list"; readonly id: number; readonly area: DiskArea }
  /** Fewer bytes than asked for come back only where the file ends. */
  | {
      readonly type: "disk.read";
      readonly id: number;
      readonly area: DiskArea;
      readonly file: string;
      readonly offset: number;
      readonly length: number;
    }
  /**
   * Write at an offset (creating the file), then, if `sync`, make the data durable before answering, and the file's name
   * too if it is new.
   */
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
  /** Atomic; the directory is synced before answering. What was written to the file is not: sync its last write. */
  | {
      readonly type: "disk.rename";
      readonly id: number;
      readonly area: DiskArea;
      readonly from: string;
      readonly to: string;
    }
  /** The directory is synced before answering. A file that is not there is fine. */
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
      /** Of disk.read. The memory belongs to the receiver from here on. */
      readonly bytes?: Buffer;
      /** Of disk.list. */
      readonly files?: readonly { readonly name: string; readonly size: number }[];
    }
  /** `code` is errno's name: ENOSPC, EIO, ENOENT. A failed write may have left any part of itself behind. */
  | { readonly type: "DISK_FAILED"; readonly id: number; readonly code: string; readonly message: string };
