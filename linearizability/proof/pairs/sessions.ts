/** S1–S5, S8, S9: sessions and their ephemerals. Timeouts are 6 s, ticks 1 s. */
import { each, type Pair, READS } from "./pair.ts";

const txns: Pair[] = [
  {
    name: "a session was granted that no log creates",
    property: "S1",
    black: null,
    script: `
      2 connect
      1 connect
      1 create /a 0
      ! log all session 1`,
  },
  {
    name: "a session is created twice",
    property: "S1",
    black: null,
    script: `
      1 connect
      1 create /a 0
      ! log all twice 1`,
  },
  {
    name: "a client is told that its session has expired, and no log closes it",
    property: "S9",
    black: null,
    script: `
      1 create /a 0
      2 create /b 0
      2 lose
      wait 8000
      ~ 2 expires
      2 told
      1 get /a`,
  },
];

const afterTheEnd: Pair[] = each(
  {
    set: "set /a x",
    create: "create /b x",
    ephemeral: "create /e x ephemeral",
    sequential: "create /n- x sequential",
    delete: "delete /a",
    multi: "multi set /a x; create /b y",
  },
  (name, write) => ({
    name: `a session writes after its end: ${name}`,
    property: "S3",
    black: null,
    script: `
      1 create /a 0
      2 get /a
      2 ask ${write} as w
      ~ order w
      wait 8000
      2 expires
      ! order w
      2 told`,
  }),
);

const early: Pair[] = each(
  { "at once": "0", "after one second": "1000", "after three seconds": "3000" },
  (name, wait) => ({
    name: `a session expires though it was just served: ${name}`,
    property: "S2",
    black: null,
    script: `
    1 create /a 0
    2 create /b 0
    ~ wait 8000
    ! wait ${wait}
    2 expires
    2 told`,
  }),
);

const late: Pair[] = [
  {
    name: "a dead client's session never expires",
    property: "S8",
    black: null,
    script: `
      1 create /a 0
      2 create /e 0 ephemeral
      2 lose
      wait 8000
      ~ 2 expires
      wait 60000
      1 get /a`,
  },
  {
    name: "a dead client's session expires much too late",
    property: "S8",
    black: null,
    script: `
      1 create /a 0
      2 create /e 0 ephemeral
      2 lose
      wait 8000
      ! wait 40000
      2 expires
      1 get /a`,
  },
];

const owned: Pair[] = [
  ...each(
    { "one too few": "", "somebody else's": "/e,/b", "only somebody else's": "/b" },
    (name, paths): Pair => ({
      name: `a close deletes other nodes than the session's: ${name}`,
      property: "S4",
      black: null,
      script: `
        1 create /a 0
        1 create /b 0
        2 create /e 0 ephemeral
        2 close as c
        1 get /b
        ! log all owned c ${paths}`,
    }),
  ),
  ...READS.map(
    (read): Pair => ({
      name: `an ephemeral is seen after its session's close: ${read}`,
      property: "S4",
      script: `
        1 create /a 0
        2 create /e 0 ephemeral
        2 close
        1 ${read} /e ! ok`,
    }),
  ),
  {
    name: "an ephemeral is listed after its session's close",
    property: "S4",
    script: `
      1 create /a 0
      2 create /a/e 0 ephemeral
      2 close
      1 ls / ! children=a,ghost,zookeeper`.replaceAll("/a/e", "/ghost"),
  },
  {
    name: "an ephemeral is seen after its session has expired",
    property: "S4",
    black: null,
    script: `
      1 create /a 0
      2 create /e 0 ephemeral
      2 lose
      wait 8000
      2 expires
      1 get /e ! ok`,
  },
  {
    name: "a second client creates an ephemeral though the first one's is still there",
    property: "C1",
    search: true,
    script: `
      1 create /a 0
      1 create /e 0 ephemeral
      2 create /e 1 ephemeral ! ok
      1 set /a x`,
  },
  {
    name: "an ephemeral goes though its session lives",
    property: "C5",
    black: null,
    script: `
      1 create /a 0
      2 create /e 0 ephemeral
      1 get /e ! err=NONODE
      2 get /a`,
  },
  {
    name: "an ephemeral has children",
    property: "C1",
    script: `
      1 create /e 0 ephemeral
      1 create /e/c 0 ! ok`,
  },
];

export const SESSIONS: readonly Pair[] = [...txns, ...afterTheEnd, ...early, ...late, ...owned];
