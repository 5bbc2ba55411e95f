/** The page of the matrix: a cell says what its trials came to, and what was not run stays blank. */
import { expect, test } from 'vitest';
import { evidenceOf, recordedRun } from '../fixtures/runs/runs.ts';
import type { Finding } from './judge.ts';
import { contextTable, faultList, grid, kernelReport, table } from './report.ts';
import { pairs, rowId } from './rows.ts';

const [direct, other] = pairs('6.1');
if (!direct || !other) throw new Error('the matrix has no rows');
const { trigger } = evidenceOf(recordedRun('virtio_blk'));

function finding(change: Partial<Finding> = {}, row = direct as NonNullable<typeof direct>): Finding {
  return {
    ...{ id: rowId(row), row, release: '6.1.0-56-amd64', outcome: 'captured', result: 'captured' },
    ...{ trigger, atCrash: null, log: null, seconds: 18, faults: [] },
    ...change,
  } as Finding;
}

/** The cells of the row that begins with this word. */
function cellsOf(text: string, first: string): string[] {
  const line = text.split('\n').find((l) => l.startsWith(`| ${first} `)) ?? '';
  return line.split('|').map((cell) => cell.trim());
}

test('a grid has C, N, S, E, a mark at what is not as claimed, a dot and a blank', () => {
  expect(cellsOf(grid('6.1', [finding()]), 'direct')[2]).toBe('C');
  expect(cellsOf(grid('6.1', [finding({ outcome: 'not detected' })]), 'direct')[2]).toBe('N');
  expect(cellsOf(grid('6.1', [finding({ outcome: 'ended after detected' })]), 'direct')[2]).toBe('E');
  expect(cellsOf(grid('6.1', [finding({ faults: ['interrupts on'] })]), 'direct')[2]).toBe('C!');
  expect(cellsOf(grid('6.1', []), 'direct')[2]).toBe('');
  expect(cellsOf(grid('6.1', []), 'nmi')).toContain('·');
});

test('contexts are counted', () => {
  const text = contextTable([finding(), finding({}, other)]);
  expect(cellsOf(text, 'direct')[3]).toBe('task, irqs on, user (2)');
});

test('what is not as claimed is listed, and a report says how much was run', () => {
  expect(faultList([finding()])).toBe('Everything was as the catalogue claims.');
  expect(faultList([finding({ faults: ['a', 'b'] })])).toBe(`- ${finding().id}: a; b`);
  expect(kernelReport('6.1', [finding()])).toContain(`1 of the ${pairs('6.1').length} pairs`);
});

test('a table survives its own separators', () => {
  expect(
    table(['a', 'b'], [['x|y', 'z']])
      .split('\n')
      .at(-1),
  ).toBe('| x\\|y | z   |');
});
