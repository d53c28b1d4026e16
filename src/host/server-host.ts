/**
 * Runs one server in this process: gathers inputs during a turn of the event loop, steps the server with each, and performs
 * the effects in their order. The only place where a server meets the clock, the network and the disk.
 */
import { createHash } from "node:crypto";
import { performance } from "node:perf_hooks";
import { FourLetterWords } from "../admin/four-letter-words.ts";
import type { Environment, Reporter } from "../runtime/environment.ts";
import type { ServerConfig } from "../server/config.ts";
import type { Effect, Effects, Input } from "../server/io.ts";
import { Server } from "../server/server.ts";
import { diskDirs, NodeDisk } from "./disk.ts";
import { hostFacts } from "./host-facts.ts";
import { Sockets } from "./sockets.ts";
import { TraceFile } from "./trace-file.ts";

/**
 * When many thousand sockets are readable at once, what they are told is not gathered for all of them: it would fill the young
 * generation and outlive it.
 */
const MOST_INPUTS_OF_TURN = 1024;

export interface RunningServer {
  /** Ends it cleanly; `ended` tells when. */
  stop(): void;
  /** Exit code: 0 after `stop`. */
  readonly ended: Promise<number>;
}

const environment: Environment = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  sha1: (bytes) => createHash("sha1").update(bytes).digest(),
};

export async function runServer(config: ServerConfig, report: Reporter): Promise<RunningServer> {
  const host = new ServerHost(config, report);
  host.start();
  return { stop: () => host.input({ type: "STOP" }), ended: host.ended };
}

class ServerHost {
  readonly ended: Promise<number>;
  readonly #server: Server;
  readonly #sockets: Sockets;
  readonly #disk: NodeDisk;
  readonly #report: Reporter;
  readonly #trace: TraceFile | null;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #end: (code: number) => void;
  #effects: Effects = [];
  /** The server is in a step: inputs that effects cause at once wait for its end. */
  #stepping = false;
  #waiting: Input[] = [];
  #turnEndDue = false;
  #inputsOfTurn = 0;
  /** An input that an effect causes at once ends no turn: its effects come after those that are being performed. */
  #performing = false;
  #exited = false;

  constructor(config: ServerConfig, report: Reporter) {
    this.#report = report;
    let end: (code: number) => void = () => {};
    this.ended = new Promise((resolve) => {
      end = resolve;
    });
    this.#end = end;
    const trace = config.traceFile === null ? null : new TraceFile(config.traceFile, report);
    this.#trace = trace;
    this.#server = new Server({
      config,
      environment,
      host: hostFacts(config),
      fourLetterWords: (view) => {
        const words = new FourLetterWords(view);
        return (word, rest) => words.answer(word, rest);
      },
      ...(trace === null ? {} : { traced: (line) => trace.add(line) }),
    });
    const deliver = (input: Input): void => this.input(input);
    this.#sockets = new Sockets({
      deliver,
      clientBacklog: config.clientPortListenBacklog,
      bindRetries: config.electionPortBindRetry,
    });
    this.#disk = new NodeDisk(diskDirs(config.dataDir, config.dataLogDir), deliver);
  }

  start(): void {
    this.input({ type: "STARTED" });
  }

  input(input: Input): void {
    if (this.#exited) return;
    if (this.#stepping) {
      this.#waiting.push(input);
      return;
    }
    this.#stepping = true;
    try {
      this.#server.step(input, this.#effects);
      for (let i = 0; i < this.#waiting.length; i++) this.#server.step(this.#waiting[i] as Input, this.#effects);
      this.#waiting.length = 0;
    } catch (error) {
      this.#crash(error);
      return;
    } finally {
      this.#stepping = false;
    }
    if (++this.#inputsOfTurn >= MOST_INPUTS_OF_TURN && !this.#performing) {
      this.#turnEndDue = true;
      this.#endTurn();
    } else if (!this.#turnEndDue) {
      this.#turnEndDue = true;
      // After the poll phase: every socket that was readable in this turn has been read by then.
      setImmediate(this.#endTurn);
    }
  }

  readonly #endTurn = (): void => {
    if (!this.#turnEndDue || this.#exited) return;
    this.#turnEndDue = false;
    this.#inputsOfTurn = 0;
    this.#stepping = true;
    try {
      this.#server.step({ type: "TURN_ENDED" }, this.#effects);
    } catch (error) {
      this.#crash(error);
      return;
    } finally {
      this.#stepping = false;
    }
    this.#trace?.flush();
    const effects = this.#effects;
    this.#effects = [];
    this.#performing = true;
    for (const effect of effects) this.#perform(effect);
    this.#performing = false;
  };

  #perform(effect: Effect): void {
    switch (effect.type) {
      case "socket.write":
        return this.#sockets.write(effect.socket, effect.bytes, effect.slab ?? null);
      case "socket.drain":
        return this.#sockets.drain(effect.socket);
      case "socket.connect":
        return this.#sockets.connect(effect);
      case "socket.close":
        return this.#sockets.close(effect.socket);
      case "socket.destroy":
        return this.#sockets.destroy(effect.socket);
      case "socket.pause":
        return this.#sockets.pause(effect.socket);
      case "socket.resume":
        return this.#sockets.resume(effect.socket);
      case "listen":
        return this.#sockets.listen(effect);
      case "unlisten":
        return this.#sockets.unlisten(effect.port);
      case "timer.set":
        return this.#setTimer(effect.id, effect.delayMs);
      case "timer.clear":
        return this.#clearTimer(effect.id);
      case "report":
        return this.#report(effect.report);
      case "process.exit":
        return this.#exit(effect.code);
      default:
        return this.#disk.perform(effect);
    }
  }

  #setTimer(id: string, delayMs: number): void {
    this.#clearTimer(id);
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      // Cleared or set anew in this very turn, and not performed yet: this one is of the past.
      if (this.#effects.some((effect) => "id" in effect && effect.id === id)) return;
      this.input({ type: "TIMER", id });
    }, delayMs);
    this.#timers.set(id, timer);
  }

  #clearTimer(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  /** A broken assumption: stop at once and recover from the log, rather than serve from a state nobody understands. */
  #crash(error: unknown): void {
    this.#trace?.flush();
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const lastSteps = this.#server.trace
      .lines()
      .slice(-10)
      .map((line) => `${line.chart}: ${line.from} --${line.event}--> ${line.to}`);
    this.#report({
      level: "error",
      message: "the server stops on an internal error",
      data: { error: stack, lastSteps },
    });
    this.#exit(2);
  }

  #exit(code: number): void {
    if (this.#exited) return;
    this.#exited = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#sockets.closeAll();
    this.#trace?.close();
    this.#end(code);
  }
}
