/** A broken assumption of ours. The process stops and recovers from its log: safer than serving from an unknown state. */
export class AssertionFailure extends Error {
  override readonly name = "AssertionFailure";
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

export function unreachable(value: never, message: string): never {
  throw new AssertionFailure(`${message}: ${JSON.stringify(value)}`);
}
