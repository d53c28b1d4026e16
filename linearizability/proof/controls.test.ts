/** What looks wrong and is not: neither checker may raise an alarm, with logs or without. */
import { expect, test } from "vitest";
import { checkHistory } from "../checker/check-history.ts";
import { historyOf } from "../histories/read-history.ts";
import { play } from "./script.ts";

const CONTROLS: Readonly<Record<string, string>> = {
  "a plain read of another session is stale": `
    1 create /a 0
    1 set /a x as w
    2 get /a @w-1`,
  "two sessions' plain reads disagree on what is newest": `
    1 create /a 0
    1 set /a x as w
    2 get /a
    3 get /a @w-1
    2 get /a
    3 get /a`,
  "a client moves to a server that is behind the others, but not behind itself": `
    1 create /a 0
    2 get /a
    1 set /a x as w
    2 lose
    2 connect s3
    2 get /a @w-1`,
  "a write whose answer was lost shows up late": `
    1 create /a 0
    1 ask set /a x as w
    1 lose
    2 get /a
    order w
    2 get /a
    1 connect s2
    1 get /a`,
  "a write whose answer was lost shows up before its client knows": `
    1 create /a 0
    1 ask set /a x as w
    order w
    2 get /a
    1 lose
    3 get /a`,
  "a write whose answer was lost never happens": `
    1 create /a 0
    1 ask set /a x as w
    1 lose
    1 connect s2
    2 sync /a
    2 get /a
    1 set /a y
    2 get /a`,
  "of three lost writes the first two happened": `
    1 create /a 0
    1 ask set /a x as w
    1 ask create /b y as v
    1 ask delete /a as u
    order w
    order v
    1 lose
    1 connect s2
    1 get /a
    2 get /b`,
  "a lost write was refused by the tree": `
    1 create /a 0
    1 ask set /a x v7 as w
    order w
    1 lose
    1 connect s2
    1 get /a
    1 set /a y v0`,
  "a sequential create whose answer was lost takes a number": `
    1 create /q 0
    1 ask create /q/n- x sequential as w
    order w
    1 lose
    2 create /q/n- y sequential
    2 ls /q`,
  "a lost delete lets a create succeed a second time": `
    1 create /a 0
    1 ask delete /a as w
    order w
    1 lose
    2 create /a 1
    2 get /a`,
  "a multi fails and changes nothing": `
    1 create /a 0
    1 multi set /a x; create /a y; delete /zz
    1 get /a
    2 get /a`,
  "a multi whose ops build on one another": `
    1 create /a 0
    1 multi create /a/b 1; set /a/b 2 v0; delete /a/b v1; check /a v0
    1 ls /a`,
  "a multi with nothing but checks": `
    1 create /a 0
    1 multi check /a v0; check /a
    1 get /a`,
  "a node comes and goes while its watcher is away": `
    1 create /a 0
    2 exists /d watch
    2 lose
    1 create /d 1
    1 delete /d
    2 connect s2
    2 get /a
    2 get /a`,
  "a node is changed twice while its watcher is away: one event": `
    1 create /a 0
    2 get /a watch
    2 lose
    1 set /a x
    1 set /a y
    2 connect s2
    2 sees dataChanged /a @-1
    2 get /a`,
  "a node is deleted and made again while its watcher is away: it has changed": `
    1 create /a 0
    2 get /a watch
    2 lose
    1 delete /a
    1 create /a 1
    2 connect s2
    2 sees dataChanged /a @-1
    2 get /a`,
  "an event of a server before 3.9 has no zxid": `
    1 create /a 0
    2 get /a watch
    1 set /a x
    2 sees dataChanged /a @-1
    2 get /a`,
  "an event comes long after the change, before the next reply": `
    1 create /a 0
    2 get /a watch
    1 set /a x as w
    1 create /b 0
    wait 3000
    2 sees dataChanged /a @w
    2 get /a`,
  "replies from before the change come before the event": `
    1 create /a 0
    2 get /a watch
    1 set /a x as w
    2 exists /a @w-1
    2 get /zz @w-1
    2 sees dataChanged /a @w
    2 get /a`,
  "a second event after a second registration": `
    1 create /a 0
    2 get /a watch
    1 set /a x
    2 sees dataChanged /a
    2 get /a watch
    1 set /a y
    2 sees dataChanged /a
    2 get /a`,
  "a failed write does not fire a watch": `
    1 create /a 0
    2 get /a watch
    1 set /a x v7
    1 multi set /a x; check /a v7
    2 get /a`,
  "a client leaves with a watch that has not fired": `
    1 create /a 0
    2 get /a watch
    1 set /a x as w
    2 exists /zz @w-1
    2 lose`,
  "a deleted node's children watch and data watch: one event for both": `
    1 create /a 0
    2 get /a watch
    2 ls /a watch
    1 delete /a
    2 sees deleted /a
    2 ls /`,
  "zxids are missing where sessions come and go": `
    1 create /a 0
    2 connect
    3 connect
    2 close
    1 set /a x
    3 close
    2 connect
    1 set /a y
    2 get /a`,
  "every operation overlaps every other": `
    1 create /a 0
    1 ask set /a x as one
    2 ask set /a y as two
    3 ask get /a as three
    1 ask get /a as four
    2 ask delete /a as five
    3 ask create /a z as six
    order two
    order one
    answer three
    order five
    answer one
    order six
    answer two
    answer four
    answer five
    answer six`,
  "writes that overlap take effect against the order in which they were asked for": `
    1 create /a 0
    1 ask set /a x as one
    2 ask set /a y as two
    order two
    order one
    answer one
    answer two
    3 get /a`,
  "an ephemeral goes with its session": `
    1 create /a 0
    2 create /e x ephemeral
    1 get /e
    2 close
    1 get /e
    1 create /e y ephemeral`,
  "a dead client's ephemeral is there until it expires": `
    1 create /a 0
    2 create /e x ephemeral
    2 lose
    wait 5000
    1 get /e
    wait 3000
    2 expires
    1 get /e`,
  "an ephemeral's session ends, and only a stale read still shows it": `
    1 create /a 0
    2 create /e x ephemeral as w
    2 close
    3 get /e @w`,
  "a leader that is cut off tells its client of an expiry before the ensemble agrees": `
    1 create /a 0
    2 create /e x ephemeral
    2 lose
    wait 8000
    2 told
    1 get /e
    1 ls /
    2 expires
    1 get /e`,
  "a server that is cut off serves reads of a session that has ended": `
    1 create /a 0
    2 create /e x ephemeral as w
    wait 8000
    2 expires
    1 sync /
    1 get /e
    2 get /e @w
    2 told`,
  "a write under way when its session ends may have happened": `
    1 create /a 0
    2 create /b x
    2 ask set /a y as w
    order w
    wait 8000
    2 expires
    2 told
    1 get /a`,
  "a write under way when its session ends need not have happened": `
    1 create /a 0
    2 create /b x
    2 ask set /a y as w
    wait 8000
    2 expires
    2 told
    1 get /a`,
  "a session moves between servers all the time": `
    1 create /a 0
    1 lose
    1 connect s2
    1 set /a x
    1 lose
    1 connect s3
    1 get /a
    1 lose
    1 connect s1
    1 set /a y v1`,
  "a read after a sync sees more than it must": `
    1 create /a 0
    1 set /a x as w
    2 sync /a @w
    1 set /a y
    2 get /a`,
  "a write answered after the sync was sent may be missed": `
    1 create /a 0
    1 ask set /a x as w
    2 ask sync /a as s
    order s
    order w
    answer w
    answer s @w-1
    2 get /a @w-1`,
  "values that come back, and look like versions": `
    1 create /a 0
    1 set /a 1 v0
    1 set /a 0 v1
    2 get /a
    2 set /a 0 v2`,
};

test.each(Object.entries(CONTROLS))("%s", (_, script) => {
  const { lines, logs } = play(script, "legal");
  for (const box of [logs, null]) {
    const { violations, doubts, search } = checkHistory(historyOf(lines), { logs: box, tickTimeMs: 1000 });
    expect([...violations, ...doubts].map(({ summary }) => summary)).toEqual([]);
    expect(search?.result).toBe("valid");
  }
});
