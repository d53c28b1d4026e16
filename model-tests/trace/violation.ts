/** What a trace may be refused for. One sentence each, as the report prints it. */
export const RULES = {
  readable: "each line is a line of the format",
  numbered: "a life's lines are numbered from 1 without gaps",
  "chart-from": "a step starts where its chart stands",
  "chart-step": "a step goes where the chart goes with that event in that state and context",
  expected: "no chart meets an event that it does not list",
  admitted: "a hot event happens only in a state that admits it",
  "acted-on": "what came in and is not hot is the chart's next event",
  caused: "a fact is told only after what it tells of has happened",
  "asked-for": "packets that end a phase leave when a chart asks for them, and all of them leave",
  "disk-answered": "storage tells of nothing that the disk has not answered for",
  "durable-before-ack": "what an ack promises is on disk before it leaves",
  "epoch-before-ack": "an epoch is on disk before anybody is told that it was accepted",
  quorum: "what is committed was logged by a quorum",
  "commit-known": "a learner applies only what its leader has committed",
  "zxid-order": "txns are logged, committed and applied in zxid order, without gaps",
  "one-leader": "an epoch has one leader",
  sent: "what one server received from another was sent by it",
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly file: string;
  /** From 1, in the file. */
  readonly line: number;
  readonly found: string;
  readonly expected: string;
}

export class TraceRefused extends Error {
  override readonly name = "TraceRefused";
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(formatViolation(violation));
    this.violation = violation;
  }
}

export function formatViolation({ rule, file, line, found, expected }: Violation): string {
  return `${file}:${line}: ${rule}: ${RULES[rule]}\n  found:    ${found}\n  expected: ${expected}`;
}
