/** W1–W5, C6: what watchers are told. */
import { each, type Pair } from "./pair.ts";

interface Watched {
  /** After `create /a 0` and `create /a/c 0`. */
  readonly leave: string;
  readonly change: string;
  readonly told: string;
  /** What would be the wrong kind. */
  readonly wrong: string;
  /** A second change of the sort. */
  readonly again: string;
}

const WATCHED: Readonly<Record<string, Watched>> = {
  "data, changed": {
    leave: "get /a watch",
    change: "set /a x",
    told: "dataChanged /a",
    wrong: "deleted /a",
    again: "set /a y",
  },
  "data, deleted": {
    leave: "get /b watch",
    change: "delete /b",
    told: "deleted /b",
    wrong: "dataChanged /b",
    again: "create /b 2",
  },
  "exists, changed": {
    leave: "exists /a watch",
    change: "set /a x",
    told: "dataChanged /a",
    wrong: "created /a",
    again: "set /a y",
  },
  "exists, created": {
    leave: "exists /d watch",
    change: "create /d x",
    told: "created /d",
    wrong: "dataChanged /d",
    again: "set /d y",
  },
  "children, a new one": {
    leave: "ls /a watch",
    change: "create /a/d x",
    told: "childrenChanged /a",
    wrong: "dataChanged /a",
    again: "create /a/e x",
  },
  "children, one less": {
    leave: "ls /a watch",
    change: "delete /a/c",
    told: "childrenChanged /a",
    wrong: "deleted /a",
    again: "create /a/e x",
  },
  "children, parent deleted": {
    leave: "ls /b watch",
    change: "delete /b",
    told: "deleted /b",
    wrong: "childrenChanged /b",
    again: "create /b x",
  },
  "by a multi": {
    leave: "get /a watch",
    change: "multi check /b v0; set /a x",
    told: "dataChanged /a",
    wrong: "deleted /a",
    again: "set /a y",
  },
  "persistent, data": {
    leave: "addWatch /a persistent",
    change: "set /a x",
    told: "dataChanged /a",
    wrong: "deleted /a",
    again: "",
  },
  "persistent, children": {
    leave: "addWatch /a persistent",
    change: "create /a/d x",
    told: "childrenChanged /a",
    wrong: "dataChanged /a",
    again: "",
  },
  "recursive, itself": {
    leave: "addWatch /a persistentRecursive",
    change: "set /a x",
    told: "dataChanged /a",
    wrong: "created /a",
    again: "",
  },
  "recursive, below": {
    leave: "addWatch /a persistentRecursive",
    change: "create /a/d x",
    told: "created /a/d",
    wrong: "deleted /a/d",
    again: "",
  },
};

const GROUND = `
  1 create /a 0
  1 create /a/c 0
  1 create /b 0`;

const lost: Pair[] = each(WATCHED, (name, { leave, change, told }) => ({
  name: `an event is never told: ${name}`,
  property: "W4",
  script: `${GROUND}
    2 ${leave}
    1 ${change}
    ~ 2 sees ${told}
    2 get /a
    2 get /a`,
}));

/** Found by a server that drops events, in runs whose connections never break. */
const lostAtClose: Pair[] = each(WATCHED, (name, { leave, change, told }) => ({
  name: `an event is never told before the session is closed: ${name}`,
  property: "W4",
  script: `${GROUND}
    2 ${leave}
    1 ${change}
    ~ 2 sees ${told}
    2 get /a
    2 close`,
}));

const late: Pair[] = each(WATCHED, (name, { leave, change, told }) => ({
  name: `an event comes after a reply that reflects it: ${name}`,
  property: "W1",
  script: `${GROUND}
    2 ${leave}
    1 ${change} as w
    ~ 2 sees ${told}
    2 get /a
    ! 2 sees ${told} @w
    2 get /a`,
}));

const ownWrite: Pair[] = each(
  { set: ["get /a watch", "set /a x", "dataChanged /a"], create: ["exists /d watch", "create /d x", "created /d"] },
  (name, [leave, change, told]) => ({
    name: `a client hears of its own change after its answer: ${name}`,
    property: "W1",
    script: `${GROUND}
      2 ${leave}
      2 ask ${change} as w
      order w
      ~ 2 sees ${told} @w
      answer w
      ! 2 sees ${told} @w
      2 get /a`,
  }),
);

const twice: Pair[] = each(WATCHED, (name, { leave, change, told }) => ({
  name: `an event is told twice: ${name}`,
  property: "W3",
  script: `${GROUND}
    2 ${leave}
    1 ${change}
    2 sees ${told}
    ! 2 sees ${told}
    2 get /a`,
}));

const oneShot: Pair[] = Object.entries(WATCHED)
  .filter(([, { again }]) => again !== "")
  .map(([name, { leave, change, told, again }]) => ({
    name: `a watch that has fired fires for the next change, too: ${name}`,
    property: "W3",
    script: `${GROUND}
      2 ${leave}
      1 ${change}
      2 sees ${told}
      1 ${again} as w
      ! 2 sees ${again.startsWith("set") ? "dataChanged" : again.includes("/a/") ? "childrenChanged" : "created"} ${again.includes("/a/") ? "/a" : again.split(" ")[1]}
      2 get /a`,
  }));

const wrongKind: Pair[] = each(WATCHED, (name, { leave, change, told, wrong }) => ({
  name: `an event of the wrong kind: ${name}`,
  property: name.startsWith("children") && wrong.startsWith("dataChanged") ? "W3" : "W5",
  script: `${GROUND}
    2 ${leave}
    1 ${change}
    ~ 2 sees ${told}
    ! 2 sees ${wrong}
    2 get /a`,
}));

const unasked: Pair[] = each(
  { dataChanged: "set /a x", created: "create /a/d x", childrenChanged: "create /a/d x", deleted: "delete /a/c" },
  (type, change) => ({
    name: `${type} is told to somebody who watches nothing`,
    property: "W3",
    script: `${GROUND}
      2 get /a
      1 ${change}
      ! 2 sees ${type} ${type === "created" ? "/a/d" : type === "deleted" ? "/a/c" : "/a"}
      2 get /a`,
  }),
);

const registeredTwice: Pair[] = each(
  { "get and get": ["get /a watch", "get /a watch"], "get and exists": ["get /a watch", "exists /a watch"] },
  (name, [one, two]) => ({
    name: `two watches of one client on one znode are told separately: ${name}`,
    property: "W3",
    script: `${GROUND}
      2 ${one}
      2 ${two}
      1 set /a x
      2 sees dataChanged /a
      ! 2 sees dataChanged /a
      2 get /a`,
  }),
);

const removed: Pair = {
  name: "a watch that was removed is told",
  property: "W3",
  script: `${GROUND}
    2 addWatch /a persistent
    2 removeWatches /a any
    1 set /a x
    ! 2 sees dataChanged /a
    2 get /a`,
};

const order: Pair[] = [
  {
    name: "two events come in the wrong order",
    property: "W2",
    script: `${GROUND}
      2 get /a watch
      2 get /b watch
      1 set /a x as w
      1 set /b y as v
      ~ 2 sees dataChanged /a @w
      2 sees dataChanged /b @v
      ! 2 sees dataChanged /a @w
      2 get /a`,
  },
  {
    name: "the events of a persistent watch come in the wrong order",
    property: "W5",
    script: `${GROUND}
      2 addWatch /a persistentRecursive
      1 create /a/d x as w
      1 create /a/e y as v
      ~ 2 sees created /a/d @w
      2 sees created /a/e @v
      ! 2 sees created /a/d @w
      2 get /a`,
  },
  {
    name: "a reply is older than the event before it",
    property: "W2",
    script: `${GROUND}
      2 get /b
      2 get /a watch
      1 set /a x as w
      2 sees dataChanged /a
      2 get /b ! @w-1`,
  },
];

const fromTheFuture: Pair[] = each(
  { set: ["get /a watch", "set /a x", "dataChanged /a"], create: ["exists /d watch", "create /d x", "created /d"] },
  (name, [leave, change, told]) => ({
    name: `an event is told before its cause was asked for: ${name}`,
    property: "C6",
    script: `${GROUND}
      2 ${leave}
      1 ask ${change} as w
      order w
      2 sees ${told} @w
      ! asked w
      answer w
      2 get /a`,
  }),
);

const away: Pair[] = each(
  Object.fromEntries(Object.entries(WATCHED).filter(([name]) => !/persistent|recursive/.test(name))),
  (name, { leave, change, told }) => ({
    name: `what happened while a client was away is not told when it is back: ${name}`,
    property: "W4",
    script: `${GROUND}
      2 ${leave}
      2 lose
      1 ${change}
      2 connect s2
      ~ 2 sees ${told} @-1
      2 get /a
      2 get /a`,
  }),
);

const back: Pair[] = each(
  {
    "data, changed": WATCHED["data, changed"]!,
    "exists, created": WATCHED["exists, created"]!,
    children: WATCHED["children, a new one"]!,
  },
  (name, { leave, change, told }) => ({
    name: `a watch set again on a new connection does not fire: ${name}`,
    property: "W4",
    script: `${GROUND}
      2 ${leave}
      2 lose
      2 connect s3
      2 get /b
      1 ${change}
      ~ 2 sees ${told}
      2 get /b
      2 get /b`,
  }),
);

export const WATCHES: readonly Pair[] = [
  ...lost,
  ...lostAtClose,
  ...late,
  ...ownWrite,
  ...twice,
  ...oneShot,
  ...wrongKind,
  ...unasked,
  ...registeredTwice,
  removed,
  ...order,
  ...fromTheFuture,
  ...away,
  ...back,
];
