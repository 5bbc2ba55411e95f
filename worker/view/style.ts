/** The one stylesheet. Colours come from palette.ts; system fonts; nothing is loaded from elsewhere. */
import { dark, light, type Palette } from './palette.ts';

function variables(p: Palette): string {
  const heat = p.heat.map((ground, at) => `--heat-${at}:${ground};`).join('');
  return `--ground:${p.ground};--panel:${p.panel};--text:${p.text};--muted:${p.muted};--line:${p.line};--link:${p.link};--alert:${p.alert};--alert-edge:${p.alertEdge};--bar:${p.bar};--heat-text:${p.heatText};${heat}`;
}

/** Served at /style.css. */
export const stylesheet = `:root{color-scheme:light dark;${variables(light)}}
@media screen and (prefers-color-scheme:dark){:root{${variables(dark)}}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.frame{max-width:78rem;margin:0 auto;padding:0 1rem}
a{color:var(--link);text-underline-offset:.15em}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
main:focus{outline:none}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;z-index:3;padding:.4rem .8rem;background:var(--ground)}
header{border-bottom:1px solid var(--line)}
header .frame{display:flex;flex-wrap:wrap;align-items:baseline;justify-content:space-between;gap:.25rem 1.5rem;padding-top:.75rem;padding-bottom:.75rem}
header .name{color:inherit;font-weight:700;text-decoration:none}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:0;list-style:none}
nav a{display:inline-block;padding:.15rem 0}
main{padding-top:1.5rem!important;padding-bottom:2rem!important}
footer{border-top:1px solid var(--line);color:var(--muted);font-size:.875rem}
footer .frame{padding-top:.5rem;padding-bottom:1.5rem}
h1{margin:0 0 .5rem;font-size:clamp(1.5rem,1.2rem + 1.5vw,2.1rem);line-height:1.2;overflow-wrap:anywhere;text-wrap:balance}
h2{margin:2.25rem 0 .75rem;font-size:1.3rem;line-height:1.3}
h3{margin:1.25rem 0 .5rem;font-size:1.05rem;line-height:1.35;overflow-wrap:anywhere}
h1 .kind{color:var(--muted);font-weight:400}
p{margin:.5rem 0;max-width:46rem;overflow-wrap:anywhere}
.lead{font-size:1.125rem}
.note,.links{color:var(--muted);font-size:.9rem}
.label{margin-bottom:0;font-weight:600}
.population{padding:.5rem .75rem;border-left:4px solid var(--bar);background:var(--panel)}
.alert{margin:1.25rem 0;padding:.25rem 1rem 1rem;border:2px solid var(--alert-edge);border-radius:6px;background:var(--alert)}
.alert h2{margin-top:.75rem}
.alert table{--ground:var(--alert)}
.campaign{max-width:46rem;margin:1.25rem 0;padding:.75rem 1rem;border:1px solid var(--line);border-radius:6px}
.campaign h2{margin:0;font-size:1rem}
progress{width:100%;height:.75rem;accent-color:var(--bar)}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.875em}
code{overflow-wrap:anywhere}
pre{margin:.5rem 0;padding:.75rem;border:1px solid var(--line);border-radius:6px;background:var(--panel);line-height:1.45}
pre code{font-size:1em;overflow-wrap:normal}
pre.scroll{max-height:32rem;overflow:auto;white-space:pre}
pre.command{white-space:pre-wrap}
pre.command code{overflow-wrap:anywhere}
.scroll{overflow-x:auto}
div.scroll{width:fit-content;max-width:100%;border:1px solid var(--line);border-radius:6px;background:var(--ground)}
table{width:100%;border-spacing:0;border-collapse:separate;font-variant-numeric:tabular-nums}
caption{position:sticky;left:0;padding:.6rem .75rem;color:var(--muted);font-size:.9rem;text-align:left;text-wrap:pretty;max-width:min(60rem,calc(100vw - 2.5rem))}
th,td{padding:.45rem .75rem;border-top:1px solid var(--line);text-align:left;vertical-align:top}
thead th{background:var(--panel);font-size:.875rem;vertical-align:bottom}
tbody th{font-weight:600}
th .note{display:block;font-weight:400}
.number{text-align:right}
td.number{white-space:nowrap}
.row{display:block}
.row+.row{margin-top:.25rem}
.heat{background:var(--ground)}
td.heat,td.none{min-width:6.5rem}
td.heat strong,td.heat span,td.none span{display:block;line-height:1.3}
td.heat strong{font-size:1.05rem}
.range,.counts{font-size:.8125rem;white-space:nowrap}
.heat-0,.heat-1,.heat-2,.heat-3,.heat-4{color:var(--heat-text)}
.heat-0{background:var(--heat-0)}.heat-1{background:var(--heat-1)}.heat-2{background:var(--heat-2)}.heat-3{background:var(--heat-3)}.heat-4{background:var(--heat-4)}
td.open,li.open{outline:1px dashed currentColor;outline-offset:-4px}
td.none{color:var(--muted);font-size:.875rem}
.heatmap th,.heatmap td{border-left:1px solid var(--line)}
.heatmap th:first-child{position:sticky;left:0;z-index:1;border-left:0;background:var(--ground);min-width:9.25rem;max-width:12rem;overflow-wrap:anywhere}
.heatmap thead th:first-child{background:var(--panel)}
.heatmap td:nth-child(2){border-right:2px solid var(--muted)}
.heatmap td{padding:.4rem .6rem}
.groups td.heat strong,.groups td.heat span{display:inline;margin-right:.6rem}
.legend{margin:.75rem 0;font-size:.875rem}
.legend p{margin:0 0 .25rem}
.legend ul{display:flex;flex-wrap:wrap;gap:.25rem 0;margin:0;padding:0;list-style:none}
.legend li{padding:.15rem .6rem;border:1px solid var(--line);border-left-width:0}
.legend li:first-child{border-left-width:1px}
.legend li.open{margin-left:.75rem;border:0}
details{margin:.75rem 0}
summary{cursor:pointer;padding:.25rem 0;color:var(--link)}
dl{margin:.5rem 0}
dd{margin:0}
.terms div{display:flex;flex-wrap:wrap;gap:0 .75rem;padding:.15rem 0}
.terms dt{min-width:9rem;font-weight:600}
.facts div{display:grid;grid-template-columns:minmax(9rem,16rem) 1fr;gap:0 1rem;padding:.3rem 0;border-top:1px solid var(--line)}
.facts dt{color:var(--muted)}
.facts dd{min-width:0;overflow-wrap:anywhere}
.hash{word-break:break-all}
svg.bar{display:block;width:100%;height:.75rem;margin-top:.2rem}
.bar-all{fill:var(--panel)}.bar-part{fill:var(--bar)}
td.bars{width:45%;min-width:6rem}
.failures{margin:0;padding:0;list-style:none}
.failures li{padding:.6rem 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
.failures .note{display:block}
.failure{margin:1rem 0;padding:.25rem 1rem .75rem;border:1px solid var(--line);border-radius:6px}
.failure h3{margin-top:.75rem}
.prose{max-width:46rem;padding-left:1.25rem}
.prose li{margin:.5rem 0}
.labels{padding-left:1.25rem}
.result{white-space:nowrap}
.result.bad{border-bottom:4px solid var(--heat-0)}.result.good{border-bottom:4px solid var(--heat-4)}
.state{white-space:nowrap;font-weight:600}
.state.unknown{color:var(--muted);font-weight:400}
.stages td code{white-space:pre-wrap}
.stages td:last-child{min-width:18rem}
.operation{margin:1.5rem 0;padding:.25rem 1rem .75rem;border:1px solid var(--line);border-radius:6px}
.operation h3{margin-top:.75rem}
.method{color:var(--muted)}
.operations{margin:.75rem 0}
.operations li{flex-basis:100%}
.fields th code{overflow-wrap:normal;white-space:nowrap}
.fields td{min-width:8rem;overflow-wrap:anywhere}
.fields td.number{min-width:0}
@media (min-width:48rem){.groups,.funnel,.alert table{min-width:46rem}}
@media (max-width:40rem){
.facts div{grid-template-columns:1fr}
th,td{padding:.4rem .5rem}
.heatmap th:first-child{min-width:6.5rem;max-width:6.5rem;font-size:.8125rem}
td.heat,td.none{min-width:5.5rem}
.legend li{padding:.15rem .4rem}
.legend li.open{margin-left:0}
.fields,.fields tbody,.fields tr,.fields th,.fields td,.fields caption{display:block}
.fields thead{display:none}
.fields tr{padding:.35rem 0;border-top:1px solid var(--line)}
.fields th,.fields td{padding:.1rem .75rem;border:0;text-align:left}
.fields td:empty{display:none}
.fields th code{white-space:normal;overflow-wrap:anywhere}
}
@media (forced-colors:active){.bar-all{fill:Canvas}.bar-part{fill:CanvasText}}
@media print{
.skip,nav,.links,.campaign progress{display:none}
body{font-size:10pt}
.frame{max-width:none;padding:0}
.scroll,pre.scroll{overflow:visible;max-height:none}
pre.scroll{white-space:pre-wrap;overflow-wrap:anywhere}
.heat,svg.bar{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.heatmap{width:100%;font-size:8pt}
td.heat,td.none{min-width:0}
.range,.counts{font-size:7pt}
.heatmap th:first-child,caption{position:static}
caption{max-width:none}
tr,.failure,.facts div{break-inside:avoid}
h2,h3{break-after:avoid}
a{color:inherit}
}
`;
