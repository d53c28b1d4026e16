/** Jepsen's log lines: `INFO  jepsen.util - 3 :invoke :cas [1 2]`; the text before the process is optional. */
import { parseEdn } from "./edn.ts";
import { ForeignError, type ForeignEvent, type Value } from "./events.ts";

const LINE = /(?:^|\s)(\d+|:?nemesis)\s+:(invoke|ok|fail|info)\s+:([\w-]+)\s*(.*)$/;

/** Lines without an event (a log has others) are passed over. Throws ForeignError. */
export function parseJepsen(text: string): ForeignEvent[] {
  const events: ForeignEvent[] = [];
  for (const [at, content] of text.split("\n").entries()) {
    const match = LINE.exec(content.trimEnd());
    if (match === null || match[1]!.endsWith("nemesis")) continue;
    const line = at + 1;
    const [, process, type, f, rest] = match as unknown as [string, string, ForeignEvent["type"], string, string];
    events.push({ process, type, f, key: "", value: readValue(rest, line), line });
  }
  return events;
}

/** What stands after it all is an error's text. */
function readValue(text: string, line: number): Value {
  if (text === "") return null;
  try {
    return parseEdn(text)[0] as Value;
  } catch (error) {
    throw new ForeignError({ code: "BAD_LINE", line, text }, { cause: error });
  }
}
