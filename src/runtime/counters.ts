/**
 * What one server counts for its operator: plain number fields, incremented in place on the hot path and read by the
 * four-letter words (ZooKeeper's ServerStats, ServerCnxn stats and Leader's BufferStats). Times are monotonic milliseconds.
 */

/** Count, sum, min and max of a series of whole numbers (ZooKeeper's AvgMinMaxCounter). */
export class MinMaxSum {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;

  add(value: number): void {
    if (this.count === 0 || value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.count++;
    this.sum += value;
  }

  /** Rounded to four decimals, as `srvr` prints it. */
  average(): number {
    return this.count === 0 ? 0 : Math.round((this.sum / this.count) * 10_000) / 10_000;
  }

  reset(): void {
    this.count = 0;
    this.sum = 0;
    this.min = 0;
    this.max = 0;
  }
}

/** Last, smallest and largest size seen, -1 while there is none (ZooKeeper's BufferStats). */
export class SizeRange {
  last = -1;
  min = -1;
  max = -1;

  add(bytes: number): void {
    this.last = bytes;
    if (this.min < 0 || bytes < this.min) this.min = bytes;
    if (bytes > this.max) this.max = bytes;
  }

  reset(): void {
    this.last = -1;
    this.min = -1;
    this.max = -1;
  }
}

export class ServerCounters {
  /** When the server started, monotonic ms; `uptime` is counted from here. */
  startedAtMs: number;
  /** Frames from clients, connect requests included. */
  packetsReceived = 0;
  /** Frames to clients, notifications included. */
  packetsSent = 0;
  /** Requests taken in and not yet answered, over all connections. */
  outstanding = 0;
  /** Milliseconds from a request's arrival to its reply. */
  readonly latency = new MinMaxSum();
  /** Bytes of replies to clients. */
  readonly responseSize = new SizeRange();
  /** Bytes of proposals; only a leader (or a standalone server) adds to it. */
  readonly proposalSize = new SizeRange();

  connectionsAccepted = 0;
  /** Connections refused by maxClientCnxns and the like. */
  connectionsRejected = 0;
  connectionsDropped = 0;
  /** Requests that were answered with an error because a frame or record could not be read. */
  malformedRequests = 0;
  authFailed = 0;
  sessionsCreated = 0;
  sessionsExpired = 0;
  sessionsRevalidated = 0;
  reads = 0;
  writes = 0;
  /** Transactions applied to the tree. */
  txnsApplied = 0;
  proposals = 0;
  commits = 0;
  watchesFired = 0;
  fsyncs = 0;
  readonly fsyncMs = new MinMaxSum();
  snapshots = 0;
  readonly snapshotMs = new MinMaxSum();
  readonly electionMs = new MinMaxSum();
  elections = 0;
  diffsSent = 0;
  snapsSent = 0;
  /** Steps that the interpreter took: requests take none, so this hardly moves under load. */
  chartSteps = 0;
  /** Events that no state of a chart lists: worth a look, never fatal. */
  unexpectedEvents = 0;

  constructor(startedAtMs: number) {
    this.startedAtMs = startedAtMs;
  }

  /** `srst`: what ServerStats.reset clears. Uptime, outstanding requests and proposal sizes stay. */
  reset(): void {
    this.packetsReceived = 0;
    this.packetsSent = 0;
    this.latency.reset();
    this.responseSize.reset();
    this.fsyncMs.reset();
    this.snapshotMs.reset();
    this.electionMs.reset();
  }
}

/** The same for one client connection (ServerCnxn's stats), as `cons` prints it. */
export class ConnectionCounters {
  /** Wall clock ms of the accept. */
  readonly establishedMs: number;
  received = 0;
  sent = 0;
  /** Requests taken in and not yet answered. */
  outstanding = 0;
  /** OpCode of the last answered request; 0 (notification) before the first. */
  lastOp = 0;
  lastCxid = -1;
  /** Zxid of the last reply, -1 before the first. */
  lastZxid = -1;
  /** Monotonic ms of the last reply. */
  lastResponseMs = 0;
  lastLatencyMs = 0;
  readonly latency = new MinMaxSum();

  constructor(establishedMs: number) {
    this.establishedMs = establishedMs;
  }

  /** One reply was queued. */
  answered(op: number, cxid: number, zxid: number, nowMs: number, latencyMs: number): void {
    this.lastOp = op;
    this.lastCxid = cxid;
    this.lastZxid = zxid;
    this.lastResponseMs = nowMs;
    this.lastLatencyMs = latencyMs;
    this.latency.add(latencyMs);
  }

  /** `crst`. */
  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.lastOp = 0;
    this.lastCxid = -1;
    this.lastZxid = -1;
    this.lastResponseMs = 0;
    this.lastLatencyMs = 0;
    this.latency.reset();
  }
}
