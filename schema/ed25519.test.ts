/** The bounds of what is accepted. Vectors and points of small order are in worker/admit/verify.test.ts. */
import nacl from 'tweetnacl';
import { describe, expect, it, test } from 'vitest';
import { groupOrder, keyFault, littleEndian, signatureFault } from './ed25519.ts';

const p = 2n ** 255n - 19n;

function encoded(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

/** -x² + y² = 1 + dx²y², affine (RFC 8032 section 5.1). */
const d = (-121665n * inverse(121666n)) % p;

function mod(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let b = mod(base), e = exponent; e > 0n; e >>= 1n, b = mod(b * b))
    if (e & 1n) result = mod(result * b);
  return result;
}

function inverse(value: bigint): bigint {
  return power(value, p - 2n);
}

/** x of a point with this y, or null where the curve has none (RFC 8032 section 5.1.3). */
function xOf(y: bigint): bigint | null {
  const square = mod((y * y - 1n) * inverse(mod(d * y * y + 1n)));
  const root = power(square, (p + 3n) / 8n);
  for (const x of [root, mod(root * power(2n, (p - 1n) / 4n))]) if (mod(x * x) === square) return x;
  return null;
}

function double([x, y]: readonly [bigint, bigint]): readonly [bigint, bigint] {
  const t = mod(d * x * x * y * y);
  return [mod(2n * x * y * inverse(mod(1n + t))), mod((y * y + x * x) * inverse(mod(1n - t)))];
}

describe('keyFault', () => {
  it('names the points that three doublings bring to the identity, whichever sign they have', () => {
    const order8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;
    for (const y of [0n, 1n, p - 1n, order8, p - order8]) {
      const x = xOf(y);
      expect(x).not.toBeNull();
      expect(double(double(double([x ?? 0n, y])))).toEqual([0n, 1n]);
      expect(keyFault(encoded(y))).toBe('small-order');
      expect(keyFault(encoded(y | (1n << 255n)))).toBe('small-order');
    }
  });

  it('takes the base point and every key of tweetnacl, none of which three doublings bring to the identity', () => {
    const base = mod(4n * inverse(5n));
    expect(keyFault(encoded(base))).toBeNull();
    expect(double(double(double([xOf(base) ?? 0n, base])))).not.toEqual([0n, 1n]);
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
    expect(keyFault(encoded(y))).toBe(fault);
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
  signature.set(encoded(s), 32);
  expect(littleEndian(signature.subarray(32))).toBe(s);
  expect(signatureFault(signature)).toBe(fault);
  expect(signatureFault(signature.subarray(1))).toBe('length');
});

test('S + L is malleable for what tweetnacl signs, and tweetnacl accepts it', () => {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(1));
  const message = new Uint8Array([1, 2, 3]);
  const signature = nacl.sign.detached(message, secretKey);
  expect(signatureFault(signature)).toBeNull();
  const other = new Uint8Array(signature);
  other.set(encoded(littleEndian(signature.subarray(32)) + groupOrder), 32);
  expect(nacl.sign.detached.verify(message, other, publicKey)).toBe(true);
  expect(signatureFault(other)).toBe('malleable');
});
