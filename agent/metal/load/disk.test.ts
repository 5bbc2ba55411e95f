import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemPrograms } from '../programs.ts';
import { removeLoadFiles } from './disk.ts';

it('what a crash left of the load is removed, and nothing else of the directory', async () => {
  const scratch = mkdtempSync(join(tmpdir(), 'scratch-'));
  for (const name of ['dumpsurvey-load.0', 'dumpsurvey-load.7', 'dumpsurvey-load.0.0', "owner's", 'load'])
    writeFileSync(join(scratch, name), 'x');
  mkdirSync(join(scratch, 'dumpsurvey-load.d'));
  writeFileSync(join(scratch, 'dumpsurvey-load.d', 'dumpsurvey-load.0'), 'x');
  symlinkSync(join(scratch, "owner's"), join(scratch, 'dumpsurvey-load.1'));
  await removeLoadFiles(systemPrograms, scratch);
  expect(readdirSync(scratch).sort()).toEqual(['dumpsurvey-load.1', 'dumpsurvey-load.d', 'load', "owner's"]);
  expect(readdirSync(join(scratch, 'dumpsurvey-load.d'))).toEqual(['dumpsurvey-load.0']);
  rmSync(scratch, { recursive: true });
});

it('a directory that is gone is no error', async () => {
  await expect(removeLoadFiles(systemPrograms, '/no/such/scratch')).resolves.toBeUndefined();
});
