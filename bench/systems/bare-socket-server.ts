/**
 * A loop over sockets and nothing else: takes frames, answers each with the same bytes and its xid, as many per write as came per
 * read. No session, no tree, no parsing beyond the frame: no server on Node can be faster than this.
 */
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { framesIn, greeting, REPLY_BYTES, replyTemplate, SRVR, XID_OFFSET } from "./bare-frames.ts";

const config = readFileSync(process.argv[2] ?? "", "utf8");
const port = Number(/^clientPort=(\d+)$/m.exec(config)?.[1]);
const template = replyTemplate();

function serve(socket: Socket): void {
  let greeted = false;
  let rest: Buffer | null = null;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    if (!greeted) {
      if (chunk.length === 4 && chunk.toString("latin1") === "srvr") return void socket.end(SRVR);
      greeted = true;
      socket.write(greeting());
      return;
    }
    const bytes: Buffer = rest === null ? chunk : Buffer.concat([rest, chunk]);
    const { count, end } = framesIn(bytes);
    rest = end === bytes.length ? null : Buffer.from(bytes.subarray(end));
    if (count === 0) return;
    const replies = Buffer.allocUnsafe(count * REPLY_BYTES);
    for (let i = 0, at = 0; i < count; i++, at += 4 + bytes.readInt32BE(at)) {
      template.copy(replies, i * REPLY_BYTES);
      bytes.copy(replies, i * REPLY_BYTES + XID_OFFSET, at + 4, at + 8);
    }
    socket.write(replies);
  });
}

createServer(serve).listen({ host: "127.0.0.1", port, backlog: 4096 });
process.once("SIGTERM", () => process.exit(0));
