/** Throughput and latency over time, with the faults behind them and the leaders beneath. */
import { type Band, bandsOf } from "../checker/quiet.ts";
import type { History } from "../histories/history.ts";
import { type Reign, reignsOf, type Series, seriesOf } from "./series.ts";
import { clock, escaped, line, rect, step, text, whole } from "./svg.ts";

const WIDTH = 1240;
const LEFT = 64;
const RIGHT = 12;
const LABELS = 46;
const PLOT = 150;

export function chartsOf(history: History): string {
  const series = seriesOf(history);
  const bands = bandsOf(history);
  const reigns = reignsOf(history);
  return [
    `<figure><figcaption>Operations per second, by how they ended</figcaption>${throughput(series, history, bands)}${LEGEND}</figure>`,
    `<figure><figcaption>Latency of answers, ms (logarithmic): <b class="p50">half</b> and <b class="p99">99 of 100</b> were faster</figcaption>${latency(series, history, bands)}</figure>`,
    `<figure><figcaption>Who led</figcaption>${leaders(history, bands, reigns)}</figure>`,
  ].join("\n");
}

const LEGEND = `<p class="legend"><i class="ok"></i>answered <i class="fail"></i>refused <i class="info"></i>unknown <i class="band"></i>fault</p>`;

class Scale {
  readonly #end: number;

  constructor({ endedAt }: History) {
    this.#end = Math.max(1, endedAt);
  }

  x(us: number): number {
    return LEFT + (Math.min(us, this.#end) / this.#end) * (WIDTH - LEFT - RIGHT);
  }

  ticks(bottom: number): string {
    const every = Math.max(1, step(this.#end / 1e6, 10)) * 1e6;
    const marks: string[] = [];
    for (let at = 0; at <= this.#end; at += every) {
      marks.push(
        line([this.x(at), bottom, this.x(at), bottom + 4], "axis"),
        text(this.x(at), bottom + 16, "tick", clock(at)),
      );
    }
    return marks.join("");
  }

  /** Labels on three levels, so that short bands do not hide each other's. */
  bands(bands: readonly Band[], top: number, bottom: number, labels: boolean): string {
    const ends = [0, 0, 0];
    return bands
      .map(({ from, to, fault, detail }) => {
        const width = Math.max(2, this.x(to) - this.x(from));
        const tip = `${fault}: ${detail} (${clock(from)}${to === Number.POSITIVE_INFINITY ? "" : ` to ${clock(to)}`})`;
        const band = rect([this.x(from), top, width, bottom - top], to === from ? "point" : "band", tip);
        const level = ends.findIndex((end) => end <= this.x(from));
        if (!labels || level < 0) return band;
        const name = fault.replace(/#\d+$/, "");
        ends[level] = this.x(from) + name.length * 6.4 + 8;
        return band + text(this.x(from) + 2, top - LABELS + 12 + level * 15, "bandname", name);
      })
      .join("");
  }
}

function throughput(series: Series, history: History, bands: readonly Band[]): string {
  const { bucketUs, buckets } = series;
  const scale = new Scale(history);
  const perSecond = 1e6 / bucketUs;
  const most = Math.max(1, ...buckets.map(({ ok, fail, info }) => (ok + fail + info) * perSecond));
  const every = step(most, 4);
  const top = Math.ceil(most / every) * every;
  const bottom = LABELS + PLOT;
  const y = (value: number): number => bottom - (value / top) * PLOT;
  const grid: string[] = [];
  for (let at = 0; at <= top; at += every) {
    grid.push(line([LEFT, y(at), WIDTH - RIGHT, y(at)], "grid"), text(LEFT - 8, y(at) + 4, "label", whole(at)));
  }
  const bars = buckets.map((bucket, index) => {
    const from = scale.x(index * bucketUs);
    const width = Math.max(1, scale.x((index + 1) * bucketUs) - from - 0.6);
    let sum = 0;
    return (["ok", "fail", "info"] as const)
      .map((kind) => {
        const value = bucket[kind] * perSecond;
        sum += value;
        if (value === 0) return "";
        const tip = `${clock(index * bucketUs)}: ${whole(value)} ${kind === "ok" ? "answered" : kind === "fail" ? "refused" : "unknown"} a second`;
        return rect([from, y(sum), width, y(sum - value) - y(sum)], kind, tip);
      })
      .join("");
  });
  const parts = [scale.bands(bands, LABELS, bottom, true), ...grid, ...bars, scale.ticks(bottom)];
  return svg(bottom + 22, parts.join(""));
}

function latency({ bucketUs, buckets }: Series, history: History, bands: readonly Band[]): string {
  const scale = new Scale(history);
  const values = buckets.flatMap(({ p50, p99 }) => [p50, p99]).filter((value) => !Number.isNaN(value));
  const low = Math.floor(
    Math.log10(
      Math.max(
        0.05,
        values.reduce((a, b) => Math.min(a, b), 1),
      ),
    ),
  );
  const high = Math.max(low + 1, Math.ceil(Math.log10(values.reduce((a, b) => Math.max(a, b), 10))));
  const [first, bottom] = [10, 10 + PLOT];
  const y = (ms: number): number => bottom - ((Math.log10(Math.max(ms, 10 ** low)) - low) / (high - low)) * PLOT;
  const grid: string[] = [];
  for (let power = low; power <= high; power++) {
    const at = y(10 ** power);
    grid.push(line([LEFT, at, WIDTH - RIGHT, at], "grid"), text(LEFT - 8, at + 4, "label", String(10 ** power)));
  }
  const curve = (kind: "p50" | "p99"): string => {
    let path = "";
    for (const [index, bucket] of buckets.entries()) {
      const value = bucket[kind];
      if (Number.isNaN(value)) continue;
      const isNew = path === "" || Number.isNaN(buckets[index - 1]?.[kind] ?? Number.NaN);
      path += `${isNew ? "M" : "L"}${scale.x((index + 0.5) * bucketUs).toFixed(1)} ${y(value).toFixed(1)}`;
    }
    return `<path class="${kind}" d="${path}"/>`;
  };
  const parts = [scale.bands(bands, first, bottom, false), ...grid, curve("p99"), curve("p50"), scale.ticks(bottom)];
  return svg(bottom + 22, parts.join(""));
}

function leaders(history: History, bands: readonly Band[], reigns: readonly Reign[]): string {
  const scale = new Scale(history);
  const servers = [...new Set([...history.servers.map(({ server }) => server)])].sort((a, b) => a - b);
  const bottom = 6 + servers.length * 20;
  const rows = servers.map((server, at) => {
    const y = 6 + at * 20;
    const own = reigns.filter((reign) => reign.server === server);
    const bars = own.map(({ from, to, epoch }) => {
      const width = Math.max(2, scale.x(to) - scale.x(from));
      const name = epoch === null ? "leads" : `epoch ${epoch}`;
      const bar = rect(
        [scale.x(from), y + 2, width, 14],
        "leader",
        `server ${server}, ${name}: ${clock(from)} to ${clock(to)}`,
      );
      return width < 60 ? bar : bar + text(scale.x(from) + 6, y + 13, "onbar", name);
    });
    const grid = line([LEFT, y + 18, WIDTH - RIGHT, y + 18], "grid");
    return grid + text(LEFT - 8, y + 13, "label", `server ${server}`) + bars.join("");
  });
  return svg(bottom + 22, scale.bands(bands, 4, bottom, false) + rows.join("") + scale.ticks(bottom));
}

function svg(height: number, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${content}</svg>`;
}

type Recoveries = readonly { readonly fault: string; readonly ms: number | null }[];

/** What it took to be as fast again after each fault. */
export function recoveryTable(history: History, recoveries: Recoveries): string {
  const known = new Map(recoveries.map(({ fault, ms }) => [fault, ms]));
  const rows = bandsOf(history).map(({ fault, nemesis, from, to }) => {
    const ms = known.get(`${fault} (${nemesis})`);
    const took =
      ms === undefined
        ? `<td class="num">not seen before the next fault</td>`
        : ms === null
          ? `<td class="num bad">never</td>`
          : `<td class="num">${(ms / 1000).toFixed(1)} s</td>`;
    const lasted = to === Number.POSITIVE_INFINITY ? "not repaired" : to === from ? "at once" : clock(to - from);
    return `<tr><td>${escaped(fault)}</td><td>${clock(from)}</td><td>${lasted}</td>${took}</tr>`;
  });
  if (rows.length === 0) return "<p>There was no fault.</p>";
  return `<table><thead><tr><th>fault</th><th>at</th><th>lasted</th><th class="num">throughput regained after</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
