/** Which servers the client sessions run against: Zoetrope, and with ZOETROPE_ORACLE=1 Apache too, to test the tests. */
import { apacheClassPath } from "../support/installed.ts";
import type { ServerKind } from "../support/server-process.ts";

const oracle = process.env["ZOETROPE_ORACLE"];

export const KINDS: readonly ServerKind[] =
  oracle === undefined || oracle === "" || apacheClassPath === null
    ? ["zoetrope"]
    : oracle === "only"
      ? ["apache"]
      : ["zoetrope", "apache"];
