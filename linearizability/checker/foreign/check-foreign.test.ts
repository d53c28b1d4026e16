import { describe, expect, test } from "vitest";
import { checkForeign } from "./check-foreign.ts";
import { ForeignError } from "./events.ts";

function kv(...events: string[]): string {
  return events.map((event) => `{${event}}\n`).join("");
}

describe("a key-value store", () => {
  const append = [
    ':process 0, :type :invoke, :f :append, :key "a", :value "x"',
    ':process 1, :type :invoke, :f :append, :key "a", :value "y"',
    ':process 1, :type :ok, :f :append, :key "a", :value "y"',
    ':process 0, :type :ok, :f :append, :key "a", :value "x"',
  ];
  const get = (value: string): string[] => [
    ':process 2, :type :invoke, :f :get, :key "a", :value nil',
    `:process 2, :type :ok, :f :get, :key "a", :value "${value}"`,
  ];
  const judge = (...events: string[]) => checkForeign(kv(...events), "kv", "edn");

  test("takes concurrent appends in either order, but everybody in the same", () => {
    expect(judge(...append, ...get("xy")).verdict).toBe("valid");
    expect(judge(...append, ...get("yx")).verdict).toBe("valid");
    const { verdict, why } = judge(...append, ...get("yx"), ...get("xy"));
    expect(verdict).toBe("violation");
    expect(why.join("\n")).toContain('process 2: get → "xy" (line 7) cannot be placed');
  });

  test("has keys that are judged alone", () => {
    const put = ['"b"', '"a"'].flatMap((key) => [
      `:process 3, :type :invoke, :f :put, :key ${key}, :value "1"`,
      `:process 3, :type :ok, :f :put, :key ${key}, :value "1"`,
    ]);
    expect(judge(...put, ...get("1"))).toMatchObject({ verdict: "valid", partitions: 2, operations: 3 });
    expect(judge(...put, ...get("")).verdict).toBe("violation");
  });

  test("may have done what it never answered, now or later, or not", () => {
    const lost = ':process 5, :type :invoke, :f :append, :key "a", :value "z"';
    expect(judge(...append, lost, ...get("xy"), ...get("xyz")).verdict).toBe("valid");
    expect(judge(...append, lost, ...get("xyz"), ...get("xy")).verdict).toBe("violation");
    expect(judge(lost, ...append, ...get("zyx")).verdict).toBe("valid");
  });
});

describe("a register", () => {
  const judge = (...lines: string[]) => checkForeign(lines.join("\n"), "register", "jepsen").verdict;

  test("swaps only what it holds, and a swap that failed did not find it", () => {
    const write = ["0 :invoke :write 3", "0 :ok :write 3"];
    expect(judge(...write, "1 :invoke :cas [3 4]", "1 :ok :cas [3 4]")).toBe("valid");
    expect(judge(...write, "1 :invoke :cas [2 4]", "1 :ok :cas [2 4]")).toBe("violation");
    expect(judge(...write, "1 :invoke :cas [3 4]", "1 :fail :cas [3 4]")).toBe("violation");
    expect(judge(...write, "1 :invoke :cas [2 4]", "1 :fail :cas [2 4]")).toBe("valid");
  });

  test("is empty at first, and says nothing where a read timed out", () => {
    expect(judge("0 :invoke :read nil", "0 :ok :read nil")).toBe("valid");
    expect(judge("0 :invoke :read nil", "0 :ok :read 1")).toBe("violation");
    expect(judge("0 :invoke :read nil", "0 :fail :read :timed-out")).toBe("unknown");
  });

  test("may be told as a vector of maps, with a nemesis in between", () => {
    const history = `[{:type :invoke, :f :write, :value 1, :process 0, :time 10, :index 0}
      {:type :info, :f :start, :process :nemesis, :value nil} ; a comment
      {:type :ok, :f :write, :value 1, :process 0}
      #jepsen.history.Op{:type :invoke, :f :cas, :value [1 2], :process 0} {:type :ok, :f :cas, :value [1 2], :process 0}]`;
    expect(checkForeign(history, "register", "edn")).toMatchObject({ verdict: "valid", operations: 2 });
  });
});

test("what is no history is an error with its line", () => {
  expect(() => checkForeign("{:process 0 :type :invoke :f", "kv", "edn")).toThrow(ForeignError);
  expect(() => checkForeign("\n17", "kv", "edn")).toThrow(/BAD_LINE/);
  expect(() => checkForeign("1 :ok :read nil", "register", "jepsen")).toThrow(/NO_INVOKE/);
  expect(() => checkForeign("1 :invoke :read nil\n1 :invoke :read nil", "register", "jepsen")).toThrow(/BUSY/);
  expect(() => checkForeign("1 :invoke :jump 3\n1 :ok :jump 3", "register", "jepsen")).toThrow(/BAD_LINE/);
});
