/** C5, Z1–Z3, I8–I10: what servers leave on their disks, against each other and against what clients were told. */
import { each, type Pair, REFUSED, WRITES } from "./pair.ts";

const ALL = { ...WRITES, ...REFUSED };
const DATA = { set: "set /a x", cas: "set /a x v0", create: "create /b x", ephemeral: "create /e x ephemeral" };

const lost: Pair[] = each(ALL, (name, write) => ({
  name: `an acknowledged write is in no log: ${name}`,
  property: "C5",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w
    ! log all cut w`,
}));

const twice: Pair[] = each(ALL, (name, write) => ({
  name: `a write is logged twice: ${name}`,
  property: "C1",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w
    ! log all again w`,
}));

const lostTwice: Pair[] = each(WRITES, (name, write) => ({
  name: `a write whose answer was lost is logged twice: ${name}`,
  property: "C1",
  black: null,
  script: `
    1 create /a 0
    1 ask ${write} as w
    order w
    1 lose
    ! log all again w`,
}));

const invented: Pair[] = each(WRITES, (name, write) => ({
  name: `a txn of a recorded client that it never asked for: ${name}`,
  property: "Z1",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w
    ! log all again w 77`,
}));

const mixedUp: Pair[] = each(ALL, (name, write) => ({
  name: `the acknowledged zxid is another request's: ${name}`,
  property: "C1",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w
    ! log all cxid w 77`,
}));

const refused: Pair[] = each(WRITES, (name, write) => ({
  name: `a write is refused on the way, and takes effect: ${name}`,
  property: "C1",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w ! err=SESSIONMOVED`,
}));

const gaps: Pair[] = each(WRITES, (name, write) => ({
  name: `one log lacks a txn in its middle: ${name}`,
  property: "I8",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w
    1 create /c 0
    ! log 2 lose w`,
}));

const forks: Pair[] = each(DATA, (name, write) => ({
  name: `two servers logged different txns under one zxid: ${name}`,
  property: "Z2",
  black: null,
  script: `
    1 create /a 0
    1 ${write} as w
    ! log 3 data w z`,
}));

const backwards: Pair[] = each(
  { set: "set /a x", create: "create /b x", "refused cas": "set /a x v7" },
  (name, write) => ({
    name: `a log goes back: ${name}`,
    property: "Z3",
    black: null,
    script: `
    1 create /a 0
    1 ${write} as w
    1 create /c 0
    ! log 1 old w`,
  }),
);

const contents: Pair[] = [
  ...each(
    DATA,
    (name, write): Pair => ({
      name: `all servers logged other data than were asked for: ${name}`,
      property: "Z1",
      black: null,
      script: `
        1 create /a 0
        1 ${write} as w
        ! log all data w z`,
    }),
  ),
  ...each(
    { set: "set /a x", cas: "set /a x v0" },
    (name, write): Pair => ({
      name: `all servers logged a wrong version: ${name}`,
      property: "C10",
      black: null,
      script: `
        1 create /a 0
        1 ${write} as w
        ! log all version w 7`,
    }),
  ),
  {
    name: "a sequential name in the log is not the one that was answered",
    property: "C10",
    black: null,
    script: `
      1 create /a 0
      1 create /a/n- x sequential as w
      ! log all path w /a/n-0000000004`,
  },
  ...each(
    WRITES,
    (name, write): Pair => ({
      name: `a write that succeeded is logged as an error: ${name}`,
      property: name === "multi" ? "C3" : "C1",
      black: null,
      script: `
        1 create /a 0
        1 ${write} as w
        ! log all fail w`,
    }),
  ),
  ...each(
    { delete: "delete /zz", set: "set /zz", "create without parent": "create /zz/b" },
    (name, txn): Pair => ({
      name: `a txn that cannot be applied: ${name}`,
      property: "Z1",
      black: null,
      script: `
        1 create /a 0
        ~ log all foreign create /b
        ! log all foreign ${txn}`,
    }),
  ),
];

const digests: Pair[] = [
  {
    name: "two servers report different digests of one zxid",
    property: "I10",
    script: `
      1 create /a 0
      digest 1 aa
      ~ digest 2 aa
      ! digest 2 bb`,
  },
  {
    name: "the third server reports another digest",
    property: "I10",
    script: `
      1 create /a 0
      digest 1 aa
      digest 2 aa
      ~ digest 3 aa
      ! digest 3 ab`,
  },
  ...each(
    WRITES,
    (name, write): Pair => ({
      name: `a txn is logged with a digest that its tree does not have: ${name}`,
      property: "I10",
      black: null,
      script: `
        1 create /a 0
        1 ${write} as w
        1 create /c 0
        ~ log all digests
        ! log all digest w`,
    }),
  ),
];

export const LOGS: readonly Pair[] = [
  ...lost,
  ...twice,
  ...lostTwice,
  ...invented,
  ...mixedUp,
  ...refused,
  ...gaps,
  ...forks,
  ...backwards,
  ...contents,
  ...digests,
];
