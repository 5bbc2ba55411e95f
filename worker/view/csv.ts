/**
 * Statistics as CSV (RFC 4180: CRLF, quotes doubled, a header line). Columns: edition, population, the groups of
 * the query in its order, then the counts and the estimate. Empty where there is no estimate.
 *
 * Spreadsheets run a field that begins with `=`, `+`, `-` or `@` as a formula, quoted or not. Such text gets an
 * apostrophe in front, and so does text that begins with an apostrophe: taking one leading apostrophe away
 * always gives the value back. Numbers are left alone; none of them is negative.
 */
import type { Cell, StatisticsAnswer } from '../../schema/statistics.ts';

const figures = [
  'machines',
  'trials',
  'captured',
  'no_reply',
  'inconclusive',
  'estimate',
  'low',
  'high',
] as const satisfies readonly (keyof Cell)[];

/** What some spreadsheet takes for the start of a formula, also after blanks and in full width. */
const formula = /^\s*[=+\-@＝＋－＠']|^[\t\r\n]/;

/** One field of text. */
export function csvText(text: string): string {
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The answer as CSV. `note` is not in it: the query without `format=csv` has it. */
export function renderCsv(answer: StatisticsAnswer): string {
  const header = ['edition', 'population', ...answer.by, ...figures];
  const rows = answer.cells.map((cell) => [
    String(answer.edition),
    csvText(answer.population),
    ...answer.by.map((group) => csvText(cell[group] ?? '')),
    ...figures.map((figure) => String(cell[figure] ?? '')),
  ]);
  return [header, ...rows].map((row) => `${row.join(',')}\r\n`).join('');
}
