import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { concat, fromBase64, fromHex, toBase64, toHex, utf8 } from './bytes.ts';

const bytes = fc.uint8Array({ maxLength: 300 });

describe('one value has one encoding', () => {
  it('bytes survive hexadecimal and base64, and both agree with Buffer', () => {
    fc.assert(
      fc.property(bytes, (value) => {
        expect(fromHex(toHex(value))).toEqual(value);
        expect(fromBase64(toBase64(value))).toEqual(value);
        expect(toHex(value)).toBe(Buffer.from(value).toString('hex'));
        expect(toBase64(value)).toBe(Buffer.from(value).toString('base64'));
      }),
    );
  });

  it('text that decodes is the text that encoding gives', () => {
    const text = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.stringMatching(/^[0-9a-fA-F]{0,20}$/),
      fc.stringMatching(/^[A-Za-z0-9+/]{0,12}={0,3}$/),
      fc.stringMatching(/^[A-Za-z0-9_-]{0,12}[ \n]?$/),
    );
    for (const [decode, encode] of [
      [fromHex, toHex],
      [fromBase64, toBase64],
    ] as const) {
      fc.assert(
        fc.property(text, (t) => {
          let decoded: Uint8Array;
          try {
            decoded = decode(t);
          } catch (error) {
            expect(error).toBeInstanceOf(RangeError);
            return;
          }
          expect(encode(decoded)).toBe(t);
        }),
      );
    }
  });

  test.each(['0', 'AB', '0x00', 'zz', '00 ', '00\n', ' 00'])('%j is not hexadecimal', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });

  // RFC 4648 section 4 has padding; "QR" and "QQ" would both give the byte 0x41.
  test.each(['QQ', 'QQ=', 'QR==', 'QQ==\n', ' QQ==', 'Q===', '=', '-_8=', 'QQ==QQ==', 'é'])(
    '%j is not canonical base64',
    (text) => {
      expect(() => fromBase64(text)).toThrow(RangeError);
    },
  );
});

test('base64 of more bytes than a call has arguments', () => {
  const large = new Uint8Array(300_000).map((_, i) => i * 7);
  expect(toBase64(large)).toBe(Buffer.from(large).toString('base64'));
});

test('concat keeps order, and takes nothing', () => {
  expect(concat(utf8('a'), new Uint8Array(), utf8('é'))).toEqual(new Uint8Array([0x61, 0xc3, 0xa9]));
  expect(concat()).toEqual(new Uint8Array());
});
