/** The verify path against tweetnacl's signatures and every encoding of a small-order point. Vectors: test/vectors. */
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../schema/bytes.ts';
import { groupOrder, littleEndian, verifies } from '../../schema/ed25519.ts';
import {
  add,
  encode,
  identity,
  multiply,
  type Point,
  p,
  pointOf,
  same,
  toLittleEndian,
} from '../../test/vectors/edwards.ts';
import { faultOfKey, faultOfSignature } from './verify.ts';

/** The same signature with S + L for S. */
function malleated(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const other = new Uint8Array(signature);
  other.set(toLittleEndian(littleEndian(signature.subarray(32)) + groupOrder), 32);
  return other;
}

describe('signatures by tweetnacl', () => {
  it('verify under WebCrypto, and S + L is refused that tweetnacl itself accepts', async () => {
    const pair = nacl.sign.keyPair();
    const key = new Uint8Array(pair.publicKey);
    const message = utf8('a trial');
    const signature = new Uint8Array(nacl.sign.detached(message, pair.secretKey));
    expect(await verifies(key, signature, message)).toBe(true);
    const other = malleated(signature);
    expect(nacl.sign.detached.verify(message, other, key)).toBe(true);
    expect(faultOfSignature('sig', other)?.slug).toBe('malleable-signature');
  });

  it('are refused with an R of small order, in every encoding that can verify', () => {
    for (const point of torsion()) {
      const signature = new Uint8Array([...encode(point), ...new Uint8Array(32)]);
      expect(faultOfSignature('sig', signature)?.detail).toContain('R of small order');
    }
  });

  it.each([0, 63, 65])('of %i bytes are refused', (length) => {
    expect(faultOfSignature('sig', new Uint8Array(length))?.slug).toBe('wrong-signature');
  });
});

/** All points of order 8, 4, 2 and 1: what L times any point generates. */
function torsion(): Point[] {
  for (let y = 2n; ; y++) {
    const point = pointOf(y);
    if (point === null) continue;
    const generator = multiply(groupOrder, point);
    const points: Point[] = [identity];
    for (let q = generator; !same(q, identity); q = add(q, generator)) points.push(q);
    if (points.length === 8) return points;
  }
}

describe('keys of small order', () => {
  const points = torsion();
  const encodings = points.flatMap((point) => {
    const y = littleEndian(encode(point)) & ((1n << 255n) - 1n);
    return [y, y + p].filter((v) => v < 1n << 255n).flatMap((v) => [v, v + (1n << 255n)]);
  });

  it('are eight points, which three doublings bring to the identity', () => {
    for (const point of points) expect(same(multiply(8n, point), identity)).toBe(true);
    expect(new Set(points.map((point) => String(encode(point)))).size).toBe(8);
  });

  it('are refused in every encoding, also in those that are not canonical', () => {
    expect(new Set(encodings).size).toBe(14);
    for (const encoding of encodings) {
      expect(faultOfKey('key', toLittleEndian(encoding))?.slug).toBe('unacceptable-key');
    }
  });

  it('would let one signature fit every message: tweetnacl accepts it, and runtimes differ', () => {
    const key = encode(identity);
    const signature = new Uint8Array([...key, ...new Uint8Array(32)]);
    for (const message of ['one', 'another']) {
      expect(nacl.sign.detached.verify(utf8(message), signature, key)).toBe(true);
    }
  });

  it('are not confused with honest keys', () => {
    for (let i = 0; i < 50; i++) {
      expect(faultOfKey('key', nacl.sign.keyPair().publicKey)).toBeNull();
    }
  });
});

describe('keys that are not canonical', () => {
  it('are refused for every y from p to 2^255 - 1', () => {
    for (let y = p; y < 1n << 255n; y++) {
      expect(faultOfKey('key', toLittleEndian(y))?.slug).toBe('unacceptable-key');
    }
  });
});
