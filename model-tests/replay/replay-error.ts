/** A file or a trace that cannot be replayed. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
}
