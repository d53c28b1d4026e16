/**
 * Scenario transcripts: prose, commands, and under a line of dashes what the ensemble did. A transcript is a test (what is
 * recorded must come out again) and a document (someone with the ZAB paper in hand can follow it).
 */

export interface Block {
  /** Comment lines, with their `#`. */
  readonly prose: readonly string[];
  readonly commands: readonly string[];
  /** null: nothing was recorded yet. */
  readonly recorded: readonly string[] | null;
}

const RULE = "----";

export function parseTranscript(text: string): Block[] {
  return text
    .split(/\n{2,}/)
    .map((part) => part.split("\n").filter((line) => line.trim() !== ""))
    .filter((lines) => lines.length > 0)
    .map((lines) => {
      const rule = lines.indexOf(RULE);
      const above = rule < 0 ? lines : lines.slice(0, rule);
      return {
        prose: above.filter((line) => line.startsWith("#")),
        commands: above.filter((line) => !line.startsWith("#")),
        recorded: rule < 0 ? null : lines.slice(rule + 1),
      };
    });
}

export function formatTranscript(blocks: readonly Block[]): string {
  const parts = blocks.map(({ prose, commands, recorded }) => {
    const lines = [...prose, ...commands];
    if (recorded !== null && commands.length > 0) lines.push(RULE, ...recorded);
    return lines.join("\n");
  });
  return `${parts.join("\n\n")}\n`;
}
