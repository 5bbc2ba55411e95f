import fc from 'fast-check';
import { expect, it } from 'vitest';
import { differencesOf } from './differences.ts';

it('names each place where two values differ', () => {
  const expected = { a: 1, b: { c: [1, 2], d: null }, e: 'x' };
  const found = { a: 1, b: { c: [1, 3, 4], d: null }, f: 'x' };
  expect(differencesOf(expected, found)).toEqual([
    { path: 'b.c.1', expected: '2', found: '3' },
    { path: 'b.c.2', expected: 'nothing', found: '4' },
    { path: 'e', expected: '"x"', found: 'nothing' },
    { path: 'f', expected: 'nothing', found: '"x"' },
  ]);
  expect(differencesOf([], {})).toEqual([{ path: '', expected: '[]', found: '{}' }]);
});

it('names none exactly where two values of JSON are the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
      const copy: unknown = JSON.parse(JSON.stringify(a));
      expect(differencesOf(copy, JSON.parse(JSON.stringify(a)))).toEqual([]);
      const differ = differencesOf(copy, JSON.parse(JSON.stringify(b))).length > 0;
      expect(differ).toBe(canonical(a) !== canonical(b));
    }),
  );
});

/** One text for each value, whatever the order of names. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
