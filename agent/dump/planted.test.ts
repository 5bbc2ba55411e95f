/** Canary contents against the published generator, and records where they do not lie in one page. */
import { expect, test } from 'vitest';
import { canaryBytes } from '../../schema/canary.ts';
import { pagedMemory } from './memory.ts';
import { findPlanted } from './planted.ts';
import { viewOf } from './source.ts';

test.each([
  // Vigna's splitmix64.c from the seeds 0 and 1234567.
  ['0'.repeat(32), [0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn]],
  [`87d612${'0'.repeat(26)}`, [6457827717110365317n, 3203168211198807973n, 9817491932198370423n]],
])('a canary of index 0 is splitmix64 seeded with the nonce %s', (nonce, words) => {
  const view = viewOf(canaryBytes(nonce, 0, 24));
  expect([0, 8, 16].map((at) => view.getBigUint64(at, true))).toStrictEqual(words);
});

test('one canary over two pages is missing with either, and changed where either cannot be decoded', async () => {
  const nonce = '01'.repeat(16);
  const bytes = canaryBytes(nonce, 3, 2048);
  const low = new Uint8Array(4096);
  const high = new Uint8Array(4096);
  low.set(bytes.subarray(0, 1024), 3072);
  high.set(bytes.subarray(1024));
  const listing = {
    nonce,
    armed: 0x9000n,
    fired: 0xa000n,
    canaries: [{ index: 3, kind: 'slab', phys: 0x1c00n, byteCount: 2048 }],
  } as const;
  const look = async (second: Uint8Array | 'missing' | 'undecodable') =>
    (
      await findPlanted(
        pagedMemory(4096, async (pfn) => (pfn === 1 ? low : pfn === 2 ? second : 'missing')),
        listing,
      )
    ).canaries;
  expect(await look(high)).toMatchObject({ planted: 1, good: 1 });
  expect(await look('missing')).toMatchObject({ missing: 1 });
  expect(await look('undecodable')).toMatchObject({ changed: 1 });
});
