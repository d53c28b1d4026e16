/** Links that one client has to itself, as a workload uses them. */
import type { ClientLinks } from "../cluster/network.ts";
import type { PrivateLinks } from "../workloads/stage.ts";

export function privateLinks(group: ClientLinks): PrivateLinks {
  const { links } = group;
  const liftAll = (lifts: readonly (() => void)[]) => (): void => {
    for (const lift of lifts) lift();
  };
  return {
    addresses: group.addresses,
    move: (forMs) => {
      // Only where it is now: the others take it.
      const used = links.filter((link) => link.connections > 0);
      const lift = liftAll(used.map((link) => link.forth.disturb({ refuse: true })));
      for (const link of used) link.reset();
      setTimeout(lift, forMs);
    },
    cutOff: () =>
      liftAll(links.flatMap((link) => [link.forth.disturb({ hold: true }), link.back.disturb({ hold: true })])),
    trickle: (bytesPerSecond) => liftAll(links.map((link) => link.back.disturb({ bytesPerSecond, sliceBytes: 4096 }))),
    close: () => group.close(),
  };
}
