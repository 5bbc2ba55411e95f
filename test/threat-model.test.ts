/** docs/threat-model.md: the tests that it names exist, and what it says of costs is what the limits give. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { powBits } from '../schema/envelope.ts';
import { limits } from '../schema/wire.ts';
import { invitationLimits } from '../worker/admit/invitation-limits.ts';
import { ticketLimits } from '../worker/admit/ticket-limits.ts';
import { ownerTrialsMax } from '../worker/statistics/cell.ts';
import { costTable } from './sybil.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/threat-model.md'), 'utf8');

/** The sources of all test files by their names. */
const sources = new Map(
  readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => [basename(name, '.test.ts'), readFileSync(join(import.meta.dirname, name), 'utf8')]),
);

/** Each test that the page names, as its file and its name. */
const named = [...page.matchAll(/`([\w-]+) › ([^`]+)`/g)].map(
  ([, file = '', name = '']) => [file, name] as const,
);

it.each(named)('%s › %s is a test', (file, name) => {
  const source = sources.get(file) ?? '';
  const quoted = [`'${name}'`, `"${name}"`, `'${name.replaceAll("'", "\\'")}'`];
  expect(quoted.filter((text) => source.includes(text))).not.toEqual([]);
});

it('names tests for nearly every row', () => {
  expect(named.length).toBeGreaterThan(30);
});

describe('the figures', () => {
  it('of trusted owners are those that the limits give', () => {
    for (const row of costTable()) expect(page).toContain(`\n${row}\n`);
  });

  it('are those of the code', () => {
    expect([invitationLimits.most, invitationLimits.depth, invitationLimits.reports]).toEqual([3, 3, 1]);
    expect(page).toContain(`${ticketLimits.unusedPerMachine} in 30 days`);
    expect(page).toContain(`${ownerTrialsMax} trials of one owner in a cell`);
    expect(page).toContain(`20 have ${20 * ownerTrialsMax} trials`);
    expect(page).toContain(`within ${limits.signedWithinMs / 3600_000} hours of its date`);
    expect(page).toContain(`${(2 ** powBits).toLocaleString('en-US')} hashes in the mean`);
  });

  it('and links lead to pages', () => {
    for (const [, target = ''] of page.matchAll(/\]\(([^)]+)\)/g))
      expect(readFileSync(join(root, 'docs', target), 'utf8').length).toBeGreaterThan(100);
  });
});
