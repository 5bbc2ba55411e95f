import { describe, expect, it } from 'vitest';
import { utf8 } from '../../schema/bytes.ts';
import { decodeUtf8, depthMax, JsonFault, parseJson, TooDeep } from './json.ts';

describe('parseJson', () => {
  it.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"x":{"a":1,"b":[],"a":{}}}]',
    '{"a\\"b":1,"a\\"b":1}',
    '{"__proto__":1}',
    '{"a":{"\\u005f_proto__":{}}}',
  ])('refuses %s, which readers understand differently', (text) => {
    expect(() => parseJson(text)).toThrow(JsonFault);
  });

  it.each([
    '{"a":"a","b":"a","c":{"a":["a","a"]}}',
    '[{"a":1},{"a":2}]',
    '{"a":"\\"a\\":1,\\"a\\":2"}',
    '{"":1," ":2}',
    '"a"',
    '{"a":{"b":1},"b":2}',
    '[["a","a"],"a"]',
  ])('takes %s', (text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it.each(['', '{', '{"a":}', "{'a':1}", 'undefined', '{"a":1}x', '\u0000', 'NaN'])('refuses %j', (text) => {
    expect(() => parseJson(text)).toThrow(JsonFault);
  });

  it.each([
    ['arrays', '[', '1', ']'],
    ['objects', '{"a":', '1', '}'],
  ])('takes %s of as many levels as are allowed, and not one more', (_, open, value, close) => {
    const nested = (levels: number) => open.repeat(levels) + value + close.repeat(levels);
    expect(parseJson(nested(depthMax))).toBeInstanceOf(Object);
    expect(() => parseJson(nested(depthMax + 1))).toThrow(TooDeep);
    expect(() => parseJson(nested(200_000))).toThrow(TooDeep);
    expect(() => parseJson(open.repeat(200_000))).toThrow(TooDeep);
  });

  it('does not take brackets in strings for levels, nor many beside each other', () => {
    const text = JSON.stringify({
      a: '[{'.repeat(1000),
      '\\"[[[': `\\${'"['.repeat(100)}`,
      b: Array(1000).fill([[]]),
    });
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  it('takes a long text in a time that grows with its length', () => {
    const text = JSON.stringify({ a: '\\"'.repeat(200_000), b: 'x'.repeat(400_000) });
    const start = performance.now();
    parseJson(text);
    for (const broken of ['"\\"'.repeat(130_000), '"'.repeat(500_001), '\\'.repeat(500_000)]) {
      expect(() => parseJson(broken)).toThrow(JsonFault);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

describe('decodeUtf8', () => {
  it.each([[[0xff]], [[0xc0, 0x80]], [[0xed, 0xa0, 0x80]], [[0xf4, 0x90, 0x80, 0x80]], [[0xe2, 0x82]]])(
    'refuses %j',
    (bytes) => {
      expect(() => decodeUtf8(new Uint8Array(bytes))).toThrow(JsonFault);
    },
  );

  it('keeps a byte order mark, so that it is no JSON', () => {
    expect(() => parseJson(decodeUtf8(utf8('\ufeff{}')))).toThrow(JsonFault);
  });
});
