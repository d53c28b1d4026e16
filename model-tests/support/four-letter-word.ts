/** Asks a server a four-letter word from outside, as a monitoring script does. */
import { connect } from "node:net";

/** The whole answer; rejects when nobody listens, or nothing comes for 2 s. */
export function askFourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: "127.0.0.1", port });
    socket.setTimeout(2000, () => socket.destroy(new Error(`No answer to ${word} on port ${port}`)));
    socket.on("connect", () => socket.write(word, "latin1"));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
  });
}
