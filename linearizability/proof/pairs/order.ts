/** C1, C2, C4, C8, Z3: the order of writes, one client's order, sync. */
import { each, type Pair, READS, REFUSED, SEEN, WRITES } from "./pair.ts";

const uniqueness: Pair[] = each({ ...WRITES, ...REFUSED }, (name, write) => ({
  name: `two writes are answered with one zxid: ${name}`,
  property: "Z3",
  script: `
    1 create /a 0
    2 create /c 0 as c
    1 ${write} ! zxid=c`,
}));

const realTime: Pair[] = each({ ...WRITES, ...REFUSED }, (name, write) => ({
  name: `a write is ordered before one that had been answered when it was asked for: ${name}`,
  property: "C1",
  script: `
    1 create /a 0
    1 ask ${write} as w
    order w
    2 create /c 0
    ! asked w
    answer w`,
}));

const future: Pair[] = READS.flatMap((read) =>
  each(SEEN, (name, write) => ({
    name: `${read} sees ${name} before it was asked for`,
    property: "C6",
    script: `
      1 create /a 0
      1 ask ${write} as w
      order w
      2 ${read} /a
      ! asked w
      answer w`,
  })),
);

const sync: Pair[] = READS.flatMap((read) =>
  each({ ...SEEN, "a refused write": "create /a x" }, (name, write) => ({
    name: `${read} after a sync misses ${name}`,
    property: "C8",
    script: `
      1 create /a 0
      2 get /a
      1 ${write} as w
      2 sync /a ! @w-1
      2 ${read} /a ! @w-1`,
  })),
);

const syncMore: Pair[] = [
  {
    name: "a read, three requests after a sync, misses a write acknowledged before it",
    property: "C8",
    search: true,
    script: `
      1 create /a 0
      1 set /a x as w
      2 sync /a ! @w-1
      2 exists /zz ! @w-1
      2 ls / ! @w-1
      2 get /a ! @w-1`,
  },
  {
    name: "a read after a sync misses a write that another client had read when the sync was sent",
    property: "C8",
    search: true,
    script: `
      1 create /a 0
      1 ask set /a x as w
      order w
      2 get /a
      3 sync /a ! @w-1
      3 get /a ! @w-1
      answer w`,
  },
  {
    name: "a read after a sync on a new connection misses a write acknowledged before the sync",
    property: "C8",
    script: `
      1 create /a 0
      1 set /a x as w
      2 sync /a ! @w-1
      2 lose
      2 connect s2
      2 get /a ! @w-1`,
  },
];

const backwards: Pair[] = READS.flatMap((first) =>
  ["get", "ls", "sync"].map(
    (second): Pair => ({
      name: `${second} after ${first} goes back in time`,
      property: "C4",
      script: `
        1 create /a 0
        1 set /a x as w
        2 ${first} /a
        2 ${second} /a ! @w-1`,
    }),
  ),
);

const backwardsElsewhere: Pair[] = [
  {
    name: "the server that a client moves to is behind what it has read",
    property: "C4",
    script: `
      1 create /a 0
      1 set /a x as w
      2 connect s1
      2 get /a
      2 lose
      2 connect s3
      2 get /a ! @w-1`,
  },
  {
    name: "a read does not see its own client's write",
    property: "C4",
    script: `
      1 create /a 0
      1 set /a x as w
      1 get /a ! @w-1`,
  },
  {
    name: "a read on a new connection does not see its own client's write",
    property: "C4",
    script: `
      1 create /a 0
      1 set /a x as w
      1 lose
      1 connect s2
      1 get /a ! @w-1`,
  },
  {
    name: "a read of another znode goes back in time",
    property: "C4",
    script: `
      1 create /a 0
      1 create /b 0
      1 set /b x as w
      2 get /b
      2 get /a ! @w-1`,
  },
];

const replies: Pair[] = each(
  {
    reads: ["get /a", "exists /b"],
    writes: ["set /a x", "create /c y"],
    mixed: ["ls /", "sync /"],
    same: ["get /a", "get /a"],
  },
  (name, [one, two]) => ({
    name: `replies come in another order than requests were sent: ${name}`,
    property: "C2",
    script: `
      1 create /a 0
      1 ask ${one} as one
      1 ask ${two} as two
      order one
      order two
      ~ answer one
      answer two
      ! answer one`,
  }),
);

const program: Pair[] = each(
  {
    "two sets": ["set /a x", "set /a y"],
    "two znodes": ["set /a x", "create /b y"],
    "create and delete": ["create /b x", "delete /b"],
    "two numbers": ["create /n- x sequential", "create /n- y sequential"],
    "a set and a multi": ["set /a x", "multi set /a y; create /b z"],
    "a refused one": ["set /zz x", "create /b y"],
  },
  (name, [one, two]) => ({
    name: `one client's writes take effect in another order than they were sent: ${name}`,
    property: "C2",
    script: `
      1 create /a 0
      1 ask ${one} as one
      1 ask ${two} as two
      ! order two
      order one
      ~ order two
      answer one
      answer two`,
  }),
);

const acrossConnections: Pair[] = each(WRITES, (name, write) => ({
  name: `a write of an old connection takes effect after one of the new: ${name}`,
  property: "C2",
  black: null,
  script: `
    1 create /a 0
    1 ask ${write} as w
    ~ order w
    1 lose
    1 connect s2
    1 create /c 0
    ! order w`,
}));

const holes: Pair[] = each(WRITES, (name, write) => ({
  name: `of two writes that were lost with a connection only the second took effect; the first was ${name}`,
  property: "C2",
  black: null,
  script: `
    1 create /a 0
    1 ask ${write} as w
    1 ask create /c 0 as c
    ~ order w
    order c
    1 lose`,
}));

const turns: Pair[] = each(WRITES, (name, write) => ({
  name: `a read sees a write that its own client sent after it: ${name}`,
  property: "C2",
  script: `
    1 create /a 0 as a
    1 ask ls / as r
    1 ask ${write} as w
    order w
    answer r @a ! @w
    answer w`,
}));

export const ORDER: readonly Pair[] = [
  ...uniqueness,
  ...realTime,
  ...future,
  ...sync,
  ...syncMore,
  ...backwards,
  ...backwardsElsewhere,
  ...replies,
  ...program,
  ...acrossConnections,
  ...holes,
  ...turns,
];
