/** The findings as text for a terminal, and as a page for docs. Pure. */
import type { Findings, Row, Unit } from './section.ts';

const decimals = { s: 2, ms: 1, '/s': 0 } as const satisfies Record<Unit, number>;

function shown(value: number, unit: Unit): string {
  const number = value.toFixed(decimals[unit]).replace(/\B(?=(\d{3})+$)/g, unit === '/s' ? ',' : '');
  return unit === '/s' ? `${number}/s` : `${number} ${unit}`;
}

/** Measured against the peer: of times, less is better; of rates, more. */
export function ratioOf({ measured, peer }: Row): number {
  return measured / peer;
}

/** Whether a row's bound is exceeded. */
export function isOver(row: Row): boolean {
  return row.bound !== null && ratioOf(row) > row.bound;
}

const head = ['what', 'measured', 'limit or peer', '', 'ratio', 'bound', ''] as const;

function cellsOf(row: Row): string[] {
  const judged = row.bound === null ? ['–', '–'] : [`≤ ${row.bound}`, isOver(row) ? 'OVER' : 'ok'];
  const [measured, peer] = [shown(row.measured, row.unit), shown(row.peer, row.unit)];
  return [row.what, measured, row.against, peer, ratioOf(row).toFixed(2), ...judged];
}

/** A table for a terminal. */
export function plainTable(table: readonly (readonly string[])[]): string {
  const widths = (table[0] ?? []).map((_, i) => Math.max(...table.map((cells) => cells[i]?.length ?? 0)));
  const isNumber = (cell: string) => /^[≤\d–]/.test(cell);
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (isNumber(cell) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)));
  return table.map((cells) => line(cells).join('  ').trimEnd()).join('\n');
}

function markdownTable([first = [], ...rest]: readonly (readonly string[])[]): string {
  const rule = first.map(() => '---');
  return [first, rule, ...rest].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** The one table of all sections. */
export function tableOf(findings: readonly Findings[]): string[][] {
  return [[...head], ...findings.flatMap(({ rows }) => rows.map(cellsOf))];
}

/** What the terminal shows at the end. */
export function terminalReport(findings: readonly Findings[]): string {
  const details = findings.flatMap(({ details: d }) => (d ? [`${d.title}\n${plainTable(d.table)}`] : []));
  return [...details, plainTable(tableOf(findings))].join('\n\n');
}

/** docs/bench.md. */
export function page(host: readonly string[], findings: readonly Findings[]): string {
  const details = findings.flatMap(({ details: d }) =>
    d ? [`## ${d.title}\n\n${markdownTable(d.table)}`] : [],
  );
  return `${[
    '# Speed',
    'Written by `npm run bench -- --write`. Each figure is a median of rounds that took turns with those of the peer in the same run, so a ratio holds where a time does not: of times, a smaller ratio is better, of rates a greater one. A bound is what the project promises; `npm run bench` fails where one is exceeded.',
    host.map((line) => `- ${line}`).join('\n'),
    markdownTable(tableOf(findings)),
    ...details,
  ].join('\n\n')}\n`;
}
