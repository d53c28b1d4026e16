import { expect, test } from "vitest";
import { parseConnectString, shuffled } from "./connect-string.ts";

test.each([
  ["a", [{ host: "a", port: 2181 }], ""],
  ["a:1", [{ host: "a", port: 1 }], ""],
  [
    "a:1, b:2 ,,c/app/sub",
    [
      { host: "a", port: 1 },
      { host: "b", port: 2 },
      { host: "c", port: 2181 },
    ],
    "/app/sub",
  ],
  ["a:1/", [{ host: "a", port: 1 }], ""],
  ["[::1]:2182", [{ host: "::1", port: 2182 }], ""],
  ["[fe80::1]", [{ host: "fe80::1", port: 2181 }], ""],
  ["::1", [{ host: "::1", port: 2181 }], ""],
])("%j is understood", (text, servers, chroot) => {
  expect(parseConnectString(text)).toEqual({ servers, chroot });
});

test.each([
  ["", 'A connect string names at least one server: ""'],
  ["/app", 'A connect string names at least one server: "/app"'],
  [":2181", 'A server without a host: ":2181"'],
  ["a:", 'A port is a number from 1 to 65535: "a:"'],
  ["a:x", 'A port is a number from 1 to 65535: "a:x"'],
  ["a:65536", 'A port is a number from 1 to 65535: "a:65536"'],
  ["a/app/", 'Invalid chroot "/app/": Path must not end with / character'],
])("%j is refused with the part that is wrong", (text, message) => {
  expect(() => parseConnectString(text)).toThrow(message);
});

test("shuffling keeps every server and follows the given randomness", () => {
  const draws = [0.9, 0.1, 0.5];
  expect(shuffled(["a", "b", "c", "d"], () => draws.shift() ?? 0)).toEqual(["c", "b", "a", "d"]);
});
