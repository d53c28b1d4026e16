/** The page's looks. Colours are told apart by people who see few of them, and outcomes by more than colour. */
export const STYLE = `
:root { --ok: #4f9d83; --fail: #e0a43a; --info: #8d87b8; --bad: #c0392b; --ink: #1f2933; --soft: #5f6c7b; --line: #e3e7ec; --band: #f3c6bd; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f6f8; color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1320px; margin: 0 auto; padding: 24px 32px 60px; }
header { border-left: 10px solid var(--ok); background: #fff; padding: 18px 24px; border-radius: 6px; box-shadow: 0 1px 3px #0001; }
header.violation { border-color: var(--bad); } header.unknown { border-color: var(--fail); }
h1 { margin: 0; font-size: 26px; line-height: 1.25; } h2 { margin: 0 0 6px; font-size: 18px; }
header p { margin: 6px 0 0; } .lead { font-size: 17px; }
section { background: #fff; margin-top: 18px; padding: 18px 24px 20px; border-radius: 6px; box-shadow: 0 1px 3px #0001; }
section > p { margin: 4px 0 12px; color: var(--soft); max-width: 100ch; }
code, pre { font: 13px/1.55 ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
code { background: #eef1f4; padding: 2px 6px; border-radius: 4px; }
pre { margin: 0; white-space: pre-wrap; background: #1f2933; color: #e6ebf0; padding: 14px 18px; border-radius: 6px; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 16px; }
.tiles div { background: #f5f6f8; border-radius: 6px; padding: 8px 16px; min-width: 110px; }
.tiles b { display: block; font-size: 21px; line-height: 1.3; } .tiles span { color: var(--soft); font-size: 13px; }
.versus { display: grid; grid-template-columns: 1fr 1fr; gap: 14px; margin: 14px 0 4px; }
.versus div { border: 1px solid var(--line); border-top: 4px solid var(--ok); border-radius: 6px; padding: 8px 14px; overflow-wrap: anywhere; }
.versus div + div { border-top-color: var(--bad); } .versus span { color: var(--soft); font-size: 13px; display: block; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th { text-align: left; color: var(--soft); font-weight: 600; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; } td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; }
tr.culprit td { background: #fbe9e7; font-weight: 600; } td.bad { color: var(--bad); font-weight: 600; }
figure { margin: 0 0 14px; } figcaption { font-weight: 600; font-size: 14px; } figcaption b.p50 { color: #2a6f97; } figcaption b.p99 { color: #b0643c; }
svg { display: block; width: 100%; height: auto; } svg.small-diagram { width: auto; max-width: 100%; }
svg text { font-family: inherit; fill: var(--ink); font-size: 12px; }
text.tick { text-anchor: middle; fill: var(--soft); font-size: 11px; } text.label { text-anchor: end; fill: var(--soft); font-size: 11px; }
text.small, text.bandname { fill: var(--soft); font-size: 11px; } text.bandname { fill: #96483b; } text.onbar { fill: #fff; font-size: 11px; } text.client { font-weight: 600; }
text.request { font-weight: 600; font-size: 12.5px; } text.answer { font-size: 12px; } text.words { font-size: 10px; fill: #fff; pointer-events: none; } text.hop { font-size: 8px; fill: #fff; }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); } rect.ok { fill: var(--ok); } rect.fail { fill: var(--fail); } rect.info { fill: var(--info); }
rect.band { fill: var(--band); opacity: .5; } rect.point { fill: var(--bad); opacity: .7; } rect.leader { fill: #2a6f97; rx: 3; }
path.p50, path.p99 { fill: none; stroke-width: 1.8; stroke: #2a6f97; } path.p99 { stroke: #d38b5d; }
rect.lane { fill: #f7f8fa; } rect.lane.odd { fill: #eff1f5; }
rect.bar { stroke-width: 1.5; } rect.bar.ok { fill: #dff0ea; stroke: var(--ok); } rect.bar.fail { fill: #fbf0d9; stroke: var(--fail); } rect.bar.info { fill: #eae8f5; stroke: var(--info); stroke-dasharray: 5 4; }
rect.bar.culprit { fill: #fbe1dd; stroke: var(--bad); stroke-width: 3; } circle.place { fill: var(--ink); } circle.place.culprit { fill: var(--bad); } text.placenumber { fill: #fff; text-anchor: middle; font-size: 11px; font-weight: 700; }
circle.event { fill: #6a4c93; } circle.event.culprit { fill: var(--bad); r: 8px; } text.eventname { fill: #6a4c93; font-size: 11px; } line.arrow { stroke: #6a4c93; stroke-width: 1.2; opacity: .8; } line.arrow.faint { opacity: .25; stroke-width: .8; } marker path { fill: #6a4c93; }
rect.op { opacity: .9; } rect.op.few { stroke: var(--bad); stroke-width: 2; opacity: 1; } rect.density { fill: #9fb3c8; } rect.drawn { fill: none; stroke: var(--soft); stroke-dasharray: 3 3; } rect.view { fill: #2a6f9722; stroke: #2a6f97; }
rect.server { fill: #aab4bf; } rect.none { fill: #e9ebee; } rect.s1 { fill: #2a6f97; } rect.s2 { fill: #b0643c; } rect.s3 { fill: #6a4c93; } rect.s4 { fill: #5b8c5a; } rect.s5 { fill: #b5577d; }
.legend { font-size: 13px; color: var(--soft); margin: 4px 0 0 60px; } .legend i { display: inline-block; width: 12px; height: 12px; margin: 0 5px -1px 14px; border-radius: 2px; }
i.ok { background: var(--ok); } i.fail { background: var(--fail); } i.info { background: var(--info); } i.band { background: var(--band); } i.s1 { background: #2a6f97; } i.s2 { background: #b0643c; } i.s3 { background: #6a4c93; } i.s4 { background: #5b8c5a; } i.s5 { background: #b5577d; }
.lanes-head { display: flex; gap: 8px; align-items: center; margin: 6px 0; } button { font: inherit; font-size: 13px; border: 1px solid #c9d1da; background: #fff; border-radius: 5px; padding: 3px 12px; cursor: pointer; } #said { color: var(--soft); font-size: 13px; margin-left: auto; }
#lanes { cursor: grab; touch-action: none; user-select: none; border-top: 1px solid var(--line); } #strip { cursor: pointer; margin-bottom: 8px; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 32px; } details summary { cursor: pointer; font-weight: 600; } li { margin: 3px 0; }
@media (max-width: 900px) { .columns, .versus { grid-template-columns: 1fr; } main { padding: 12px; } }
`;
