/**
 * One life of one server, replayed: charts are stepped by the recorded events and must go where the trace says; everything
 * between their steps must be allowed by the states they are in. The packets of its links are judged in links.ts.
 */
import type { QuorumConfig } from "../../spec/quorum.ts";
import { commitPoint } from "../../spec/quorum.ts";
import { epochOf, formatZxid, type ServerId, type Vote, type Zxid } from "../../spec/vocabulary.ts";
import { Causes, effected, factOf, neededBy } from "./causes.ts";
import { type AskedEffect, ChartReplay, type ReplayCoverage } from "./chart-replay.ts";
import type { Crossing } from "./crossing.ts";
import { DiskAnswers } from "./disk-answers.ts";
import { Durable, type Refuse } from "./durable.ts";
import { machineOf, type ServerHeader, type TracedEvent, type TraceLine } from "./format.ts";
import { LeaderLink, LearnerLink, type Surroundings } from "./links.ts";
import { TraceRefused } from "./violation.ts";

type LineOf<K extends TraceLine[1]> = Extract<TraceLine, readonly [number, K, ...unknown[]]>;

/** What must come next: an event that came in and is the chart's business. */
interface Due {
  readonly chart: string;
  readonly event: string;
  /** What the event carries of the packet: its zxid, or the epoch in it. */
  readonly zxid: number;
  /** What becomes of a packet that cannot be: it may come instead. */
  readonly otherwise: string;
}

export class Life implements Surroundings {
  readonly self: ServerId;
  readonly quorum: QuorumConfig;
  readonly disk: Durable;
  readonly crossing: Crossing;
  readonly #header: ServerHeader;
  readonly #answers: DiskAnswers;
  readonly #coverage: ReplayCoverage;
  readonly #charts = new Map<string, ChartReplay>();
  readonly #causes = new Causes();
  readonly #learners = new Map<string, LearnerLink>();
  #leader: LeaderLink | null = null;
  #due: Due | null = null;
  /** Notifications that the election chart asked for and that have not left yet. */
  #votes: { readonly to: number; readonly vote: Vote; readonly settled: boolean }[] = [];
  epochAnnounced: number | null = null;
  #synchronizing = false;
  #serving = false;
  #n = 1;
  file: string;
  line: number;

  constructor(header: ServerHeader, file: string, line: number, coverage: ReplayCoverage, crossing: Crossing) {
    this.#header = header;
    this.self = header.self as ServerId;
    this.quorum = header.quorum as unknown as QuorumConfig;
    this.file = file;
    this.line = line;
    this.#coverage = coverage;
    this.crossing = crossing;
    this.disk = new Durable((rule, found, expected) => this.refuse(rule, found, expected));
    this.#answers = new DiskAnswers(header.forceSync, this.refuse);
    crossing.traced(this.self);
  }

  readonly refuse: Refuse = (rule, found, expected) => {
    throw new TraceRefused({ rule, file: this.file, line: this.line, found, expected });
  };

  get peer(): ChartReplay {
    return this.#charts.get("peer") ?? this.refuse("chart-from", "no peer chart has started", "its start");
  }

  /** @throws TraceRefused */
  take(line: TraceLine, at: number): void {
    this.line = at;
    if (line[0] !== this.#n + 1) this.refuse("numbered", `line ${line[0]}`, `line ${this.#n + 1}`);
    this.#n = line[0];
    if (this.#due !== null) this.#mustBe(this.#due, line);
    switch (line[1]) {
      case "in":
        return line[2] === "leader" ? this.#fromLeader(line[3], line[4]) : this.#fromLearner(line[2], line[3], line[4]);
      case "out":
        return this.#linkOf(line[2]).sent(line[3], line[4] as Zxid);
      case "log":
        return this.#log(line[2] as Zxid);
      case "apply":
        return this.#apply(line[2] as Zxid);
      case "disk":
        return this.#persisted(line);
      case "ask":
        return this.#answers.ask(line[2], line[3], line[4], line[5], this.disk.lastLogged);
      case "done":
        return this.#answers.done(line[2]);
      case "step":
        return this.#step(line[2], line[3], line[4], line[5]);
      case "vote":
        return this.#voted(line);
      case "unexpected":
        return this.refuse("expected", `${line[4]} in ${line[2]}: ${line[3]}`, "an event that the state lists");
      case "server":
      case "end":
        return;
      default:
        this.refuse("readable", JSON.stringify(line), "a kind of line that the format has");
    }
  }

  /** How far a quorum has logged, by the acks of streaming learners and the own disk. */
  committable(): Zxid {
    if (this.peer.matches("standalone")) return this.disk.durable;
    return commitPoint(this.quorum, (id) => {
      if (id === this.self) return this.disk.durable;
      let acked: Zxid | undefined;
      for (const link of this.#learners.values()) {
        if (link.sid === id && link.counts && (acked === undefined || link.acked > acked)) acked = link.acked;
      }
      return acked;
    });
  }

  // --- charts

  #mustBe({ chart, event, zxid, otherwise }: Due, line: TraceLine): void {
    this.#due = null;
    const isIt =
      (line[1] === "step" && line[2] === chart && [event, otherwise].includes(line[4].type)) ||
      (line[1] === "unexpected" && line[2] === chart);
    if (!isIt) this.refuse("acted-on", describe(line), `${chart} takes ${event}`);
    if (line[1] !== "step" || line[4].type !== event) return;
    const [name, value] = carried(event, zxid);
    if (line[4][name] !== value) this.refuse("acted-on", JSON.stringify(line[4]), `${name} ${value}, as it came in`);
  }

  #step(name: string, from: string, event: TracedEvent, to: string): void {
    const chart = event.type === "xstate.init" ? this.#start(name, event) : this.#go(name, from, event);
    if (chart.state !== to) {
      const what = event.type === "xstate.init" ? "starts" : `on ${event.type} from ${from}`;
      this.refuse("chart-step", `${name} goes to ${to} ${what}`, `${chart.state}, as the chart does`);
    }
    this.#effects(name, chart);
    if (name === "peer" && to === "leading.broadcast" && from !== to) {
      this.crossing.leads(this.self, chart.context["newEpoch"] as number, this.file, this.line);
    }
  }

  #start(name: string, event: TracedEvent): ChartReplay {
    const id = machineOf(name);
    if (id === null) this.refuse("readable", `a chart named ${name}`, "peer, election, recovery or learner.N");
    const before = this.#charts.get(name);
    if (before !== undefined && name !== "recovery") {
      this.refuse("chart-from", `${name} starts again`, `a step from ${before.state}`);
    }
    const input = event["input"] as Readonly<Record<string, unknown>>;
    if (name === "peer" || name === "election") {
      if (input["self"] !== this.self || JSON.stringify(input["quorum"]) !== JSON.stringify(this.#header.quorum)) {
        this.refuse("caused", `${name} starts with another server's input`, `that of server ${this.self}`);
      }
    }
    if (id === "learner-handler") this.#knows(name, input);
    const chart = new ChartReplay(id, input, this.#coverage);
    this.#charts.set(name, chart);
    if (id === "learner-handler") this.#learners.set(name, new LearnerLink(name, chart, this));
    return chart;
  }

  /** A late learner's handler is told what its leader has come to, no more and no less. */
  #knows(name: string, input: Readonly<Record<string, unknown>>): void {
    const found = [input["epochAnnounced"], input["synchronizing"], input["serving"]].join(", ");
    const expected = [this.epochAnnounced, this.#synchronizing, this.#serving].join(", ");
    if (found !== expected) this.refuse("caused", `${name} starts with ${found}`, expected);
  }

  #go(name: string, from: string, event: TracedEvent): ChartReplay {
    const chart = this.#charts.get(name);
    if (chart === undefined) this.refuse("chart-from", `${name} at ${from}`, "its start");
    if (chart.state !== from)
      this.refuse("chart-from", `${name} at ${from} (${event.type})`, `${name} at ${chart.state}`);
    if (event.type.startsWith("xstate.after.") && !chart.timerRuns(event.type)) {
      this.refuse("caused", `the timer ${event.type} fired`, "a timer that runs");
    }
    if (!chart.lists(event.type))
      this.refuse("chart-step", `${name} takes ${event.type} in ${from}`, "an event it lists");
    if (chart.hot(event.type))
      this.refuse("chart-step", `${name} steps on ${event.type}`, "a hot event, which is no step");
    this.#caused(name, chart, event);
    this.#allSent(name);
    chart.step(event);
    return chart;
  }

  #caused(name: string, chart: ChartReplay, event: TracedEvent): void {
    const fact = neededBy(event);
    if (fact !== null && !this.#causes.take(fact))
      this.refuse("caused", `${name} hears ${fact}`, "its cause before it");
    const missing = (expected: string): never => this.refuse("caused", `${name} hears ${event.type}`, expected);
    switch (event.type) {
      case "HISTORY_LOGGED":
      case "SETTLED":
        if (!this.disk.quiet) missing(`LOG_APPENDED up to ${formatZxid(this.disk.lastLogged)} first`);
        if (event.type === "SETTLED" && chart.context["treeInDoubt"] === false) {
          if (event["lastZxid"] !== this.disk.lastApplied) missing(`lastZxid ${formatZxid(this.disk.lastApplied)}`);
        }
        return;
      case "EPOCH_ANNOUNCED":
        if (event["epoch"] !== this.epochAnnounced) missing(`epoch ${this.epochAnnounced}`);
        return;
      case "SYNCHRONIZE":
        if (!this.#synchronizing) missing("the leader in synchronization");
        return;
      case "SERVING":
        if (!this.#serving) missing("the leader in broadcast");
        return;
      case "HISTORY_SENT":
        if (this.#learners.get(name)?.historySent !== true) missing("DIFF, TRUNC or SNAP sent first");
        return;
      case "NOTIFICATION": {
        const { leader, zxid, electionEpoch, peerEpoch } = event["vote"] as Vote;
        const vote = [event["state"], leader, zxid, electionEpoch, peerEpoch].join(" ");
        this.crossing.voteReceived(event["from"] as number, this.self, vote, this.file, this.line);
        return;
      }
    }
  }

  #allSent(name: string): void {
    const missing =
      name === "peer"
        ? this.#leader?.missing
        : name === "election"
          ? this.#votes.map(({ to }) => `a notification to ${to}`)[0]
          : this.#learners.get(name)?.missing;
    if (missing !== undefined)
      this.refuse("asked-for", `the next step of ${name}`, `first ${missing}, which it asked for`);
  }

  #effects(name: string, chart: ChartReplay): void {
    const sid = chart.context["sid"] ?? -1;
    for (const effect of chart.asked) {
      const fact = effected(effect, sid);
      if (fact !== null) this.#causes.happened(fact);
      this.#effect(name, chart, effect);
    }
  }

  #effect(name: string, chart: ChartReplay, effect: AskedEffect): void {
    switch (effect.type) {
      case "leader.connect":
        this.#leader = new LeaderLink(effect["leader"] as ServerId, this);
        return;
      case "acceptedEpoch.write":
      case "currentEpoch.write":
        return this.#answers.forget(`snap/${effect.type.slice(0, -".write".length)}`);
      case "packet.send":
        return this.#linkOf(name === "peer" ? "leader" : name).ask(effect);
      case "snapshot.take":
        return this.disk.replaced(effect["zxid"] as Zxid);
      case "notification.broadcast":
        for (const to of this.quorum.voters) {
          if (to !== this.self) this.#votes.push({ to, vote: effect["vote"] as Vote, settled: false });
        }
        return;
      case "notification.answer": {
        const { to, vote, settled } = effect as unknown as { to: number; vote: Vote; settled: boolean };
        this.#votes.push({ to, vote, settled });
        return;
      }
      case "learners.listen":
        this.epochAnnounced = null;
        this.#synchronizing = false;
        return;
      case "learners.announceEpoch":
        this.epochAnnounced = effect["epoch"] as number;
        return;
      case "learners.synchronize":
        this.#synchronizing = true;
        return;
      case "broadcast.open":
        this.#serving = true;
        return;
      case "broadcast.close":
        this.#serving = false;
        return;
      case "caughtUp.tell":
        if (!this.peer.hot("LEARNER_CAUGHT_UP"))
          this.refuse("admitted", "LEARNER_CAUGHT_UP", "the leader in broadcast");
        return;
      case "link.close":
        // What it acknowledged is forgotten with it.
        this.#learners.get(name)?.close();
        return;
      case "left.tell":
        this.#learners.delete(name);
        if (!chart.matches("closed")) this.refuse("chart-step", `${name} has left`, "a closed chart");
        return;
    }
  }

  // --- what happens between steps

  #linkOf(name: string): LeaderLink | LearnerLink {
    const link = name === "leader" ? this.#leader : this.#learners.get(name);
    return link ?? this.refuse("admitted", `a packet of ${name}`, "a link that is open");
  }

  #fromLeader(packet: string, zxid: number): void {
    const { peer } = this;
    const link = this.#linkOf("leader") as LeaderLink;
    link.received(packet, zxid as Zxid);
    if (peer.hot(packet)) return;
    this.#due = { chart: "peer", event: packet, zxid, otherwise: "LEADER_LOST" };
  }

  #fromLearner(name: string, packet: string, zxid: number): void {
    const link = this.#linkOf(name) as LearnerLink;
    link.received(packet, zxid as Zxid);
    const chart = this.#charts.get(name);
    if (chart?.hot(packet) !== true) {
      this.#due = { chart: name, event: packet, zxid, otherwise: "BAD_PACKET" };
      return;
    }
    const event = packet === "PING" || packet === "REVALIDATE" ? `LEARNER_${packet}` : packet;
    if (!this.peer.hot(event)) this.refuse("admitted", `${event} while ${this.peer.state}`, "a state that admits it");
  }

  #log(zxid: Zxid): void {
    const { peer } = this;
    if (peer.matches("following") || peer.matches("observing")) {
      const proposed = this.#leader?.proposed ?? (-1 as Zxid);
      if (zxid > proposed) {
        this.refuse("caused", `${formatZxid(zxid)} logged`, `a proposal; the last was ${formatZxid(proposed)}`);
      }
    } else if (!peer.matches("leading.broadcast") && !peer.matches("standalone")) {
      this.refuse("admitted", `${formatZxid(zxid)} logged while ${peer.state}`, "a state that logs");
    }
    this.disk.log(zxid);
  }

  #apply(zxid: Zxid): void {
    const { peer } = this;
    const what = `${formatZxid(zxid)} applied`;
    this.disk.apply(zxid);
    if (peer.matches("following") || peer.matches("observing")) {
      const committed = this.#leader?.committed ?? (-1 as Zxid);
      if (zxid > committed) this.refuse("commit-known", what, `a commit; the last was ${formatZxid(committed)}`);
    } else if (peer.matches("leading.broadcast") || peer.matches("standalone")) {
      const upTo = this.committable();
      if (zxid > upTo) this.refuse("quorum", what, `acks of a quorum, which reach ${formatZxid(upTo)}`);
    } else if (peer.matches("settling")) {
      const upTo = this.disk.durable;
      if (zxid > upTo) this.refuse("durable-before-ack", what, `what is on disk, up to ${formatZxid(upTo)}`);
    } else {
      this.refuse("admitted", `${what} while ${peer.state}`, "a state that applies");
    }
  }

  #persisted(line: LineOf<"disk">): void {
    switch (line[2]) {
      case "LOG_APPENDED":
        this.disk.appended(line[3] as Zxid);
        this.#answers.logged(line[3] as Zxid);
        if (this.peer.hot("LOG_APPENDED")) return;
        this.#due = { chart: "peer", event: "LOG_APPENDED", zxid: line[3], otherwise: "" };
        return;
      case "SNAPSHOT_TAKEN":
        this.#answers.named(`snap/snapshot.${line[3].toString(16)}`);
        return this.#causes.happened(factOf("SNAPSHOT_TAKEN", line[3]));
      case "EPOCH_WRITTEN":
        this.#asked(factOf("disk EPOCH_WRITTEN", line[3], line[4]));
        this.#answers.named(`snap/${line[3]}`);
        this.disk[line[3]] = line[4];
        return this.#causes.happened(
          factOf(line[3] === "acceptedEpoch" ? "ACCEPTED_EPOCH_WRITTEN" : "CURRENT_EPOCH_WRITTEN", line[4]),
        );
      case "RECOVERED": {
        const [, , , lastZxid, currentEpoch, acceptedEpoch] = line;
        this.#asked(factOf("disk RECOVERED", lastZxid, currentEpoch, acceptedEpoch));
        this.disk.replaced(lastZxid as Zxid);
        this.disk.acceptedEpoch = acceptedEpoch;
        this.disk.currentEpoch = currentEpoch;
        this.#causes.happened(factOf("RECOVERED", lastZxid, currentEpoch, acceptedEpoch));
        return this.#causes.happened(factOf("LOG_TRUNCATED", lastZxid, currentEpoch));
      }
      case "STORAGE_FAILED":
        return this.#causes.happened(factOf("STORAGE_FAILED", line[3]));
    }
  }

  #asked(fact: string): void {
    if (!this.#causes.take(fact)) this.refuse("caused", fact, "a chart that asked for it");
  }

  #voted([, , to, state, leader, zxid, electionEpoch, peerEpoch]: LineOf<"vote">): void {
    const asked = this.#votes.shift();
    const said = [leader, zxid, electionEpoch, peerEpoch].join(" ");
    const found = `the notification ${said} to ${to}, ${state}`;
    if (asked === undefined) this.refuse("asked-for", found, "none: the election chart asks for none");
    const { vote } = asked;
    const wanted = [vote.leader, vote.zxid, vote.electionEpoch, vote.peerEpoch].join(" ");
    const role = asked.settled ? this.#role(vote.leader) : "LOOKING";
    if (asked.to !== to || wanted !== said || role !== state) {
      this.refuse("asked-for", found, `${wanted} to ${asked.to}, ${role}`);
    }
    this.crossing.voteSent(this.self, to, `${state} ${said}`);
  }

  #role(leader: number): string {
    if (leader === this.self) return "LEADING";
    return this.quorum.voters.includes(this.self) ? "FOLLOWING" : "OBSERVING";
  }
}

function describe(line: TraceLine): string {
  return line[1] === "step" ? `${line[2]} takes ${line[4].type}` : JSON.stringify(line.slice(1));
}

/** What an event has of the packet (or the fact) that it came with. */
function carried(event: string, zxid: number): readonly [name: string, value: number | undefined] {
  switch (event) {
    case "LEADERINFO":
    case "NEWLEADER":
      return ["epoch", epochOf(zxid as Zxid)];
    case "FOLLOWERINFO":
    case "OBSERVERINFO":
      return ["acceptedEpoch", epochOf(zxid as Zxid)];
    case "DIFF":
    case "TRUNC":
    case "SNAP":
    case "ACK":
      return ["zxid", zxid];
    case "ACKEPOCH":
      return ["lastZxid", zxid];
    case "LOG_APPENDED":
      return ["upTo", zxid];
    default:
      return ["zxid", undefined];
  }
}
