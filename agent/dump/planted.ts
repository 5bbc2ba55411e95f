/**
 * What was planted in memory, held against what the dump says lies there: the two records and every canary
 * (the layouts are those of schema/canary.ts).
 */
import {
  canaryBytes,
  type Listing,
  parseArmed,
  parseFired,
  recordFill,
  recordHeaderBytes,
} from '../../schema/canary.ts';
import type { DumpFinding } from '../../schema/evidence.ts';
import type { PhysicalMemory } from './memory.ts';

const recordPageBytes = 4096;

/** The findings on what was planted; `canaries` counts entries of the listing. */
export type PlantedFinding = Pick<DumpFinding, 'armed' | 'fired' | 'canaries'>;

/** Looks at every planted address. A page that is in the dump but cannot be decoded counts as changed. */
export async function findPlanted(memory: PhysicalMemory, listing: Listing): Promise<PlantedFinding> {
  const count = { good: 0, changed: 0, missing: 0 };
  for (const canary of listing.canaries) {
    const there = await memory.read(canary.phys, canary.byteCount);
    if (there === 'missing') count.missing++;
    else if (there === 'undecodable') count.changed++;
    else if (same(there, canaryBytes(listing.nonce, canary.index, canary.byteCount))) count.good++;
    else count.changed++;
  }
  return {
    armed: await findArmed(memory, listing),
    fired: await findFired(memory, listing),
    canaries: { planted: listing.canaries.length, ...count },
  };
}

async function findArmed(memory: PhysicalMemory, { nonce, armed }: Listing): Promise<DumpFinding['armed']> {
  const page = await memory.read(armed, recordPageBytes);
  if (page === 'missing') return 'missing';
  if (page === 'undecodable') return 'changed';
  const found = parseArmed(page);
  if (found === null) return 'absent';
  if (found !== nonce) return 'other-trial';
  return isFilled(page, nonce, 'armed') ? 'present' : 'changed';
}

async function findFired(memory: PhysicalMemory, { nonce, fired }: Listing): Promise<DumpFinding['fired']> {
  const page = await memory.read(fired, recordPageBytes);
  if (page === 'missing') return 'missing';
  if (page === 'undecodable') return 'changed';
  const found = parseFired(page);
  if (found === null) return 'absent';
  if (found.nonce !== nonce) return 'other-trial';
  if (found.state === 'unfired') return 'unfired';
  return isFilled(page, nonce, 'fired') ? 'present' : 'changed';
}

/** Whether the page holds canary content behind the record's header. */
function isFilled(page: Uint8Array, nonce: string, record: keyof typeof recordFill): boolean {
  const from = recordHeaderBytes[record];
  return same(page.subarray(from), canaryBytes(nonce, recordFill[record], recordPageBytes).subarray(from));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
