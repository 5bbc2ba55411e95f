/** The heatmap: drivers down, crash types across. Rows are in alphabetical order: estimates rank nobody. */
import { crashTypes } from '../../schema/crash-type.ts';
import { headline, type KeyedCell } from '../../schema/statistics.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { estimateCell, heatLegend, tableLinks } from './cells.ts';
import type { HomeData } from './data.ts';
import { html, type Markup } from './markup.ts';
import { driverPath } from './paths.ts';
import { scrollRegion } from './scroll.ts';

function driversOf(cells: readonly KeyedCell[]): string[] {
  return [...new Set(cells.map((cell) => cell.driver ?? 'unknown'))].sort((a, b) => (a < b ? -1 : 1));
}

/** The crash types that the cells name, in the catalogue's order; names that it does not have come last. */
export function columnsOf(cells: readonly KeyedCell[]): string[] {
  const named = new Set<string>(cells.map((cell) => cell.crash_type ?? 'unknown'));
  const known: readonly string[] = namesOf(crashTypes);
  return [...known.filter((name) => named.has(name)), ...[...named].filter((name) => !known.includes(name))];
}

function crashTypeNotes(columns: readonly string[]): Markup {
  const rows = namesOf(crashTypes).filter((name) => columns.includes(name));
  return html`<details><summary>What the crash types do</summary><dl class="terms">${rows.map(
    (name) => html`<div><dt>${name}</dt><dd>${crashTypes[name].what}</dd></div>`,
  )}</dl></details>`;
}

/** The heatmap with its legend and links, or a sentence where nothing has been published. */
export function heatmap(d: Pick<HomeData, 'heatmap' | 'by_driver'>): Markup {
  const drivers = driversOf([...d.by_driver, ...d.heatmap]);
  if (drivers.length === 0) {
    return html`<p>No trials have been published yet. The first edition fills this table.</p>`;
  }
  const columns = columnsOf(d.heatmap);
  const cells = new Map(d.heatmap.map((cell) => [JSON.stringify([cell.driver, cell.crash_type]), cell]));
  const totals = new Map(d.by_driver.map((cell) => [cell.driver, cell]));
  const rows = drivers.map(
    (
      driver,
    ) => html`<tr><th scope="row"><a href="${driverPath(driver)}">${driver}</a></th>${estimateCell(totals.get(driver))}${columns.map(
      (type) => estimateCell(cells.get(JSON.stringify([driver, type]))),
    )}</tr>
`,
  );
  const filters = { role: 'dump_target', ...headline };
  return html`${heatLegend()}
  ${scrollRegion(
    'Heatmap: probability of capture by driver and crash type',
    html`<table class="heatmap"><caption>Probability of a verified dump by driver of the dump target and crash type.
      Each cell: estimate, exact 95&nbsp;% interval, captured of trials.</caption>
      <thead><tr><th scope="col">driver</th><th scope="col">all types</th>${columns.map((type) => html`<th scope="col">${type}</th>`)}</tr></thead>
      <tbody>${rows}</tbody></table>`,
  )}
  <p class="links">This table: ${tableLinks(['driver', 'crash_type'], filters)}. Its column “all types”:
    ${tableLinks(['driver'], filters)}.</p>
  ${crashTypeNotes(columns)}`;
}
