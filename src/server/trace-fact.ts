import type { Tracer } from "../runtime/tracer.ts";
import type { StorageFact } from "../storage/storage-facts.ts";
import type { Effects } from "./io.ts";

/** What the disk has confirmed, as a line of the trace. */
export function traceFact(tracer: Tracer, fact: StorageFact): void {
  switch (fact.type) {
    case "RECOVERED":
      return tracer.persisted(fact.type, fact.lastZxid, fact.currentEpoch, fact.acceptedEpoch);
    case "LOG_APPENDED":
      return tracer.persisted(fact.type, fact.upTo);
    case "EPOCH_WRITTEN":
      return tracer.persisted(fact.type, fact.kind, fact.epoch);
    case "SNAPSHOT_TAKEN":
      return tracer.persisted(fact.type, fact.zxid);
    case "STORAGE_FAILED":
      return tracer.persisted(fact.type, fact.code);
  }
}

/** The writes and renames among a turn's effects: what the facts of the disk will have to rest on. */
export function traceWrites(tracer: Tracer, effects: Effects): void {
  for (const effect of effects) {
    if (effect.type === "disk.write")
      tracer.asked(effect.id, effect.type, `${effect.area}/${effect.file}`, effect.sync);
    else if (effect.type === "disk.rename") tracer.asked(effect.id, effect.type, `${effect.area}/${effect.to}`, true);
  }
}
