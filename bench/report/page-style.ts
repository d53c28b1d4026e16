/** The page's style: systems have a colour each, ensembles of different size different dashes; light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2530; --soft: #5f6b7a; --faint: #e4e8ed; --paper: #fbfcfd; --card: #ffffff;
  --s0: #2f6fdb; --s1: #d9822b; --gap: #f6dcd8; --kill: #c0392b; --met: #1d8a4e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9aa6b4; --faint: #2b333d; --paper: #12171d; --card: #1a2028;
  --s0: #6ea3f7; --s1: #f0a356; --gap: #43282a; --kill: #f0776a; --met: #4fc98a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 28px 24px 60px; }
h1 { font-size: 26px; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 17px; margin: 0 0 2px; }
header p, section > p { color: var(--soft); margin: 2px 0 10px; }
.legend { list-style: none; margin: 0 0 18px; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 26px; color: var(--soft); }
.legend b { color: var(--ink); margin-right: 4px; }
i.s0, i.s1 { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; }
i.s0 { background: var(--s0); } i.s1 { background: var(--s1); }
section { background: var(--card); border: 1px solid var(--faint); border-radius: 10px; padding: 18px 20px; margin: 0 0 18px; }
svg { width: 100%; height: auto; display: block; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 14px 22px; }
figure { margin: 0; } figcaption { font-weight: 600; font-size: 13px; }
svg text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--soft); }
svg text.row, svg text.name { fill: var(--ink); } svg text.label { font-weight: 600; }
svg text.annotation { fill: var(--kill); } svg text.strong { font-weight: 600; }
.grid { stroke: var(--faint); } .axis { stroke: var(--soft); } .kill { stroke: var(--kill); stroke-width: 1.5; stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; } .line.thin { stroke-width: 1.2; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); }
.line.d1 { stroke-dasharray: 8 4; } .line.d2 { stroke-dasharray: 2 4; }
.dot.s0, .bar.s0, svg text.label.s0 { fill: var(--s0); } .dot.s1, .bar.s1, svg text.label.s1 { fill: var(--s1); }
.dot { stroke: var(--card); stroke-width: 1.2; } .area { stroke: none; opacity: 0.18; } .area.s0 { fill: var(--s0); } .area.s1 { fill: var(--s1); }
.gap { fill: var(--gap); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: 12.5px; }
td, th { padding: 3px 10px 3px 0; vertical-align: top; }
tr.first td { border-top: 1px solid var(--faint); }
.goals td { border-top: 1px solid var(--faint); }
.numbers td:nth-child(n+3), .numbers th:nth-child(n+3) { text-align: right; white-space: nowrap; }
.numbers td:nth-child(2) { white-space: nowrap; }
.scroll { overflow-x: auto; }
.met, .missed { font-weight: 600; } .met { color: var(--met); } .missed { color: var(--kill); }
`;
