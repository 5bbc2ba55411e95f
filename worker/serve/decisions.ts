/** `GET /v1/decisions`, and the page `/log`: what was decided, and how far the log is signed. */
import { type DecisionsAnswer, decisionsPerPage } from '../../schema/answer/decisions.ts';
import { parseNote } from '../../schema/log/note.ts';
import { pageQuery } from '../../schema/parameters.ts';
import { manifestOf, edition as newestEdition } from '../edition/publish.ts';
import type { Services } from '../services.ts';
import { publishedCheckpoint } from '../store/checkpoints.ts';
import { decidedBelow } from '../store/decided.ts';
import { haltedWhy } from '../store/lease.ts';
import { logSize } from '../store/log.ts';
import { instant } from '../time.ts';
import { renderLog } from '../view/log.ts';
import { mediaTypes } from '../view/paths.ts';
import { jsonAnswer, textAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { readQuery } from './query.ts';

async function page({ store, signer }: Services, below: number): Promise<DecisionsAnswer> {
  const decisions = await decidedBelow(store, below, decisionsPerPage, signer.key);
  const last = decisions.at(-1);
  const isFull = last !== undefined && decisions.length === decisionsPerPage;
  return { decisions, next: isFull ? `/v1/decisions?before=${last.log_index}` : null };
}

/** What was decided, newest first; `before=LOG_INDEX` turns the page. */
export async function listDecisions(services: Services, c: AppContext): Promise<Response> {
  const { before } = readQuery(pageQuery, c.req.url);
  const below = before === undefined ? Number.MAX_SAFE_INTEGER : Number(before);
  return jsonAnswer(await page(services, below));
}

/** The log as a page. */
export async function logPage(services: Services): Promise<Response> {
  const { store, signer } = services;
  const checkpoint = await publishedCheckpoint(store);
  const cosigners = checkpoint
    ? parseNote(checkpoint.note)
        .signatures.map(({ name }) => name)
        .filter((name) => name !== signer.name)
    : [];
  const markup = renderLog({
    edition: manifestOf(await newestEdition(store)),
    origin: signer.name,
    verifier_key: signer.verifierKey,
    checkpoint: checkpoint && {
      note: checkpoint.note,
      signed_at: instant(checkpoint.signed_at_ms),
      cosigners,
    },
    entries: await logSize(store),
    is_halted: (await haltedWhy(store)) !== null,
    ...(await page(services, Number.MAX_SAFE_INTEGER)),
  });
  return textAnswer(markup, mediaTypes.page);
}
