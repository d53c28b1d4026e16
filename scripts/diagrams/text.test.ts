import { describe, expect, test } from "vitest";
import { NBSP, type Span, widthOf, wrap } from "./text.ts";

const text = (words: string): Span => ({ style: "text", text: words });
const lines = (spans: readonly Span[], maxWidth: number, indent = 0) =>
  wrap(spans, maxWidth, indent).map(({ spans: inLine }) => inLine.map((span) => span.text).join(""));

describe("widthOf", () => {
  test("adds up what Arial's characters take", () => {
    // i is 222 thousandths of 12.5 px wide, W is 944.
    expect(widthOf("iW", "text")).toBeCloseTo((222 + 944) * 0.0125);
  });

  test("is larger in bold, and generous to characters it does not know", () => {
    expect(widthOf("event", "trigger")).toBeGreaterThan(widthOf("event", "guard"));
    expect(widthOf("→", "text")).toBe(12.5);
  });
});

describe("wrap", () => {
  test("breaks at spaces before the width is exceeded", () => {
    const width = widthOf("the quick brown", "text");
    expect(lines([text("the quick brown fox jumps")], width)).toEqual(["the quick brown", "fox jumps"]);
  });

  test("keeps a word that is too long, and words that belong together", () => {
    expect(lines([text("a supercalifragilistic b")], 30)).toEqual(["a", "supercalifragilistic", "b"]);
    expect(lines([text(`x packet.send${NBSP}ACK y`)], 20)).toEqual(["x", `packet.send${NBSP}ACK`, "y"]);
  });

  test("puts spans side by side and remembers their styles", () => {
    const [line] = wrap([text("one"), { style: "guard", text: "[two]" }], 500);
    expect(line?.spans).toEqual([
      { style: "text", text: "one" },
      { style: "guard", text: " [two]" },
    ]);
  });

  test("indents what follows the first line, within the same width", () => {
    const wrapped = wrap([text("aa aa aa aa")], widthOf("aa aa", "text"), 5);
    expect(wrapped.map(({ indent }) => indent)).toEqual([0, 5, 5]);
  });
});
