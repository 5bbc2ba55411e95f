/**
 * The curve of Ed25519, slow and in the open (RFC 8032 section 5.1), written out to check what vectors and tables
 * claim. It keeps nothing secret and checks nothing strictly: it decodes also what is not canonical.
 */
import { createHash } from 'node:crypto';
import { groupOrder, littleEndian } from '../../schema/ed25519.ts';

/** The field prime. */
export const p = (1n << 255n) - 19n;

export const mod = (a: bigint): bigint => ((a % p) + p) % p;

function power(base: bigint, exponent: bigint): bigint {
  let [result, b] = [1n, mod(base)];
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = mod(result * b);
    b = mod(b * b);
  }
  return result;
}

export const inverse = (a: bigint): bigint => power(a, p - 2n);

const d = mod(-121665n * inverse(121666n));

/** Extended coordinates X, Y, Z, T (section 5.1.4). */
export type Point = readonly [bigint, bigint, bigint, bigint];

export const identity: Point = [0n, 1n, 1n, 0n];

const affine = (x: bigint, y: bigint): Point => [x, y, 1n, mod(x * y)];

/** The even x of a point with this y, or null where the curve has none. */
function evenX(y: bigint): bigint | null {
  const square = mod((y * y - 1n) * inverse(mod(d * y * y + 1n)));
  const root = power(square, (p + 3n) / 8n);
  for (const x of [root, mod(root * power(2n, (p - 1n) / 4n))]) {
    if (mod(x * x) === square) return x & 1n ? mod(-x) : x;
  }
  return null;
}

/** A point with this y, or null where the curve has none. */
export function pointOf(y: bigint): Point | null {
  const x = evenX(mod(y));
  return x === null ? null : affine(x, mod(y));
}

/** The point of 32 bytes, also where y is p or more or x is a negative zero. */
export function decode(bytes: Uint8Array): Point | null {
  const encoded = littleEndian(bytes);
  const point = pointOf(encoded & ((1n << 255n) - 1n));
  return point && encoded >> 255n ? negative(point) : point;
}

/** 32 bytes, least significant first. */
export function toLittleEndian(value: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

/** The one canonical encoding of a point. */
export function encode([X, Y, Z]: Point): Uint8Array<ArrayBuffer> {
  const [x, y] = [mod(X * inverse(Z)), mod(Y * inverse(Z))];
  return toLittleEndian(y | ((x & 1n) << 255n));
}

export const negative = ([X, Y, Z, T]: Point): Point => [mod(-X), Y, Z, mod(-T)];

export function add([X1, Y1, Z1, T1]: Point, [X2, Y2, Z2, T2]: Point): Point {
  const [a, b] = [mod((Y1 - X1) * (Y2 - X2)), mod((Y1 + X1) * (Y2 + X2))];
  const [c, e] = [mod(2n * d * T1 * T2), mod(2n * Z1 * Z2)];
  const [E, F, G, H] = [b - a, e - c, e + c, b + a];
  return [mod(E * F), mod(G * H), mod(F * G), mod(E * H)];
}

export function multiply(n: bigint, point: Point): Point {
  let [result, doubled] = [identity, point];
  for (let e = n; e > 0n; e >>= 1n) {
    if (e & 1n) result = add(result, doubled);
    doubled = add(doubled, doubled);
  }
  return result;
}

export const same = ([X1, Y1, Z1]: Point, [X2, Y2, Z2]: Point): boolean =>
  mod(X1 * Z2) === mod(X2 * Z1) && mod(Y1 * Z2) === mod(Y2 * Z1);

/** The base point, whose y is 4/5 and whose x is even. */
export const base = affine(evenX(mod(4n * inverse(5n))) ?? 0n, mod(4n * inverse(5n)));

/** S·B - k·A: the R that a signature should have. `hashedR` and `hashedKey` are the bytes that k is the hash of. */
export function recomputedR(
  key: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
  hashedR: Uint8Array = signature.subarray(0, 32),
  hashedKey: Uint8Array = key,
): Point {
  const digest = createHash('sha512').update(hashedR).update(hashedKey).update(message).digest();
  const point = decode(key);
  if (!point) throw new RangeError('the key is no point of the curve');
  const kA = multiply(littleEndian(digest) % groupOrder, point);
  return add(multiply(littleEndian(signature.subarray(32)), base), negative(kA));
}
