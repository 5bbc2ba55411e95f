/** Computes again what the survey publishes, from the rows that an edition is made of, and compares. */
import type { Group, KeyedCell } from '../../schema/statistics.ts';
import { statisticsHash } from '../edition/publish.ts';
import { statisticsVersion } from '../statistics/cell.ts';
import { cellsBy } from '../store/cells.ts';
import type { Store } from '../store/open.ts';
import type { Judge, Tombstone } from './judge.ts';
import { cell, type Edition, type Tables } from './published.ts';
import type { Tally } from './tally.ts';

/** What a judge knows of the rows that an edition is made of. */
type Known = Pick<Judge, 'tombstones' | 'brokenAt'>;

/**
 * How many of the entries below a log size were withdrawn by later ones: the edition had their rows, and nobody else
 * has them any more.
 */
function goneSince(tombstones: readonly Tombstone[], logSize: number): number {
  const later = tombstones.filter(({ index }) => index >= logSize);
  return later.reduce((sum, { covered }) => sum + covered.filter((at) => at < logSize).length, 0);
}

/** Why an edition cannot be rebuilt, or null. */
function obstacle(
  { manifest: { log_size, checkpoint, statistics_version } }: Edition,
  known: Known,
): 'unkept' | 'superseded' | 'withdrawn' | 'broken' | null {
  const brokenAt = known.brokenAt();
  if (brokenAt !== null && brokenAt < log_size) return 'broken';
  if (checkpoint === null) return 'unkept';
  if (statistics_version && statistics_version < statisticsVersion) return 'superseded';
  return goneSince(known.tombstones, log_size) > 0 ? 'withdrawn' : null;
}

/** Once the log has a tree, every edition names its checkpoint: without one nobody could hold the survey to it. */
export function judgeCheckpoints(editions: readonly Edition[], tally: Tally): void {
  const byNumber = editions.toSorted((a, b) => a.manifest.number - b.manifest.number);
  const first = byNumber.findIndex(({ manifest }) => manifest.checkpoint !== null);
  for (const { manifest } of first < 0 ? [] : byNumber.slice(first))
    if (manifest.checkpoint === null)
      tally.find(
        'editions',
        null,
        `a checkpoint of the log in edition ${manifest.number}, as the ones before have`,
        'none',
      );
}

/** A survey publishes anew when its code computes otherwise: the newest edition is of this program's version, or one of the two is out of date. */
export function judgeVersion({ manifest: { number, statistics_version } }: Edition, tally: Tally): void {
  if (statistics_version && statistics_version !== statisticsVersion)
    tally.find(
      'editions',
      null,
      `version ${statisticsVersion} of the statistics, which this program computes, in edition ${number}, the newest: verify with the version of the program that the survey runs`,
      `version ${statistics_version}`,
    );
}

/** Rebuilds an edition and compares its hash. */
export async function judgeEdition(
  edition: Edition,
  known: Known,
  store: Store,
  tally: Tally,
): Promise<void> {
  const { number, log_size, cut_off, statistics_sha256 } = edition.manifest;
  const why = obstacle(edition, known);
  if (why === 'broken') return;
  if (why !== null) {
    tally.count('editions', why);
    const reasons = {
      unkept: `Edition ${number} is of before the log had a tree: not rebuildable.`,
      superseded: `Edition ${number} was computed by version ${edition.manifest.statistics_version} of the statistics: only a verify of that version rebuilds it.`,
      withdrawn: `Edition ${number}, of ${log_size} entries, is not rebuildable: ${goneSince(known.tombstones, log_size)} withdrawn.`,
    };
    tally.note(reasons[why]);
    return;
  }
  const rebuilt = await statisticsHash(store, { log_size, cut_off_ms: Date.parse(cut_off) });
  if (rebuilt === statistics_sha256) tally.count('editions', 'rebuilt');
  else
    tally.find(
      'editions',
      null,
      `statistics_sha256 ${rebuilt} in edition ${number}, by the rows below ${log_size} and the cut-off ${cut_off}`,
      statistics_sha256,
    );
}

/** Rebuilds tables cell by cell. */
export async function judgeTables(
  { tables }: Tables,
  edition: Edition,
  known: Known,
  store: Store,
  tally: Tally,
): Promise<void> {
  const why = obstacle(edition, known);
  if (why === 'broken') return;
  // Figures are counted when they are asked for, also those of an edition of before the log had a tree.
  if (why === 'withdrawn' || why === 'superseded') {
    tally.count('statistics', why, tables.length);
    return;
  }
  const { log_size, cut_off, number } = edition.manifest;
  const coverage = { log_size, cut_off_ms: Date.parse(cut_off) };
  for (const { by, population, cells } of tables) {
    // Every cell of real machines is suppressed until owners can be vouched for.
    const expected = population === 'lab' ? await cellsBy(store, coverage, population, by, {}) : [];
    compareCells(`by ${by.join(', ')} of ${population} in edition ${number}`, by, expected, cells, tally);
  }
}

/** Compares two lists of cells by the values of their groups. */
function compareCells(
  what: string,
  by: readonly Group[],
  expected: readonly KeyedCell[],
  found: readonly KeyedCell[],
  tally: Tally,
): void {
  const keyOf = (one: KeyedCell) => JSON.stringify(by.map((name) => one[name]));
  const textOf = (one: KeyedCell) => JSON.stringify(cell.parse(one));
  const wanted = new Map(expected.map((one) => [keyOf(one), textOf(one)]));
  const seen = new Set<string>();
  for (const one of found) {
    const key = keyOf(one);
    const text = textOf(one);
    if (seen.has(key)) tally.find('statistics', null, `each cell ${what} once`, `${text} again`);
    else if (wanted.get(key) === text) tally.count('statistics', 'rebuilt');
    else tally.find('statistics', null, wanted.get(key) ?? `no such cell ${what}`, `${text} ${what}`);
    seen.add(key);
  }
  for (const [key, text] of wanted)
    if (!seen.has(key)) tally.find('statistics', null, `${text} ${what}`, 'no such cell');
  if (found.length === 0 && expected.length === 0) tally.count('statistics', 'rebuilt');
}
