/** Texts and values that break careless code. */
import type { Random } from './random.ts';

/** A tag that no page has by itself: where an answer shows it unescaped, text of a stranger became markup. */
export const markupMarker = '<fuzz';

const texts: readonly [string, ...string[]] = [
  '',
  ' ',
  '0',
  '-1',
  '1e400',
  'NaN',
  'null',
  'undefined',
  'true',
  '[object Object]',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  '%00',
  '\u0000',
  '\r\nx-injected: 1',
  '\n',
  "' or '1'='1",
  "'; drop table reports; --",
  '") union select payload from report_bodies --',
  '%',
  '_',
  `${markupMarker}>`,
  `"><img src=x onerror=alert(1)>${markupMarker} x="`,
  `]]>${markupMarker}/>`,
  `</pre></code>${markupMarker}>`,
  '&bogus;',
  '{{7*7}}',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as an attacker writes it
  '${7*7}',
  '=cmd|calc!A0',
  '\ud800',
  '\udc00x',
  '\ufeff',
  '\u202e',
  '\u0130\u0131',
  '\u{1f4a9}',
  'e\u0301',
  '\uffff',
  '٣',
  '１',
  '0x1',
  '1_000',
  '2026-02-30T00:00:00.000Z',
  '+275760-09-13T00:00:00.000Z',
  '9999-12-31T23:59:59.999Z',
  '0000-01-01T00:00:00.000Z',
  '99999999999999999999',
  '999999999999999',
];

/** One hostile text; rarely a huge one. */
export function hostileText(random: Random): string {
  if (random.chance(0.04))
    return random.pick(['x', '\u{1f4a9}', "'", '0', '\\']).repeat(1 + random.below(20_000));
  const text = random.pick(texts);
  return random.chance(0.1) ? text + random.pick(texts) : text;
}

/** Nested so deep that careless recursion overflows. */
function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** One hostile value of any type. */
export function hostileValue(random: Random): unknown {
  return random.weighted<() => unknown>([
    [6, () => hostileText(random)],
    [1, () => null],
    [1, () => random.chance(0.5)],
    [2, () => random.pick([0, -0, -1, 1, 0.5, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 5e-324])],
    [1, () => []],
    [1, () => ({})],
    [0.3, () => nested(random.below(1500))],
    [0.3, () => Array.from({ length: random.below(2000) }, (_, i) => i)],
    [0.5, () => JSON.parse('{"toString":"x","length":-1,"then":null,"constructor":{}}')],
  ])();
}
