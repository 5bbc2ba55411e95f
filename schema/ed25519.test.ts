/** The bounds of what is accepted. Published vectors are in test/vectors. */
import nacl from 'tweetnacl';
import { describe, expect, it, test } from 'vitest';
import {
  base,
  encode,
  identity,
  multiply,
  p,
  pointOf,
  same,
  toLittleEndian,
} from '../test/vectors/edwards.ts';
import { groupOrder, keyFault, littleEndian, signatureFault } from './ed25519.ts';

describe('keyFault', () => {
  it('names the points that three doublings bring to the identity, whichever sign they have', () => {
    const order8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
    for (const y of [0n, 1n, p - 1n, order8, p - order8]) {
      expect(same(multiply(8n, pointOf(y) ?? base), identity)).toBe(true);
      expect(keyFault(toLittleEndian(y))).toBe('small-order');
      expect(keyFault(toLittleEndian(y | (1n << 255n)))).toBe('small-order');
    }
  });

  it('takes the base point and every key of tweetnacl, none of which three doublings bring to the identity', () => {
    expect(keyFault(encode(base))).toBeNull();
    expect(same(multiply(8n, base), identity)).toBe(false);
    expect(same(multiply(groupOrder, base), identity)).toBe(true);
    for (let i = 0; i < 20; i++) {
      expect(keyFault(nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(i)).publicKey)).toBeNull();
    }
  });

  test.each<[string, bigint, ReturnType<typeof keyFault>]>([
    ['p - 2', p - 2n, null],
    ['p', p, 'non-canonical'],
    ['p + 1', p + 1n, 'non-canonical'],
    ['the largest', 2n ** 255n - 1n, 'non-canonical'],
    ['the largest with its sign', 2n ** 256n - 1n, 'non-canonical'],
  ])('y = %s', (_, y, fault) => {
    expect(keyFault(toLittleEndian(y))).toBe(fault);
  });

  test.each([0, 31, 33])('%i bytes', (length) => {
    expect(keyFault(new Uint8Array(length).fill(9))).toBe('length');
  });
});

test.each<[string, bigint, ReturnType<typeof signatureFault>]>([
  ['0', 0n, null],
  ['L - 1', groupOrder - 1n, null],
  ['L', groupOrder, 'malleable'],
  ['L + 1', groupOrder + 1n, 'malleable'],
  ['2^256 - 1', 2n ** 256n - 1n, 'malleable'],
])('S = %s', (_, s, fault) => {
  const signature = new Uint8Array(64).fill(0xff);
  signature.set(toLittleEndian(s), 32);
  expect(littleEndian(signature.subarray(32))).toBe(s);
  expect(signatureFault(signature)).toBe(fault);
  expect(signatureFault(signature.subarray(1))).toBe('length');
});

test('an R of small order is named', () => {
  for (const y of [0n, 1n, p - 1n]) {
    const signature = new Uint8Array(64);
    signature.set(toLittleEndian(y));
    expect(signatureFault(signature)).toBe('small-order');
  }
});

test('S + L is malleable for what tweetnacl signs, and tweetnacl accepts it', () => {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(1));
  const message = new Uint8Array([1, 2, 3]);
  const signature = nacl.sign.detached(message, secretKey);
  expect(signatureFault(signature)).toBeNull();
  const other = new Uint8Array(signature);
  other.set(toLittleEndian(littleEndian(signature.subarray(32)) + groupOrder), 32);
  expect(nacl.sign.detached.verify(message, other, publicKey)).toBe(true);
  expect(signatureFault(other)).toBe('malleable');
});
