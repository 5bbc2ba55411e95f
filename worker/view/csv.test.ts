import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StatisticsAnswer } from '../../schema/statistics.ts';
import { csvText, renderCsv } from './csv.ts';
import { cell, home } from './sample.ts';

/** A reader by RFC 4180, section 2. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let rest = text;
  while (rest !== '') {
    const quoted = /^"((?:[^"]|"")*)"(,|\r\n)/.exec(rest);
    const field = quoted ?? /^([^",\r\n]*)(,|\r\n)/.exec(rest);
    if (field === null) throw new Error(`not CSV: ${JSON.stringify(rest.slice(0, 40))}`);
    row.push(quoted === null ? (field[1] ?? '') : (field[1] ?? '').replaceAll('""', '"'));
    if (field[2] === '\r\n') {
      rows.push(row);
      row = [];
    }
    rest = rest.slice(field[0].length);
  }
  return rows;
}

function answer(driver: string): StatisticsAnswer {
  return {
    edition: 3,
    population: 'lab',
    by: ['driver', 'crash_type'],
    cells: [
      { driver, crash_type: 'panic', ...cell(7, 8) },
      { driver, crash_type: 'bug', ...cell(0, 0) },
    ],
    note: home.note,
  };
}

test('columns are edition, population, groups, figures; no estimate is an empty field', () => {
  expect(renderCsv(answer('nvme'))).toBe(
    'edition,population,driver,crash_type,machines,trials,captured,no_reply,inconclusive,estimate,low,high\r\n' +
      '3,lab,nvme,panic,2,8,7,0,0,0.875,0.4735,0.9968\r\n' +
      '3,lab,nvme,bug,2,0,0,0,0,,,\r\n',
  );
});

test.each([
  ['=1+1', "'=1+1"],
  ['+cmd', "'+cmd"],
  ['-x', "'-x"],
  ['@SUM(A1)', "'@SUM(A1)"],
  [' =1', "' =1"],
  ['＝1', "'＝1"],
  ["'", "''"],
  ['a,b"c', '"a,b""c"'],
  ['\t=1', "'\t=1"],
  ['virtio_blk', 'virtio_blk'],
])('%j is written as %j', (text, written) => {
  expect(csvText(text)).toBe(written);
});

test('any name is read back, and none starts a formula', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      const rows = parseCsv(renderCsv(answer(name)));
      expect(rows.map((row) => row.length)).toEqual([12, 12, 12]);
      const field = rows[1]?.[2] ?? '';
      expect(field).not.toMatch(/^\s*[=+\-@]/);
      expect(field.replace(/^'/, '')).toBe(name);
    }),
  );
});
