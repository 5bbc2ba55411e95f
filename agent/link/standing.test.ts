import { describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../schema/bytes.ts';
import { parseVerifierKey } from '../../schema/log/note.ts';
import { leafHash } from '../../schema/log/tree.ts';
import { sampleLog } from '../../test/agent/sample-log.ts';
import { Refused, Unreachable } from './api.ts';
import { openCheckpoint } from './pin.ts';
import { type Standing, standingOf, treeOf } from './standing.ts';

const entries = Array.from({ length: 300 }, (_, i) => `entry ${i}`);
const mergeBy = '2026-11-24T10:05:00.000Z';
const before = Date.parse(mergeBy) - 1;
const after = Date.parse(mergeBy) + 1;

async function promised(text: string, log_index: number) {
  return {
    log_index,
    leaf_hash: toHex(await leafHash(utf8(text))),
    merge_by: mergeBy,
    version: '1.0',
    origin: '',
  } as const;
}

async function signedTree(texts = entries) {
  const log = await sampleLog(7, texts);
  const seen = await openCheckpoint(await log.checkpoint(), await parseVerifierKey(log.verifierKey));
  return { log, seen };
}

describe('what became of a promise', () => {
  it.each<[string, string, number, number, Standing]>([
    ['the first entry', 'entry 0', 0, after, 'included'],
    ['an entry of the first tile', 'entry 255', 255, before, 'included'],
    ['an entry of the second tile', 'entry 256', 256, after, 'included'],
    ['the last entry', 'entry 299', 299, after, 'included'],
    ['an entry that is still to come', 'entry 300', 300, before, 'pending'],
    ['an entry that should be there by now', 'entry 300', 300, after, 'overdue'],
    ['an entry in whose place another one is', 'what was promised', 7, after, 'broken'],
  ])('%s', async (_, text, index, nowMs, standing) => {
    const { log, seen } = await signedTree();
    expect(await standingOf(await promised(text, index), seen, treeOf(seen, log.tile), nowMs)).toBe(standing);
  });

  it.each<[string, (name: string) => Promise<Uint8Array>]>([
    [
      'of another tree',
      async (name) =>
        (
          await sampleLog(
            7,
            entries.map((e) => `${e}!`),
          )
        ).tile(name),
    ],
    ['of the wrong length', async () => new Uint8Array(7)],
    ['that are refused', () => Promise.reject(new Refused(404, '/problems/not-found', 'No.', ''))],
  ])('is not known from tiles %s: the log proves nothing', async (_, tile) => {
    const { seen } = await signedTree();
    expect(await standingOf(await promised('entry 3', 3), seen, treeOf(seen, tile), after)).toBe('unproven');
  });

  it('is asked again later where the log cannot be reached', async () => {
    const { seen } = await signedTree();
    const tile = () => Promise.reject(new Unreachable('no answer'));
    const asked = standingOf(await promised('entry 3', 3), seen, treeOf(seen, tile), after);
    await expect(asked).rejects.toThrow(Unreachable);
  });
});
