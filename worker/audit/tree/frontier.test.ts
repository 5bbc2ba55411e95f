import fc from 'fast-check';
import { expect, it } from 'vitest';
import { utf8 } from '../../../schema/bytes.ts';
import { emptyRoot, leafHash, rootOf } from '../../../schema/log/tree.ts';
import { appended, emptyFrontier, rootOfFrontier } from './frontier.ts';

it('has the root of the tree of the same leaves, after each of them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 70 }), async (size) => {
      const leaves = await Promise.all(Array.from({ length: size }, (_, i) => leafHash(utf8(`leaf ${i}`))));
      let frontier = emptyFrontier;
      for (const leaf of leaves) frontier = await appended(frontier, leaf);
      expect(await rootOfFrontier(frontier)).toEqual(await rootOf(leaves));
      expect(frontier.size).toBe(size);
      expect(frontier.peaks.length).toBe(size.toString(2).replaceAll('0', '').length);
    }),
    { numRuns: 40 },
  );
});

it('begins with the root of nothing', async () => {
  expect(await rootOfFrontier(emptyFrontier)).toEqual(await emptyRoot());
});
