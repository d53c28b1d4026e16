import { describe, expect, test } from "vitest";
import { parseArguments, parseInteger, splitLine } from "./cli-line.ts";

describe("a line", () => {
  test.each([
    ["get /a", ["get", "/a"]],
    ['  set /a "hello world"  ', ["set", "/a", "hello world"]],
    ["create /a 'it is'", ["create", "/a", "it is"]],
    ['create /a ""', ["create", "/a", ""]],
    ["", []],
    ["   ", []],
  ])("%j has these words", (line, words) => {
    expect(splitLine(line)).toEqual(words);
  });
});

describe("options", () => {
  test("stand anywhere, alone or joined, with their values beside or attached", () => {
    const args = parseArguments(["-se", "/a", "-v", "3", "data"], "sev:");
    expect(args.words).toEqual(["/a", "data"]);
    expect([args.has("s"), args.has("e"), args.has("w")]).toEqual([true, true, false]);
    expect(args.value("v")).toBe("3");
    expect(parseArguments(["-v-1", "/a"], "v:").value("v")).toBe("-1");
    expect(parseArguments(["-v", "-1", "/a"], "v:").value("v")).toBe("-1");
  });

  test("that a command does not have are named", () => {
    expect(() => parseArguments(["-x", "/a"], "s")).toThrow("Unrecognized option: -x");
    expect(() => parseArguments(["--stat"], "s")).toThrow("Unrecognized option: --stat");
    expect(() => parseArguments(["-:"], "v:")).toThrow("Unrecognized option: -:");
  });

  test("without their value are named", () => {
    expect(() => parseArguments(["/a", "-v"], "v:")).toThrow("Missing argument for option: v");
  });

  test("end at a double dash, and are not what negative numbers are", () => {
    expect(parseArguments(["/a", "-5"], "s").words).toEqual(["/a", "-5"]);
    expect(parseArguments(["--", "-s"], "s").words).toEqual(["-s"]);
  });
});

test.each(["abc", "", "1.5", "99999999999", "0x10", "1e3"])("%j is not a version", (text) => {
  expect(() => parseInteger(text)).toThrow(`For input string: "${text}"`);
});
