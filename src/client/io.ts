/**
 * The boundary between a client and the world: what `ConnectionCore` asks for, as data. Production (socket.ts, clock.ts),
 * tests and the simulator perform these effects, in order, and bring back what happens through the core's methods.
 */

/** Chosen by the core, never reused. What happens on a socket that the core has dropped is ignored. */
export type ClientSocketId = number;

export interface ServerAddress {
  /** Name or address, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

export type ClientIoEffect =
  | { readonly type: "socket.connect"; readonly socket: ClientSocketId; readonly address: ServerAddress }
  /** The bytes belong to the socket from here on. */
  | { readonly type: "socket.write"; readonly socket: ClientSocketId; readonly bytes: Buffer }
  | { readonly type: "socket.destroy"; readonly socket: ClientSocketId }
  | { readonly type: "timer.set"; readonly id: string; readonly delayMs: number }
  | { readonly type: "timer.clear"; readonly id: string }
  /** Call `turnEnded` when everything that happens in this turn of the event loop has happened. */
  | { readonly type: "turn.end" };

/** What the core needs to know of the world besides its inputs. */
export interface ClientEnvironment {
  /** Milliseconds of a clock that never goes backwards. */
  monotonicMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
}

/** `127.0.0.1:2181`, `[::1]:2181`. */
export function formatAddress(address: ServerAddress): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
