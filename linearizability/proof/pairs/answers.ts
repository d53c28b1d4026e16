/** C1, C3, C5, C6, C10: what replies say of the tree. */
import { each, type Pair, READS, SEEN } from "./pair.ts";

const errors: Pair[] = [
  ...each(
    {
      "a set of what is there": ["set /a x", "NONODE"],
      "a create of what is not there": ["create /b x", "NODEEXISTS"],
      "a delete of what has no children": ["delete /a", "NOTEMPTY"],
      "a create under what is there": ["create /a/b x", "NONODE"],
      "a delete of what is there": ["delete /a", "NONODE"],
    },
    (name, [write, err]): Pair => ({
      name: `${name} is refused with ${err}`,
      property: "C1",
      search: true,
      script: `
        1 create /a 0
        1 ${write} ! err=${err}`,
    }),
  ),
  ...each(
    {
      "a set of what is not there": "set /zz x",
      "a second create": "create /a x",
      "a create without a parent": "create /zz/b x",
      "a delete of a parent": "delete /a",
      "a delete of what is not there": "delete /zz",
    },
    (name, write): Pair => ({
      name: `${name} succeeds`,
      property: "C1",
      // The search knows nothing of a znode that nobody made.
      search: !write.includes("/zz"),
      script: `
        1 create /a 0
        1 create /a/c 0
        1 ${write} ! ok`,
    }),
  ),
  ...each(
    { "a set": "set /a x", "a delete": "delete /a" },
    (name, write): Pair => ({
      name: `${name} with the right version is refused`,
      property: "C10",
      search: true,
      script: `
        1 create /a 0
        1 ${write} v0 ! err=BADVERSION`,
    }),
  ),
  ...each(
    { "a set": "set /a x", "a delete": "delete /a" },
    (name, write): Pair => ({
      name: `${name} with a version that has passed succeeds`,
      property: "C10",
      search: true,
      script: `
        1 create /a 0
        1 set /a y
        2 ${write} v0 ! ok`,
    }),
  ),
];

const versions: Pair[] = [
  ...["set /a x", "set /a x v1"].map(
    (write): Pair => ({
      name: `a version is skipped: ${write}`,
      property: "C10",
      search: true,
      script: `
        1 create /a 0
        1 set /a y
        2 ${write} ! version=3`,
    }),
  ),
  {
    name: "a version counts on after delete and create",
    property: "C10",
    search: true,
    script: `
      1 create /a 0
      1 set /a y
      1 delete /a
      1 create /a 1
      2 get /a ! version=1`,
  },
  ...["n-0000000000", "n-0000000002", "n-0000000007"].map(
    (number): Pair => ({
      name: `a sequential name with the wrong number: ${number}`,
      property: "C10",
      search: true,
      script: `
        1 create /q 0
        1 create /q/n- 0 sequential
        1 delete /q/n-0000000000
        2 create /q/n- 1 sequential ! path=/q/${number}`,
    }),
  ),
  {
    name: "a sequential name does not count a create without a number",
    property: "C10",
    search: true,
    script: `
      1 create /q 0
      1 create /q/plain 0
      2 create /q/n- 1 sequential ! path=/q/n-0000000000`,
  },
  {
    name: "a sequential ephemeral gets the name of one that has gone with its session",
    property: "C10",
    script: `
      1 create /q 0
      2 create /q/n- 0 ephemeralSequential
      2 close
      1 create /q/n- 1 ephemeralSequential ! path=/q/n-0000000000`,
  },
  ...["mzxid", "czxid", "pzxid", "cversion", "aversion", "numChildren", "dataLength", "version"].map(
    (field): Pair => ({
      name: `a set answers a wrong ${field}`,
      property: "C10",
      script: `
        1 create /a 0
        1 create /a/b 0
        1 set /a x ! ${field}=77`,
    }),
  ),
];

const stats: Pair[] = READS.flatMap((read) =>
  ["mzxid", "czxid", "pzxid", "version", "cversion", "aversion", "ctime", "mtime", "dataLength", "numChildren"].map(
    (field): Pair => ({
      name: `${read} answers a wrong ${field}`,
      property: field === "mzxid" ? "C6" : "C10",
      black: field === "mzxid" ? "C6" : "C10",
      script: `
        1 create /a 0
        1 set /a x
        1 create /a/b 0
        2 ${read} /a ! ${field}=77`,
    }),
  ),
);

const owners: Pair[] = [
  ["none", "an ephemeral has no owner"],
  ["1", "an ephemeral has another's owner"],
].map(
  ([owner, name]): Pair => ({
    name: name!,
    property: "C10",
    script: `
      1 create /a 0
      2 create /e 0 ephemeral
      3 get /e ! owner=${owner}`,
  }),
);

const values: Pair[] = [
  {
    name: "a read of a value that nobody wrote",
    property: "C6",
    search: true,
    script: `
      1 create /a 0
      2 get /a ! data=ghost`,
  },
  {
    name: "a read of the value of a write that was refused",
    property: "C6",
    search: true,
    script: `
      1 create /a 0
      1 set /a ghost v7
      2 get /a ! data=ghost`,
  },
  {
    name: "a read of another znode's value",
    property: "C6",
    search: true,
    script: `
      1 create /a 0
      1 create /b 1
      2 get /a ! data=1`,
  },
  {
    name: "a value comes back after it was overwritten",
    property: "C5",
    search: true,
    script: `
      1 create /a 0
      1 set /a x
      1 set /a y
      1 get /a ! data=x`,
  },
  {
    name: "a value of a node's former life comes back",
    property: "C5",
    search: true,
    script: `
      1 create /a old
      1 delete /a
      1 create /a new
      1 get /a ! data=old`,
  },
  ...each(
    { create: "create /b 1", sequential: "create /n- 1 sequential", ephemeral: "create /b 1 ephemeral" },
    (name, write): Pair => ({
      name: `a list of children lacks the newest: ${name}`,
      property: "C5",
      search: true,
      script: `
        1 create /a 0
        1 ${write}
        1 ls / ! children=a,zookeeper`,
    }),
  ),
  {
    name: "a list of children has one that nobody made",
    property: "C6",
    search: true,
    script: `
      1 create /a 0
      2 ls / ! children=a,ghost,zookeeper`,
  },
  {
    name: "a list of children has one that was deleted",
    property: "C5",
    search: true,
    script: `
      1 create /a 0
      1 create /b 0
      1 delete /b
      1 ls / ! children=a,b,zookeeper`,
  },
  {
    name: "a list of children has one that comes later",
    property: "C6",
    script: `
      1 create /a 0 as a
      1 create /b 0
      2 ls / @a ! children=a,b,zookeeper`,
  },
  ...READS.map(
    (read): Pair => ({
      name: `${read} does not find what is there`,
      property: "C5",
      search: read !== "acl",
      script: `
        1 create /a 0
        1 ${read} /a ! err=NONODE`,
    }),
  ),
  ...READS.map(
    (read): Pair => ({
      name: `${read} finds what was deleted`,
      property: "C5",
      script: `
        1 create /a 0
        1 delete /a
        1 ${read} /a ! ok`,
    }),
  ),
  ...READS.map(
    (read): Pair => ({
      name: `${read} finds what nobody has made`,
      property: "C6",
      script: `
        1 create /a 0
        1 ${read} /ghost ! ok`,
    }),
  ),
  ...each(
    SEEN,
    (name, write): Pair => ({
      name: `a read at an old zxid tells of a newer write: ${name}`,
      property: "C6",
      script: `
        1 create /a 0 as a
        1 create /b 0
        1 ${write}
        2 get /${name === "delete" ? "b @a ! ok" : "a @a ! data=x"}`,
    }),
  ),
];

const multis: Pair[] = [
  {
    name: "a multi whose check fails succeeds",
    property: "C3",
    search: true,
    script: `
      1 create /a 0
      1 multi check /a v7; set /a x ! ok`,
  },
  ...["BADVERSION", "NODEEXISTS", "NOTEMPTY"].map(
    (err): Pair => ({
      name: `a multi that can be done is refused with ${err}`,
      property: "C3",
      search: true,
      script: `
        1 create /a 0
        1 multi set /a x; create /b y ! err=${err}`,
    }),
  ),
  ...["OK,OK,NODEEXISTS", "NODEEXISTS,RUNTIMEINCONSISTENCY,RUNTIMEINCONSISTENCY"].map(
    (codes): Pair => ({
      name: `a failed multi blames the wrong op: ${codes}`,
      property: "C3",
      script: `
        1 create /a 0
        1 multi set /a x; create /a y; create /b z ! results=${codes}`,
    }),
  ),
  {
    name: "a multi answers a wrong version",
    property: "C3",
    search: true,
    script: `
      1 create /a 0
      1 multi set /a x; create /b y ! sub=5`,
  },
  {
    name: "a failed multi leaves its first half behind",
    property: "C6",
    search: true,
    script: `
      1 create /a 0
      1 multi set /a x; check /a v7
      1 get /a ! data=x`,
  },
  {
    name: "a multi that succeeded has only its first half",
    property: "C5",
    search: true,
    script: `
      1 create /a 0
      1 multi set /a x; create /b y
      1 exists /b ! err=NONODE`,
  },
  {
    name: "half of a multi is seen before the other",
    property: "C6",
    script: `
      1 create /a 0
      1 create /b 0 as b
      1 multi set /a x; set /b y as m
      2 get /b @b ! data=y`,
  },
];

export const ANSWERS: readonly Pair[] = [...errors, ...versions, ...stats, ...owners, ...values, ...multis];
