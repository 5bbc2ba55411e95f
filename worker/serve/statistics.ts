/** `GET /v1/statistics`: cells of the current edition, as JSON or CSV. */
import { type StatisticsAnswer, type StatisticsQuery, statisticsQuery } from '../../schema/statistics.ts';
import { remember } from '../edition/cache.ts';
import { edition as newestEdition } from '../edition/publish.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { notes } from '../statistics/notes.ts';
import { cellsBy } from '../store/cells.ts';
import type { EditionRow } from '../store/editions.ts';
import { renderCsv } from '../view/csv.ts';
import { mediaTypes } from '../view/paths.ts';
import { jsonAnswer, textAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';

/** The query of an address. Throws the `invalid-query` refusal; each name may stand once. */
export function readQuery(parameters: URLSearchParams): StatisticsQuery {
  const names = [...parameters.keys()];
  const wrong = names.find((name, i) => names.indexOf(name) !== i || name === '__proto__');
  if (wrong !== undefined) {
    throw new Refusal('invalid-query', `${wrong.slice(0, 60)} is given twice, or cannot be asked for.`);
  }
  const given = Object.fromEntries(parameters);
  const parsed = statisticsQuery.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.map((step) => String(step).slice(0, 60)).join('.') || 'The query';
  throw new Refusal('invalid-query', `${where}: ${issue?.message.slice(0, 200) ?? 'not as agreed'}.`);
}

/** The answer to a query from the rows of an edition, remembered until the next one. */
export function answerQuery(
  { store, cache }: Services,
  edition: EditionRow,
  query: Omit<StatisticsQuery, 'format'>,
): Promise<StatisticsAnswer> {
  const { by, population, ...filters } = query;
  const key = JSON.stringify(['statistics', by, population, Object.entries(filters).sort()]);
  return remember(cache, edition.number, key, async () => ({
    edition: edition.number,
    population,
    by,
    // Every cell of real machines is suppressed until owners can be vouched for (DESIGN 9).
    cells: population === 'lab' ? await cellsBy(store, edition, population, by, filters) : [],
    note: notes[population],
  }));
}

/** The handler. */
export async function statistics(services: Services, c: AppContext): Promise<Response> {
  const { format, ...query } = readQuery(new URL(c.req.url).searchParams);
  const answer = await answerQuery(services, await newestEdition(services.store), query);
  if (format === 'json') return jsonAnswer(answer);
  return textAnswer(renderCsv(answer), mediaTypes.csv);
}
