/** What is to be run on this machine: the scenarios of a set, round after round, in an order that a seed gives. */
import * as z from 'zod';
import { crashTypes } from '../../schema/crash-type.ts';
import { type Scenario, scenarioId, scenarioSets } from '../../schema/scenario.ts';
import { writeDurably } from '../durable.ts';
import { type MetalPaths, readState } from './state.ts';

export const metalSet = 'metal/1';

const campaign = z.strictObject({
  version: z.literal(1),
  /** Names the requests for tickets. */
  id: z.string().regex(/^[0-9a-f]{32}$/),
  /** 32 bits. */
  seed: z.int().min(0).max(0xffff_ffff),
  set: z.literal(metalSet),
  /** Its items follow those of earlier campaigns in the journal. */
  first_ordinal: z.int().min(0),
  /** How many trials; null: without end, as the daily budget allows. */
  trials: z.int().min(1).max(10_000).nullable(),
  started_at: z.iso.datetime({ precision: 3 }),
});
export type MetalCampaign = z.infer<typeof campaign>;

export interface MetalItem {
  readonly ordinal: number;
  readonly scenario: Scenario;
}

/** The next state and output of mulberry32, a generator of 32 bits of state: an order needs no better one. */
function drawsOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A permutation of a list (Fisher and Yates). */
function shuffled<T>(list: readonly T[], draw: () => number): T[] {
  const out = [...list];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** The first trial on a machine: what can hurt it least. */
export const firstScenario = 'direct/panic/idle/distribution';

/** The scenario of an item: in each round every one of the set once, in random order; the very first is always the same. */
export function itemAt({ seed, set, first_ordinal }: MetalCampaign, ordinal: number): MetalItem {
  const all: readonly Scenario[] = scenarioSets[set];
  const index = ordinal - first_ordinal;
  const round = Math.floor(index / all.length);
  const order = shuffled(all, drawsOf((seed + round) >>> 0));
  if (round === 0) order.sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)));
  const scenario = order[index % all.length];
  if (index < 0 || scenario === undefined) throw new Error(`the campaign has no item ${ordinal}`);
  return { ordinal, scenario };
}

/** Whether it is the scenario that comes first on every machine. */
export function isFirst(s: Scenario): boolean {
  return scenarioId(s) === firstScenario;
}

/** Whether only a proven watchdog brings the machine back from it. */
export function needsWatchdog({ crash_type }: Pick<Scenario, 'crash_type'>): boolean {
  return crashTypes[crash_type].safety === 'hangs';
}

/** The campaign of a machine, or null where none was begun. Throws Advice where the file is damaged. */
export function readCampaign({
  campaign: path,
}: Pick<MetalPaths, 'campaign'>): Promise<MetalCampaign | null> {
  return readState(path, campaign, [`rm ${path}`, 'dumpsurvey run']);
}

/** Keeps a campaign durably. The directory must be there. */
export function writeCampaign(
  { campaign: path }: Pick<MetalPaths, 'campaign'>,
  c: MetalCampaign,
): Promise<void> {
  return writeDurably(path, `${JSON.stringify(campaign.parse(c), null, 1)}\n`);
}
