/** The script of the page that draws the lanes (lanes.ts) and lets one move in them. Plain JavaScript: it runs in a browser. */
export const LANES_SCRIPT = String.raw`
(() => {
  const data = JSON.parse(document.getElementById("lanes-data").textContent);
  const svg = document.getElementById("lanes"), strip = document.getElementById("strip"), said = document.getElementById("said");
  const W = 1240, LEFT = 54, RIGHT = 8, ROW = 16, HEAD = 40, KINDS = ["info", "ok", "fail"];
  // A lane is as high as what is in view needs.
  let tops = [], rows = [], height = HEAD;
  function layout() {
    rows = data.lanes.map(() => 1);
    for (const [lane, row, a, b] of data.ops) if (a <= to && (b < 0 ? a : b) >= from) rows[lane] = Math.max(rows[lane], row + 1);
    tops = []; height = HEAD;
    for (const count of rows) { tops.push(height); height += count * ROW + 9; }
    height += 6;
    svg.setAttribute("viewBox", "0 0 " + W + " " + height);
  }
  let [from, to] = data.focus;
  const x = (t) => LEFT + ((t - from) / (to - from)) * (W - LEFT - RIGHT);
  const esc = (s) => s.replace(/[&<>"]/g, (c) => "&#" + c.charCodeAt(0) + ";");
  const tag = (name, at, inner) => "<" + name + Object.entries(at).map(([k, v]) => " " + k + '="' + v + '"').join("") + ">" + (inner || "") + "</" + name + ">";
  const clock = (us, digits) => (us / 1e6).toFixed(digits) + " s";
  function clip(a, b) { return [Math.max(LEFT, x(a)), Math.min(W - RIGHT, x(b))]; }
  function step(limit, parts) { const p = Math.pow(10, Math.floor(Math.log10(limit / parts))); return p * [1, 2, 5, 10].find((f) => f * p >= limit / parts); }
  function draw() {
    layout();
    const out = [];
    for (const [a, b, name] of data.bands) {
      if (b < from || a > to) continue;
      const [l, r] = clip(a, b);
      out.push(tag("rect", { class: "band", x: l, y: 18, width: Math.max(2, r - l), height: height - 18 }, "<title>" + esc(name) + "</title>"));
      if (r - l > 40) out.push(tag("text", { class: "bandname", x: l + 3, y: 29 }, esc(name.slice(0, Math.floor((r - l) / 6)))));
    }
    const every = step(to - from, 8), digits = Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(every))));
    for (let t = Math.ceil(from / every) * every; t <= to; t += every) {
      out.push(tag("line", { class: "grid", x1: x(t), x2: x(t), y1: 16, y2: height }), tag("text", { class: "tick", x: x(t), y: 11 }, clock(t, digits)));
    }
    data.lanes.forEach((lane, i) => {
      out.push(tag("text", { class: "client", x: 6, y: tops[i] + 12 }, lane));
      out.push(tag("line", { class: "grid", x1: 0, x2: W, y1: tops[i] + rows[i] * ROW + 6, y2: tops[i] + rows[i] * ROW + 6 }));
    });
    const hops = data.lanes.map(() => []);
    for (const hop of data.hops) hops[hop[0]].push(hop);
    hops.forEach((list, lane) => list.forEach(([, t, server], i) => {
      const end = i + 1 < list.length ? list[i + 1][1] : data.endUs;
      if (end < from || t > to) return;
      const [l, r] = clip(t, end), y = tops[lane] + rows[lane] * ROW + 2;
      if (r < l) return;
      out.push(tag("rect", { class: server ? "server s" + (server % 6) : "server none", x: l, y, width: Math.max(1, r - l), height: 4 }, "<title>" + (server ? "connected to server " + server : "not connected") + "</title>"));
      if (server && r - l > 26 && x(t) >= LEFT) out.push(tag("text", { class: "hop", x: l + 2, y: y + 3 }, "s" + server));
    }));
    const pos = [];
    let visible = 0;
    data.ops.forEach(([lane, row, a, b, outcome, server, few, words], i) => {
      const end = b < 0 ? Math.max(a + 1000, to) : b;
      if (a > to || end < from) return;
      if (b < 0 && !few && a < from) return;
      visible++;
      const [l, r] = clip(a, b < 0 ? Math.min(end, a + (to - from) / 12) : end), y = tops[lane] + row * ROW + 1, w = Math.max(1.5, r - l);
      pos[i] = [l, r, y];
      const tip = data.lanes[lane] + ": " + words + "\nasked " + clock(a, 6) + (b < 0 ? ", never answered" : ", answered after " + ((b - a) / 1000).toFixed(2) + " ms") + (server ? ", server " + server : "");
      out.push(tag("rect", { class: "op " + KINDS[outcome] + (few ? " few" : ""), x: l, y, width: w, height: ROW - 3, rx: 2, "data-i": i }, "<title>" + esc(tip) + "</title>"));
      if (w > 60) out.push(tag("text", { class: "words", x: l + 4, y: y + 10 }, esc(words.slice(0, Math.floor((w - 6) / 5.6)))));
    });
    const few = data.events.filter(([, t]) => t >= from && t <= to).length < 40;
    for (const [lane, t, cause, name] of data.events) {
      if (t < from || t > to) continue;
      const y = tops[lane] + 3;
      if (cause >= 0 && pos[cause]) out.push(tag("line", { class: few ? "arrow" : "arrow faint", x1: Math.min(pos[cause][1], x(t)), y1: pos[cause][2] + 7, x2: x(t), y2: y }));
      out.push(tag("circle", { class: "event", cx: x(t), cy: y, r: 3 }, "<title>" + esc("event " + name + " at " + clock(t, 6)) + "</title>"));
    }
    svg.innerHTML = out.join("");
    said.textContent = visible + " operations in view, " + clock(from, 3) + " to " + clock(to, 3);
    drawStrip();
  }
  function drawStrip() {
    const most = Math.max(1, ...data.strip), s = (t) => LEFT + (t / data.endUs) * (W - LEFT - RIGHT), out = [];
    for (const [a, b] of data.bands) out.push(tag("rect", { class: "band", x: s(a), y: 0, width: Math.max(1, s(b) - s(a)), height: 44 }));
    for (const [a, b, server] of data.reigns) out.push(tag("rect", { class: "server s" + (server % 6), x: s(a), y: 40, width: Math.max(1, s(b) - s(a)), height: 4 }, "<title>server " + server + " leads</title>"));
    const w = (W - LEFT - RIGHT) / data.strip.length;
    data.strip.forEach((n, i) => { const h = (n / most) * 36; out.push(tag("rect", { class: "density", x: LEFT + i * w, y: 38 - h, width: w, height: h })); });
    out.push(tag("rect", { class: "drawn", x: s(data.drawn[0]), y: 0, width: Math.max(1, s(data.drawn[1]) - s(data.drawn[0])), height: 38 }));
    out.push(tag("rect", { class: "view", x: s(from) - 1, y: 0, width: Math.max(3, s(to) - s(from)), height: 44 }));
    strip.innerHTML = out.join("");
  }
  function show(a, b) {
    const width = Math.max(200, Math.min(b - a, data.endUs * 1.02));
    from = Math.max(-width * 0.02, Math.min(a, data.endUs - width)); to = from + width; draw();
  }
  function zoom(factor, at) { const t = at === undefined ? (from + to) / 2 : at; show(t - (t - from) * factor, t + (to - t) * factor); }
  const timeAt = (event, element) => { const box = element.getBoundingClientRect(); return ((event.clientX - box.left) / box.width * W - LEFT) / (W - LEFT - RIGHT); };
  svg.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, from + timeAt(event, svg) * (to - from)); }, { passive: false });
  let held = null;
  svg.addEventListener("pointerdown", (event) => { held = [timeAt(event, svg), from, to]; });
  window.addEventListener("pointermove", (event) => { if (held) { const d = (timeAt(event, svg) - held[0]) * (held[2] - held[1]); show(held[1] - d, held[2] - d); } });
  window.addEventListener("pointerup", () => { held = null; });
  strip.addEventListener("click", (event) => { const t = timeAt(event, strip) * data.endUs, half = (to - from) / 2; show(t - half, t + half); });
  document.getElementById("zoom-in").onclick = () => zoom(0.5);
  document.getElementById("zoom-out").onclick = () => zoom(2);
  document.getElementById("zoom-home").onclick = () => show(data.focus[0], data.focus[1]);
  document.getElementById("zoom-all").onclick = () => show(data.drawn[0], data.drawn[1]);
  draw();
})();
`;
