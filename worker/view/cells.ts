/** Estimates as table cells: share, interval and counts always together, and never a figure where there are no trials. */
import type { Cell, Group, KeyedCell } from '../../schema/statistics.ts';
import { capturedOf, counted, interval, percent } from './format.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { statisticsPath } from './paths.ts';
import { scrollRegion } from './scroll.ts';

/** The class of the heat scale, 0 to 4, in steps of 20 %. */
export function heatClass(estimate: number): number {
  return Math.max(0, Math.min(4, Math.floor(estimate * 5)));
}

/** Whether the data leave open on which side of one half the probability lies. */
export function isUndecided(cell: Pick<Cell, 'low' | 'high'>): boolean {
  return cell.low !== null && cell.high !== null && cell.low < 0.5 && cell.high > 0.5;
}

/** One `td` with the estimate of a cell, coloured by it. `alone`: no other column says what was inconclusive. */
export function estimateCell(cell: Cell | undefined, alone = true): Markup {
  const apart =
    alone && cell !== undefined && cell.inconclusive > 0 ? `${cell.inconclusive} inconclusive` : null;
  const aside = apart === null ? null : html` <span class="counts">${apart}</span>`;
  if (cell === undefined || cell.trials === 0 || cell.estimate === null) {
    return html`<td class="none">no trials${aside}</td>`;
  }
  const { estimate, low, high } = cell;
  const range = low === null || high === null ? 'no interval' : interval(low, high);
  const open = isUndecided(cell) ? ' open' : '';
  return html`<td class="heat heat-${heatClass(estimate)}${open}"><strong>${percent(estimate)}</strong>
    <span class="range">${range}</span> <span class="counts">${capturedOf(cell)}</span>${aside}</td>`;
}

/** Links to the same figures for programs. */
export function tableLinks(by: readonly Group[], filters: { readonly [name in Group]?: string }): Markup {
  return html`<a href="${statisticsPath(by, filters, 'csv')}">CSV</a>,
    <a href="${statisticsPath(by, filters, 'json')}">JSON</a>`;
}

interface GroupTable {
  readonly caption: string;
  readonly group: Group;
  /** Head of the first column. */
  readonly head: string;
  readonly cells: readonly KeyedCell[];
  /** What a row's name means, beneath it. */
  readonly explain?: (name: string) => Piece;
  readonly filters: { readonly [name in Group]?: string };
}

/** A table with one row for each value of one group. */
export function groupTable(t: GroupTable): Markup {
  if (t.cells.length === 0) return html`<p>No trials yet.</p>`;
  const rows = t.cells.map((cell) => {
    const name = cell[t.group] ?? 'unknown';
    const note = t.explain?.(name) ?? null;
    return html`<tr><th scope="row"><span class="term">${name}</span>${note === null ? null : html` <span class="note">${note}</span>`}</th>
      ${estimateCell(cell, false)}<td class="number">${cell.no_reply}</td><td class="number">${cell.inconclusive}</td><td class="number">${cell.machines}</td></tr>`;
  });
  return html`${scrollRegion(
    t.caption,
    html`<table class="groups"><caption>${t.caption}</caption>
      <thead><tr><th scope="col">${t.head}</th><th scope="col">captured, 95&nbsp;% interval</th><th scope="col" class="number">of these no reply</th><th scope="col" class="number">not counted: inconclusive</th><th scope="col" class="number">machines</th></tr></thead>
      <tbody>${rows}</tbody></table>`,
  )}
  <p class="links">This table: ${tableLinks([t.group], t.filters)}</p>`;
}

/** The legend of the heat scale. */
export function heatLegend(): Markup {
  const steps = ['under 20\u00a0%', '20 to 40', '40 to 60', '60 to 80', '80\u00a0% and more'];
  return html`<div class="legend"><p id="legend-head">Estimated probability of a verified dump</p>
    <ul aria-labelledby="legend-head">${steps.map((step, at) => html`<li class="heat heat-${at}">${step}</li>`)}<li class="heat open">dashed edge: the interval contains 50&nbsp;%</li></ul></div>`;
}

/** The counts of a cell in a sentence: `88 % (95 % interval 47–100 %), 7 of 8 trials`. */
export function estimateSentence(cell: Cell | null): string {
  if (
    cell === null ||
    cell.trials === 0 ||
    cell.estimate === null ||
    cell.low === null ||
    cell.high === null
  ) {
    return 'No trials yet.';
  }
  const kept = `${cell.captured} of ${counted(cell.trials, 'trial')} captured`;
  return `${kept}: ${percent(cell.estimate)}, 95\u00a0% interval ${interval(cell.low, cell.high)}.`;
}
