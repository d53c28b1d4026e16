/** UTF-8 bytes of one path at a time, in memory that is used again: what the index hashes and compares. */
export class PathBytes {
  bytes: Buffer = Buffer.allocUnsafe(512);
  length = 0;
  /** Offset of the last slash; -1 without one. */
  slash = -1;

  set(path: string): void {
    const units = path.length;
    // Three bytes per UTF-16 unit is the most that UTF-8 can need.
    if (this.bytes.length < units * 3) this.bytes = Buffer.allocUnsafe(units * 6);
    const bytes = this.bytes;
    let slash = -1;
    for (let i = 0; i < units; i++) {
      const unit = path.charCodeAt(i);
      if (unit >= 0x80) return this.#setEncoded(path);
      if (unit === 0x2f) slash = i;
      bytes[i] = unit;
    }
    this.length = units;
    this.slash = slash;
  }

  #setEncoded(path: string): void {
    this.length = this.bytes.write(path, 0, "utf8");
    this.slash = this.bytes.lastIndexOf(0x2f, this.length - 1);
  }
}
