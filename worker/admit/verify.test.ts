/** The verify path against RFC 8032's vectors, tweetnacl's signatures, and every encoding of a small-order point. */
import { readFileSync } from 'node:fs';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../../schema/bytes.ts';
import { groupOrder, littleEndian, verifies } from '../../schema/ed25519.ts';
import { faultOfKey, faultOfSignature } from './verify.ts';

interface Vector {
  readonly name: string;
  readonly seed: string;
  readonly key: string;
  readonly message: string;
  readonly signature: string;
}

const vectorsFile = new URL('../../test/http/rfc8032.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(vectorsFile, 'utf8')) as { vectors: Vector[] };

function toLittleEndian(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
  return bytes;
}

/** The same signature with S + L for S. */
function malleated(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const other = new Uint8Array(signature);
  other.set(toLittleEndian(littleEndian(signature.subarray(32)) + groupOrder), 32);
  return other;
}

describe('RFC 8032 section 7.1', () => {
  it.each(vectors)('TEST $name verifies, and is what tweetnacl signs', async (vector) => {
    const [key, message, signature] = [
      fromHex(vector.key),
      fromHex(vector.message),
      fromHex(vector.signature),
    ];
    expect(faultOfKey('key', key)).toBeNull();
    expect(faultOfSignature('sig', signature)).toBeNull();
    expect(await verifies(key, signature, message)).toBe(true);
    const pair = nacl.sign.keyPair.fromSeed(fromHex(vector.seed));
    expect(toHex(nacl.sign.detached(message, pair.secretKey))).toBe(vector.signature);
  });

  it.each(vectors)('TEST $name does not verify with any one bit flipped', async (vector) => {
    const [key, message, signature] = [
      fromHex(vector.key),
      fromHex(vector.message),
      fromHex(vector.signature),
    ];
    for (let bit = 0; bit < 512; bit += 7) {
      const flipped = new Uint8Array(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(await verifies(key, flipped, message)).toBe(false);
    }
    if (message.length === 0) return;
    message[0] = (message[0] ?? 0) ^ 1;
    expect(await verifies(key, signature, message)).toBe(false);
  });
});

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

  it.each([0, 63, 65])('of %i bytes are refused', (length) => {
    expect(faultOfSignature('sig', new Uint8Array(length))?.slug).toBe('wrong-signature');
  });
});

/** Edwards curve arithmetic, slow and in the open (RFC 8032 section 5.1): only to prove the table of small orders. */
const p = (1n << 255n) - 19n;
const mod = (a: bigint) => ((a % p) + p) % p;
function power(base: bigint, exponent: bigint): bigint {
  let [result, b] = [1n, mod(base)];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * b);
    b = mod(b * b);
  }
  return result;
}
const inverse = (a: bigint) => power(a, p - 2n);
const d = mod(-121665n * inverse(121666n));

type Point = readonly [bigint, bigint];

function add([x1, y1]: Point, [x2, y2]: Point): Point {
  const k = mod(d * x1 * x2 * y1 * y2);
  return [mod((x1 * y2 + x2 * y1) * inverse(1n + k)), mod((y1 * y2 + x1 * x2) * inverse(1n - k))];
}

/** An x with this y, or null where the curve has none. */
function xOf(y: bigint): bigint | null {
  const square = mod((y * y - 1n) * inverse(mod(d * y * y + 1n)));
  let x = power(square, (p + 3n) / 8n);
  if (mod(x * x - square) !== 0n) x = mod(x * power(2n, (p - 1n) / 4n));
  return mod(x * x - square) === 0n ? x : null;
}

/** All points of order 8, 4, 2 and 1: what L times any point generates. */
function torsion(): Point[] {
  const identity: Point = [0n, 1n];
  const multiple = (n: bigint, point: Point): Point => {
    let [result, doubled] = [identity, point];
    for (let e = n; e > 0n; e >>= 1n) {
      if (e & 1n) result = add(result, doubled);
      doubled = add(doubled, doubled);
    }
    return result;
  };
  for (let y = 2n; ; y++) {
    const x = xOf(y);
    if (x === null) continue;
    const generator = multiple(groupOrder, [x, y]);
    const points: Point[] = [identity];
    for (let q = generator; q[0] !== 0n || q[1] !== 1n; q = add(q, generator)) points.push(q);
    if (points.length === 8) return points;
  }
}

describe('keys of small order', () => {
  const points = torsion();
  const encodings = points.flatMap(([, y]) =>
    [y, y + p].filter((v) => v < 1n << 255n).flatMap((v) => [v, v + (1n << 255n)]),
  );

  it('are eight points, which three doublings bring to the identity', () => {
    for (const point of points) {
      const [two, four] = [add(point, point), add(add(point, point), add(point, point))];
      expect(two).toBeDefined();
      expect(add(four, four)).toEqual([0n, 1n]);
    }
    expect(new Set(points.map(String)).size).toBe(8);
  });

  it('are refused in every encoding, also in those that are not canonical', () => {
    expect(new Set(encodings).size).toBe(14);
    for (const encoding of encodings) {
      expect(faultOfKey('key', toLittleEndian(encoding))?.slug).toBe('unacceptable-key');
    }
  });

  it('would let one signature fit every message: tweetnacl accepts it, and runtimes differ', () => {
    const identity = toLittleEndian(1n);
    const signature = new Uint8Array([...identity, ...new Uint8Array(32)]);
    for (const message of ['one', 'another']) {
      expect(nacl.sign.detached.verify(utf8(message), signature, identity)).toBe(true);
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
