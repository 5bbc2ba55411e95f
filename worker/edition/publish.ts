/**
 * Publishes editions. An edition says up to which log size and which cut-off the rows count, and commits to the
 * finest table of cells that they give; it can be computed again from the rows at any time.
 */
import type { Manifest } from '../../schema/answer/edition.ts';
import { sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { type Group, groups } from '../../schema/statistics.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { statisticsVersion } from '../statistics/cell.ts';
import { cellsBy } from '../store/cells.ts';
import { publishedCheckpoint } from '../store/checkpoints.ts';
import { currentEdition, deadlinePassed, type EditionRow, insertEdition } from '../store/editions.ts';
import type { Store } from '../store/open.ts';
import type { Coverage } from '../store/visible.ts';
import { instant } from '../time.ts';

/** The least time between two editions. */
export const editionEveryMs = 10_000;

/** The manifest of a stored edition. */
export function manifestOf(row: EditionRow): Manifest {
  return {
    number: row.number,
    log_size: row.log_size,
    cut_off: instant(row.cut_off_ms),
    statistics_version: row.statistics_version,
    statistics_sha256: row.statistics_sha256,
    checkpoint: row.checkpoint || null,
    published_at: instant(row.published_at_ms),
  };
}

/**
 * SHA-256 of the JSON text `{version, log_size, cut_off, cells}`, where `cells` are those of `lab` by all groups.
 * `metal` has no published cells.
 */
export async function statisticsHash(store: Store, coverage: Coverage): Promise<string> {
  const by: readonly Group[] = namesOf(groups);
  const cells = await cellsBy(store, coverage, 'lab', by, {});
  const { log_size, cut_off_ms } = coverage;
  const text = JSON.stringify({ version: statisticsVersion, log_size, cut_off: instant(cut_off_ms), cells });
  return toHex(await sha256(utf8(text)));
}

/**
 * Publishes the next edition if the published checkpoint has grown, a deadline has passed or the code computes otherwise since the last one, and that was at
 * least `everyMs` ago. The first one is published at once, also of an empty log. Says how long to wait where
 * something is to be published that is not due yet: null means that nothing is.
 */
export async function publishIfDue(
  store: Store,
  nowMs: number,
  everyMs = editionEveryMs,
): Promise<{ published: EditionRow | null; waitMs: number | null }> {
  const last = await currentEdition(store);
  const checkpoint = await publishedCheckpoint(store);
  if (checkpoint === null) return { published: null, waitMs: null };
  const log_size = checkpoint.size;
  if (last !== null) {
    const news =
      log_size > last.log_size ||
      last.statistics_version !== statisticsVersion ||
      (await deadlinePassed(store, last.cut_off_ms, nowMs));
    if (!news) return { published: null, waitMs: null };
    const waitMs = last.published_at_ms + everyMs - nowMs;
    if (waitMs > 0 && waitMs <= everyMs) return { published: null, waitMs };
  }
  // A clock that was set back must not uncover a deadline that an earlier edition has counted.
  const cut_off_ms = Math.max(nowMs, last?.cut_off_ms ?? 0);
  const row = {
    number: (last?.number ?? 0) + 1,
    log_size,
    cut_off_ms,
    statistics_version: statisticsVersion,
    statistics_sha256: await statisticsHash(store, { log_size, cut_off_ms }),
    checkpoint: checkpoint.note,
    published_at_ms: nowMs,
  };
  return { published: (await insertEdition(store, row)) ? row : null, waitMs: null };
}

/** The newest edition. Throws where there is none: entries see to the first before they answer anybody. */
export async function edition(store: Store): Promise<EditionRow> {
  const current = await currentEdition(store);
  if (current === null) throw new Error('the first edition was not published yet');
  return current;
}
