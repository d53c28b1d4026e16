/** Asks a server a four-letter word from outside. */
import { connect } from "node:net";

/** The whole answer; rejects when nobody answers in time. Times in ms. */
export function askFourLetterWord(host: string, port: number, word: string, timeoutMs = 2000): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`No answer from ${host}:${port} in ${timeoutMs} ms`)));
    socket.on("connect", () => socket.write(word));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
  });
}

/** The `Mode:` line of srvr, or null while the server is not up or not serving. */
export async function modeOf(host: string, port: number): Promise<string | null> {
  try {
    return /^Mode: (.+)$/m.exec(await askFourLetterWord(host, port, "srvr"))?.[1] ?? null;
  } catch {
    return null;
  }
}
