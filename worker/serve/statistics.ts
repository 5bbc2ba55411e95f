/** `GET /v1/statistics`: cells of the current edition, as JSON or CSV. */
import { type StatisticsAnswer, type StatisticsQuery, statisticsQuery } from '../../schema/statistics.ts';
import { remember } from '../edition/cache.ts';
import { edition as newestEdition } from '../edition/publish.ts';
import type { Services } from '../services.ts';
import { notes } from '../statistics/notes.ts';
import { cellsBy } from '../store/cells.ts';
import type { EditionRow } from '../store/editions.ts';
import { renderCsv } from '../view/csv.ts';
import { mediaTypes } from '../view/paths.ts';
import { jsonAnswer, textAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { readQuery } from './query.ts';

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
  const { format, ...query } = readQuery(statisticsQuery, c.req.url);
  const answer = await answerQuery(services, await newestEdition(services.store), query);
  if (format === 'json') return jsonAnswer(answer);
  return textAnswer(renderCsv(answer), mediaTypes.csv);
}
