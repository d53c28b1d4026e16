import type { Tracer } from "../runtime/tracer.ts";
import type { StorageFact } from "../storage/storage-facts.ts";

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
