/** The envelope against DSSE's published vector, and the texts that signatures and hashes cover. */
import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fromBase64, toHex, utf8 } from './bytes.ts';
import {
  envelope,
  hashInput,
  leadingZeroBits,
  ownerStatement,
  payloadKinds,
  payloadType,
  preAuthEncoding,
  workInput,
} from './envelope.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe('pre-authentication encoding', () => {
  // github.com/secure-systems-lab/dsse, protocol.md, "Test Vectors".
  const published = {
    type: 'http://example.com/HelloWorld',
    payload: 'hello world',
    encoding: 'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    key: {
      x: '46950820868899156662930047687818585632848591499744589407958293238635476079160',
      y: '5640078356564379163099075877009565129882514886557779369047442380624545832820',
    },
    signature: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==',
  };

  it("is DSSE's", () => {
    expect(text(preAuthEncoding(published.type, utf8(published.payload)))).toBe(published.encoding);
  });

  it("is what DSSE's published signature covers", () => {
    const coordinate = (decimal: string) =>
      Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url');
    const key = createPublicKey({
      format: 'jwk',
      key: { kty: 'EC', crv: 'P-256', x: coordinate(published.key.x), y: coordinate(published.key.y) },
    });
    const covered = preAuthEncoding(published.type, utf8(published.payload));
    const signature = fromBase64(published.signature);
    expect(verify('sha256', covered, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true);
  });

  it('counts bytes, not characters', () => {
    expect(text(preAuthEncoding('é', utf8('€')))).toBe('DSSEv1 2 é 3 €');
    expect(text(preAuthEncoding('', utf8('')))).toBe('DSSEv1 0  0 ');
  });

  it('differs for every other pair of type and payload', () => {
    const pair = fc.tuple(fc.string({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }));
    fc.assert(
      fc.property(pair, pair, ([type, payload], [otherType, otherPayload]) => {
        const isSame = type === otherType && toHex(payload) === toHex(otherPayload);
        const encodings = [preAuthEncoding(type, payload), preAuthEncoding(otherType, otherPayload)];
        expect(toHex(encodings[0] ?? payload) === toHex(encodings[1] ?? payload)).toBe(isSame);
      }),
    );
  });
});

test('what is hashed or signed for one purpose is never that of another', () => {
  const key = new Uint8Array(32).fill(7);
  const inputs = [
    ...payloadKinds.map((kind) => hashInput(kind, key, utf8('{}'))),
    ownerStatement(key),
    workInput(key, 0),
    workInput(key, 1),
    ...payloadKinds.map((kind) => preAuthEncoding(payloadType(kind), utf8('{}'))),
  ].map(toHex);
  expect(new Set(inputs).size).toBe(inputs.length);
  for (const input of inputs) {
    expect(inputs.filter((other) => other.startsWith(input))).toHaveLength(1);
  }
});

test('the hash of a report covers its name, 32 bytes of key, and the payload', () => {
  const input = hashInput('report', new Uint8Array(32).fill(0x41), utf8('{"a":1}'));
  expect(text(input)).toBe(`dumpsurvey/report/v1\n${'A'.repeat(32)}{"a":1}`);
  expect(payloadType('report')).toBe('application/vnd.dumpsurvey.report.v1+json');
});

test.each([
  [[], 0],
  [[0], 8],
  [[0, 0, 0], 24],
  [[0xff], 0],
  [[0x80], 0],
  [[0x7f], 1],
  [[0x01], 7],
  [[0, 0x80], 8],
  [[0, 0, 0x01, 0xff], 23],
])('%j begins with %i zero bits', (bytes, count) => {
  expect(leadingZeroBits(new Uint8Array(bytes))).toBe(count);
});

describe('an envelope is refused', () => {
  const signature = { keyid: 'ab'.repeat(32), sig: 'QQ==' };
  const good = { payload: 'e30=', payloadType: payloadType('armed'), signatures: [signature] };

  it('but not as it should be', () => {
    expect(envelope.parse(good)).toEqual(good);
  });

  it.each<[string, object]>([
    ['without signature', { ...good, signatures: [] }],
    ['with two signatures', { ...good, signatures: [signature, signature] }],
    ['with an empty payload', { ...good, payload: '' }],
    ['with an unknown field', { ...good, note: '' }],
    ['with an unknown field in the signature', { ...good, signatures: [{ ...signature, cert: '' }] }],
    ['with a key in upper case', { ...good, signatures: [{ ...signature, keyid: 'AB'.repeat(32) }] }],
    ['with a short key', { ...good, signatures: [{ ...signature, keyid: 'ab'.repeat(31) }] }],
    ['with a key and a line end', { ...good, signatures: [{ ...signature, keyid: `${'ab'.repeat(32)}\n` }] }],
  ])('%s', (_, value) => {
    expect(envelope.safeParse(value).success).toBe(false);
  });
});
