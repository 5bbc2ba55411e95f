/** The crash module as a volunteer's machine builds it. All flavors, and sparse: `npm run matrix -- --part builds`. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataDir } from '../../agent/paths.ts';
import { buildWithDkms } from '../matrix/dkms.ts';

test('DKMS builds it', async () => {
  const { release, status } = await buildWithDkms(join(dataDir(), 'lab'), '6.1', console.log);
  expect(status).toBe(`crashpoint/1, ${release}, x86_64: built`);
});
