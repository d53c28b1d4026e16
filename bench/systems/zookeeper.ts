/** Apache ZooKeeper as Debian's package or a release in ZOOKEEPER_HOME has it, with the heap that its own script gives it. */
import { apacheClassPath, apacheVersion } from "../../model-tests/support/installed.ts";
import type { System } from "./system.ts";

/** ZK_SERVER_HEAP of zkServer.sh. */
const HEAP = "-Xmx1000m";

/** null where it is not installed. */
export function zookeeper(): System | null {
  const classPath = apacheClassPath;
  if (classPath === null) return null;
  return {
    name: "zookeeper",
    title: `Apache ZooKeeper ${apacheVersion ?? "of unknown version"}`,
    probed: false,
    command: (zooCfg) => ({
      file: "java",
      args: [
        HEAP,
        "-Dzookeeper.jmx.log4j.disable=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        classPath,
        "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        zooCfg,
      ],
    }),
  };
}
