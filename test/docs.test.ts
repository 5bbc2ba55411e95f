/** The tables of docs/kernel-module.md against the catalogue and the module's own table: they must not drift apart. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { contextsOf, crashPoints } from '../schema/crash-point.ts';
import { crashTypes } from '../schema/crash-type.ts';
import { namesOf } from '../schema/vocabulary.ts';
import { tableUnder } from './page-table.ts';

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const page = read('docs/kernel-module.md');

const listed = (names: readonly string[]) => names.join(', ');
const orNone = (name: string | null) => name ?? '–';

function byFirst(rows: readonly (readonly (string | undefined)[])[]) {
  return rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
}

it('the crash points are those of the catalogue', () => {
  const interrupts = (off: boolean | null) => (off === null ? 'both' : off ? 'off' : 'on');
  const catalogue = namesOf(crashPoints).map((name) => {
    const { irqsOff, maySleep, needs, stimulus } = crashPoints[name];
    const contexts = [false, true].map((realtime) => listed(contextsOf(name, realtime)));
    return [name, ...contexts, interrupts(irqsOff), maySleep ? 'yes' : 'no', orNone(needs), stimulus];
  });
  const written = tableUnder(page, '## 4. Crash points').map(([name, , ...rest]) => [name, ...rest]);
  expect(byFirst(written)).toEqual(byFirst(catalogue));
});

it('they are hit by what the module names', () => {
  const rows = [...read('kmod/points.c').matchAll(/\.name = "([^"]+)"([^{}]*)/g)];
  const tracepoints = rows.map(([, name, row]) => [name, /\.tracepoint = "([^"]+)"/.exec(row ?? '')?.[1]]);
  const written = tableUnder(page, '## 4. Crash points').map(([name, by]) => [
    name,
    /^tracepoint (\w+)/.exec(by ?? '')?.[1],
  ]);
  expect(byFirst(written)).toEqual(byFirst(tracepoints));
});

it('the crash types are those of the catalogue', () => {
  const catalogue = namesOf(crashTypes).map((name) => {
    const { detector, sysctls, contexts, safety } = crashTypes[name];
    const set = Object.entries(sysctls).map(
      ([key, to]) => `${key.includes('.') ? key : `kernel.${key}`}=${to}`,
    );
    return [name, detector, listed(set) || '–', listed(contexts), safety];
  });
  const table = tableUnder(page, '## 5. Crash types');
  const written = table.map(([name, , detector, sysctls, , ...rest]) => [name, detector, sysctls, ...rest]);
  expect(byFirst(written)).toEqual(byFirst(catalogue));
  for (const [name, , , , log] of table) expect(log).toMatch(crashTypes[name as keyof typeof crashTypes].log);
});

it('LKDTT and LKDTM are named as in the catalogue', () => {
  const points = tableUnder(page, '### Points').map((cells) => [cells.at(-1), cells[0]]);
  const types = tableUnder(page, '### Types').map(([lkdtt, lkdtm, name]) => [name, lkdtt, lkdtm]);
  const old = namesOf(crashPoints).map((name) => [name, orNone(crashPoints[name].lkdtt)]);
  expect(byFirst(points)).toEqual(byFirst(old.filter(([name, lkdtt]) => lkdtt !== '–' || name === 'direct')));
  expect(byFirst(types)).toEqual(
    byFirst(
      namesOf(crashTypes).map((name) => {
        const { lkdtt, lkdtm } = crashTypes[name];
        return [name, orNone(lkdtt), orNone(lkdtm)];
      }),
    ),
  );
});
