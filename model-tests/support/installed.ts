/** What this machine has of the software that Zoetrope is tested against: Debian's packages, or a ZooKeeper release in ZOOKEEPER_HOME. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const SLF4J = "/usr/share/java/slf4j-simple.jar";

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 30_000 }).status === 0;
}

/** Class path of Apache ZooKeeper's server, shell and client library, or null. */
export const apacheClassPath: string | null = (() => {
  const home = process.env["ZOOKEEPER_HOME"];
  if (home !== undefined && existsSync(join(home, "lib"))) return `${join(home, "lib")}/*`;
  const jar = "/usr/share/java/zookeeper.jar";
  if (!existsSync(jar) || !run("java", ["-version"])) return null;
  return existsSync(SLF4J) ? `${jar}:${SLF4J}` : jar;
})();

/** For tests that run a Java source file as it is. */
export const javaCompiler: boolean = apacheClassPath !== null && run("javac", ["-version"]);

/** ZooKeeper's C client shell, or null. */
export const cShell: string | null =
  ["/usr/lib/zookeeper/bin/cli_mt", "/usr/share/zookeeper/bin/cli_mt", "/usr/bin/cli_mt"].find((file) =>
    existsSync(file),
  ) ?? null;

/** A Python that has kazoo, or null. */
export const kazooPython: string | null =
  ["/usr/bin/python3", "python3"].find((python) => run(python, ["-c", "import kazoo"])) ?? null;

/** For a test's name: tells why it did not run. */
export function unless(installed: boolean, what: string): string {
  return installed ? "" : ` (not run: ${what} is not installed)`;
}

/** Version of the Apache server in use, such as 3.8.0; null without one. */
export const apacheVersion: string | null = (() => {
  if (apacheClassPath === null) return null;
  const folder = apacheClassPath.endsWith("/*") ? apacheClassPath.slice(0, -2) : "/usr/share/java";
  const names = readdirSync(folder).map((name) => /^zookeeper-(\d+\.\d+\.\d+)\.jar$/.exec(name)?.[1]);
  return names.find((version) => version !== undefined) ?? null;
})();
