/** docs/operating.md against the code: settings, metrics, checks, commands and figures must not drift apart. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createCounts } from '../worker/metrics/counts.ts';
import { commands } from '../worker/operator.ts';
import { quotas } from '../worker/quotas.ts';
import { checks } from '../worker/serve/ready.ts';

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const page = read('docs/operating.md');

/** The cells of the tables' first columns, each with its names in backticks. */
const firstCells = [...page.matchAll(/^\| (.*?) \|/gm)].map((match) => match[1] ?? '');
const namesIn = (cells: readonly string[]) =>
  cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? ''));

it('every setting that is read is in the table, and no other', () => {
  const settings = [...read('worker/node/settings.ts').matchAll(/\benv\.([A-Z_]+)/g)].map(
    (match) => match[1] ?? '',
  );
  const table = page.slice(page.indexOf('| setting |'), page.indexOf('At SIGTERM'));
  const documented = namesIn([...table.matchAll(/^\| (.*?) \|/gm)].map((match) => match[1] ?? ''));
  expect(documented.sort()).toEqual([...new Set(settings)].sort());
});

it('every metric is in the table, and no other', () => {
  const source = read('worker/serve/metrics.ts');
  const counted = createCounts('')
    .families()
    .map(({ name }) => name);
  const gauges = [...source.matchAll(/'((?:dumpsurvey|process)_\w+)'/g)].map((match) => match[1] ?? '');
  const documented = namesIn(firstCells).filter((name) => /^(dumpsurvey|process)_/.test(name));
  expect(documented.sort()).toEqual([...new Set([...counted, ...gauges])].sort());
});

it('every readiness check is named', () => {
  for (const { name } of checks) expect(page).toMatch(new RegExp(`checks:.*\\b${name}\\b`));
});

it('every command that it gives is one, with options that the command has', () => {
  const given = [...page.matchAll(/npm run operator -- (\w+)((?: --[\w-]+)?[^\n`]*)/g)];
  expect(given.length).toBeGreaterThan(3);
  for (const [line, name, rest = ''] of given) {
    const command = commands.find((one) => one.name === name);
    expect([line, command?.name]).toEqual([line, name]);
    for (const [, option = ''] of rest.matchAll(/--([\w-]+)/g)) {
      expect([line, ['data', 'url', 'json', 'help', ...Object.keys(command?.options ?? {})]]).toEqual([
        line,
        expect.arrayContaining([option]),
      ]);
    }
  }
});

it('the figures are those of worker/quotas.ts', () => {
  const number = (value: number) => value.toLocaleString('en-US');
  const { requestsPerPrefix, admissionsPerKey, tickets } = quotas;
  for (const words of [
    `| path and query | ${number(quotas.targetMaxChars)} characters | 414 |`,
    `| headers | ${quotas.headersMaxBytes / 1024} KiB, within ${quotas.headersWithinMs / 1000} s |`,
    `| body | ${quotas.bodyMaxBytes / 1024} KiB, not compressed, within ${quotas.bodyWithinMs / 1000} s,`,
    `| requests of a network (/24, /48) | ${requestsPerPrefix.burst} at once, ${requestsPerPrefix.perSecond} a second |`,
    `| signed requests of a key | ${admissionsPerKey.burst} at once, ${admissionsPerKey.perSecond} a second |`,
    `| new machines of a network | ${quotas.enrolmentsPerPrefixAndDay} a day |`,
    `| open tickets of a machine, of an owner | ${tickets.openPerMachine}, ${number(tickets.openPerOwner)} |`,
    `for at most ${quotas.drainWithinMs / 1000} s`,
  ]) {
    expect(page).toContain(words);
  }
});
