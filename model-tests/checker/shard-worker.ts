/** One shard on a thread of its own: expands a level when told to, and passes foreign successors to their owners. */

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert } from "../../src/runtime/assert.ts";
import { type Batch, BatchReader, BatchWriter } from "./batch.ts";
import { checkNamed } from "./checks.ts";
import { Shard } from "./shard.ts";
import type { LevelDone, WorkerCommand, WorkerData, WorkerReply } from "./worker-messages.ts";

/** Successors from a peer, or its word that there are no more on this level. */
type PeerMessage = Batch | { readonly levelDone: true };

const SLICE = 4096;

interface Peer {
  readonly port: MessagePort;
  readonly writer: BatchWriter;
  readonly reader: BatchReader;
  /** Its part of the current level has arrived whole. */
  done: boolean;
}

async function main(): Promise<void> {
  const { check, index, shards, symmetry, keepGoing, maxStates, ports, stop } = workerData as WorkerData;
  const coordinator = parentPort;
  assert(coordinator !== null, "A shard worker runs as a worker thread.");
  const model = await checkNamed(check).load();
  const peers = new Map<number, Peer>();
  const shard = new Shard(
    model,
    { index, shards, symmetry, keepGoing, maxStates, recordGraph: false },
    {
      send: (owner, words, lo, hi, parent, ordinal) =>
        (peers.get(owner) as Peer).writer.add(words, lo, hi, parent, ordinal),
    },
  );
  const stopped = () => Atomics.load(stop, 0) !== 0;
  let expanded = false;

  const take = (peer: Peer, message: PeerMessage) => {
    if ("levelDone" in message) peer.done = true;
    else peer.reader.read(message, (words, lo, hi, parent, ordinal) => shard.receive(words, lo, hi, parent, ordinal));
  };
  const reply = (message: WorkerReply) => coordinator.postMessage(message);

  const finishLevel = () => {
    if (!expanded || ![...peers.values()].every(({ done }) => done)) return;
    expanded = false;
    for (const peer of peers.values()) peer.done = false;
    const size = shard.advance();
    reply({ type: "levelDone", ...tallyOf(shard, size), coverage: model.coverage?.() ?? null });
  };

  const expandLevel = () => {
    while (!stopped() && !shard.expand(SLICE)) {
      for (const peer of peers.values()) {
        // Taken between slices, or a fast peer's batches would pile up in memory.
        for (let got = receiveMessageOnPort(peer.port); got !== undefined; got = receiveMessageOnPort(peer.port))
          take(peer, got.message as PeerMessage);
      }
    }
    if (shard.halted) Atomics.store(stop, 0, 1);
    for (const peer of peers.values()) {
      peer.writer.flush();
      peer.port.postMessage({ levelDone: true });
    }
    expanded = true;
    finishLevel();
  };

  ports.forEach((port, other) => {
    if (port === null) return;
    const post = (batch: Batch) => port.postMessage(batch, [batch.states.buffer]);
    const peer: Peer = { port, writer: new BatchWriter(model, post), reader: new BatchReader(model), done: false };
    peers.set(other, peer);
    port.on("message", (message: PeerMessage) => {
      take(peer, message);
      finishLevel();
    });
  });

  coordinator.on("message", (command: WorkerCommand) => {
    if (command.type === "expand") {
      expandLevel();
    } else if (command.type === "ancestor") {
      const { number } = command;
      reply({ type: "ancestor", parent: shard.ancestry.parent(number), ordinal: shard.ancestry.ordinal(number) });
    } else {
      for (const { port } of peers.values()) port.close();
      coordinator.close();
    }
  });

  shard.seed();
  const size = shard.advance();
  reply({ type: "levelDone", ...tallyOf(shard, size), coverage: model.coverage?.() ?? null });
}

function tallyOf(shard: Shard<unknown>, size: number): Omit<LevelDone, "type" | "coverage"> {
  const { distinct, generated, depth, queue, terminal, bytes, taken, reached, findings, halted } = shard;
  return { size, distinct, generated, depth, queue, terminal, bytes, taken: [...taken], reached, findings, halted };
}

await main();
