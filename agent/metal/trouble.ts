/** Scenarios that could not be made ready on this machine, so that one of them does not hold the others up. */
import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import type { Obstacle } from './next.ts';
import { type MetalPaths, readState } from './state.ts';

const troubles = z.strictObject({
  version: z.literal(1),
  by_scenario: z.record(
    z.string().max(120),
    z.strictObject({ count: z.int().min(1), at_ms: z.int(), why: z.string().max(500) }),
  ),
});
export type Troubles = z.infer<typeof troubles>;

/** So often in a row, and it is left out for a day. */
export const troublesMost = 3;
const dayMs = 24 * 3600_000;

/** What failed so far. A file that cannot be read holds nothing. */
export async function readTroubles({ trouble: path }: Pick<MetalPaths, 'trouble'>): Promise<Troubles> {
  const kept = await readState(path, troubles, [`rm ${path}`]).catch(() => null);
  return kept ?? { version: 1, by_scenario: {} };
}

/** Counts a failure of a scenario; `why` null: it was made ready, and its failures are forgotten. */
export async function countTrouble(
  paths: Pick<MetalPaths, 'trouble'>,
  scenario: string,
  why: string | null,
  nowMs: number,
): Promise<void> {
  const { by_scenario } = await readTroubles(paths);
  const { [scenario]: before, ...others } = by_scenario;
  if (why === null && before === undefined) return;
  const count = (before?.count ?? 0) + 1;
  const counted = why === null ? {} : { [scenario]: { count, at_ms: nowMs, why: why.slice(0, 500) } };
  await writeDurably(
    paths.trouble,
    `${JSON.stringify({ version: 1, by_scenario: { ...others, ...counted } })}\n`,
  );
}

/** Why a scenario is left out at present, or null. */
export function obstacleOf({ by_scenario }: Troubles, scenario: string, nowMs: number): Obstacle | null {
  const failed = by_scenario[scenario];
  if (failed === undefined || failed.count < troublesMost || nowMs - failed.at_ms > dayMs) return null;
  return {
    id: 'trouble',
    why: `it could not be made ready ${failed.count} times, the last time because ${failed.why}`,
    fix: ['dumpsurvey doctor', 'dumpsurvey run --again'],
  };
}

/** Forgets all failures. */
export async function clearTroubles({ trouble: path }: Pick<MetalPaths, 'trouble'>): Promise<void> {
  await rm(path, { force: true });
}
