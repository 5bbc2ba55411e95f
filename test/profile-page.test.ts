/** The tables of docs/profile.md against the list of fields: whoever reads the page must not be told less than is sent. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { kernelOptions } from '../schema/kernel-options.ts';
import { profile } from '../schema/profile.ts';
import { tableUnder } from './page-table.ts';

const page = readFileSync(new URL('../docs/profile.md', import.meta.url), 'utf8');

it('names every field, with the version that has it first', () => {
  const written = tableUnder(page, '## Fields').map(([field, since]) => [field, since]);
  const fields = new Map<string, string>();
  for (const { shape } of profile.options)
    for (const name of Object.keys(shape)) {
      const all =
        name === 'kernel' ? Object.keys(shape.kernel.shape).map((part) => `kernel.${part}`) : [name];
      for (const field of all) if (!fields.has(field)) fields.set(field, shape.version.value);
    }
  expect(written.toSorted()).toEqual([...fields].toSorted());
});

it('says of each option of the kernel what the table in the code says', () => {
  expect(tableUnder(page, '## Options of the kernel')).toEqual(Object.entries(kernelOptions));
});

it('gives a reason for each field', () => {
  for (const [field, , , why] of tableUnder(page, '## Fields'))
    expect([field, why?.length]).not.toEqual([field, 0]);
});
