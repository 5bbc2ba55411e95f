/** `GET /v1/editions` and `/v1/editions/:number`: the manifests. */
import { type EditionsAnswer, editionsPerPage } from '../../schema/answer/edition.ts';
import { editionParameters, pageQuery } from '../../schema/parameters.ts';
import { manifestOf, edition as newestEdition } from '../edition/publish.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { editionsBelow, findEdition, withdrawnBelow } from '../store/editions.ts';
import { jsonAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { readQuery } from './query.ts';

/** Editions, newest first; `before=NUMBER` turns the page. */
export async function listEditions({ store }: Services, c: AppContext): Promise<Response> {
  const { before } = readQuery(pageQuery, c.req.url);
  const newest = await newestEdition(store);
  const below = before === undefined ? newest.number + 1 : Number(before);
  const rows = await editionsBelow(store, below, editionsPerPage);
  const last = rows.at(-1);
  const answer: EditionsAnswer = {
    editions: rows.map(manifestOf),
    next: last !== undefined && last.number > 1 ? `/v1/editions?before=${last.number}` : null,
  };
  return jsonAnswer(answer);
}

/** One edition, which never changes, and how many of its entries have been withdrawn since. */
export async function showEdition({ store }: Services, c: AppContext): Promise<Response> {
  const text = c.req.param('number') ?? '';
  const row = editionParameters.shape.number.safeParse(text).success
    ? await findEdition(store, Number(text))
    : null;
  if (row === null) throw new Refusal('not-found', `There is no edition ${text.slice(0, 40)}.`);
  return jsonAnswer({ ...manifestOf(row), withdrawn: await withdrawnBelow(store, row.log_size) });
}
