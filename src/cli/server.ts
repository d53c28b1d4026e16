/** `zoetrope server CONFIG`: this process is the server. */
import { loadConfig, prepareDirectories, startFailure } from "../host/load-config.ts";
import { processReportLog } from "../host/report-log.ts";
import { runServer } from "../host/server-host.ts";

/**
 * Returns when the server has ended: 0 after SIGTERM, SIGINT or its own decision to leave, 1 when it could not start or its disk
 * failed, 2 for wrong arguments and broken assumptions.
 */
export async function serverCommand(args: readonly string[]): Promise<number> {
  const [file, ...more] = args;
  if (file === undefined || more.length > 0 || file.startsWith("-")) {
    process.stderr.write("usage: zoetrope server CONFIG\n");
    return 2;
  }
  const report = processReportLog();
  try {
    const { config, warnings } = loadConfig(file);
    for (const message of warnings) report({ level: "warn", message });
    prepareDirectories(config);
    const server = await runServer(config, report);
    const stop = () => server.stop();
    process.on("SIGTERM", stop).on("SIGINT", stop);
    // Started by `zoetrope start`: when that is gone, even by kill -9, nobody is left who would end this server.
    if (process.connected === true) process.once("disconnect", stop);
    return await server.ended;
  } catch (error) {
    const sentence = startFailure(error);
    if (sentence === null) throw error;
    report({ level: "error", message: sentence });
    return 1;
  } finally {
    // An open IPC channel would keep the process.
    if (process.connected === true) process.disconnect();
  }
}
