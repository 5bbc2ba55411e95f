/**
 * Published vectors of Ed25519, run against every verifier of the project: WebCrypto as Node has it, WebCrypto as
 * workerd has it, and tweetnacl as the agent has it, each behind the strict checks of schema/ed25519.ts.
 */
import { fileURLToPath } from 'node:url';
import nacl from 'tweetnacl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unstable_startWorker } from 'wrangler';
import { fromHex, toHex } from '../../schema/bytes.ts';
import {
  groupOrder,
  keyFault,
  littleEndian,
  signatureFault,
  signerOf,
  verifies,
} from '../../schema/ed25519.ts';
import type { Question } from './edge-entry.ts';
import { add, decode, encode, identity, multiply, negative, recomputedR, same } from './edwards.ts';
import { verifiesStrictly } from './tweetnacl.ts';
import { vectorsIn } from './vectors.ts';

interface Signed {
  readonly key: string;
  readonly message: string;
  readonly signature: string;
}

interface Rfc8032 extends Signed {
  readonly name: string;
  readonly seed: string;
}

interface SpecCheck extends Signed {
  readonly id: number;
  readonly about: string;
  readonly boringssl: boolean;
  readonly tweetnacl: boolean;
  readonly strict: boolean;
  readonly why: string;
}

interface Wycheproof extends Signed {
  readonly tcId: number;
  readonly flag: string;
  readonly comment: string;
  readonly valid: boolean;
}

const rfc8032 = vectorsIn<{ vectors: Rfc8032[] }>('rfc8032').vectors;
const speccheck = vectorsIn<{ cases: SpecCheck[]; nonCanonicalR: { cases: Signed[] } }>('speccheck');
const wycheproof = vectorsIn<{ tests: Wycheproof[] }>('wycheproof').tests;

const bytesOf = ({ key, signature, message }: Signed) =>
  [fromHex(key), fromHex(signature), fromHex(message)] as const;

let worker: Awaited<ReturnType<typeof unstable_startWorker>>;

beforeAll(async () => {
  worker = await unstable_startWorker({
    config: fileURLToPath(new URL('../../wrangler.toml', import.meta.url)),
    entrypoint: fileURLToPath(new URL('edge-entry.ts', import.meta.url)),
    dev: {
      server: { hostname: '127.0.0.1', port: 0 },
      inspector: false,
      watch: false,
      persist: false,
      logLevel: 'error',
    },
  });
  await worker.ready;
});
afterAll(() => worker.dispose());

async function ask(questions: readonly Question[]): Promise<unknown[]> {
  const response = await fetch(await worker.url, { method: 'POST', body: JSON.stringify(questions) });
  expect(response.status).toBe(200);
  return (await response.json()) as unknown[];
}

type Verifier = (signed: readonly Signed[]) => Promise<unknown[]>;

const verifiers: readonly (readonly [string, Verifier])[] = [
  ['WebCrypto on Node', (signed) => Promise.all(signed.map((s) => verifies(...bytesOf(s))))],
  [
    'WebCrypto on workerd',
    (signed) => ask(signed.map(({ key, signature, message }) => ({ key, signature, message }))),
  ],
  ['tweetnacl', async (signed) => signed.map((s) => verifiesStrictly(...bytesOf(s)))],
];

describe.each(verifiers)('%s, strictly', (_, answers) => {
  it('verifies RFC 8032 section 7.1', async () => {
    expect(rfc8032.map(({ name }) => name)).toEqual(['1', '2', '3', '1024']);
    expect(await answers(rfc8032)).toEqual(rfc8032.map(() => true));
  });

  it('refuses RFC 8032 with any seventh bit of the signature flipped, and with another message', async () => {
    const changed = rfc8032.flatMap((vector) => {
      const flipped = Array.from({ length: 74 }, (_, i) => {
        const signature = fromHex(vector.signature);
        signature[(7 * i) >> 3] = (signature[(7 * i) >> 3] ?? 0) ^ (1 << ((7 * i) & 7));
        return { ...vector, signature: toHex(signature) };
      });
      return [...flipped, { ...vector, message: `00${vector.message}` }];
    });
    expect(await answers(changed)).toEqual(changed.map(() => false));
  });

  it('answers "Taming the many EdDSAs" as expected', async () => {
    expect(await answers(speccheck.cases)).toEqual(speccheck.cases.map(({ strict }) => strict));
    expect(await answers(speccheck.nonCanonicalR.cases)).toEqual([false, false]);
  });

  it('answers Wycheproof as expected', async () => {
    const given = await answers(wycheproof);
    expect(wycheproof.map(({ tcId }, i) => [tcId, given[i]])).toEqual(
      wycheproof.map(({ tcId, valid }) => [tcId, valid]),
    );
  });
});

describe('signing', () => {
  it('is what RFC 8032 says, under tweetnacl, under WebCrypto on Node and on workerd', async () => {
    const onWorkerd = await ask(rfc8032.map(({ seed, message }) => ({ seed, message })));
    for (const [i, { seed, key, message, signature }] of rfc8032.entries()) {
      const signer = await signerOf(fromHex(seed));
      expect(toHex(signer.publicKey)).toBe(key);
      expect(toHex(await signer.sign(fromHex(message)))).toBe(signature);
      expect(onWorkerd[i]).toEqual({ key, signature });
      const pair = nacl.sign.keyPair.fromSeed(fromHex(seed));
      expect(toHex(pair.publicKey)).toBe(key);
      expect(toHex(nacl.sign.detached(fromHex(message), pair.secretKey))).toBe(signature);
    }
  });

  it.each([0, 31, 33, 64])('needs a seed of 32 bytes, not %i', async (length) => {
    await expect(signerOf(new Uint8Array(length))).rejects.toThrow(RangeError);
  });
});

describe('what the vectors of "Taming the many EdDSAs" are', () => {
  it('tweetnacl and BoringSSL (under workerd) alone answer as the published table says', async () => {
    const unchecked = speccheck.cases.map(({ key, signature, message }) => ({
      key,
      signature,
      message,
      unchecked: true,
    }));
    expect(await ask(unchecked)).toEqual(speccheck.cases.map(({ boringssl }) => boringssl));
    for (const { id, tweetnacl, ...signed } of speccheck.cases) {
      const [key, signature, message] = bytesOf(signed);
      expect([id, nacl.sign.detached.verify(message, signature, key)]).toEqual([id, tweetnacl]);
    }
  });

  it('each passes the equation with the cofactor, hashed as it is or reduced first', () => {
    for (const signed of [...speccheck.cases, ...speccheck.nonCanonicalR.cases]) {
      const [key, signature, message] = bytesOf(signed);
      const [R, A] = [decode(signature.subarray(0, 32)), decode(key)];
      if (!R || !A) throw new Error('a point of the vectors is none');
      const passes = [
        recomputedR(key, signature, message),
        recomputedR(key, signature, message, encode(R)),
        recomputedR(key, signature, message, signature.subarray(0, 32), encode(A)),
      ].map((recomputed) => same(multiply(8n, add(recomputed, negative(R))), identity));
      expect(passes).toContain(true);
    }
  });

  it('each is refused for its key, its S, its R, or the equation without the cofactor', () => {
    for (const { id, strict, why, ...signed } of speccheck.cases) {
      const [key, signature, message] = bytesOf(signed);
      const holds = toHex(encode(recomputedR(key, signature, message))) === signed.signature.slice(0, 64);
      const reason =
        (keyFault(key) && `the key is of ${keyFault(key)?.replace('-', ' ')}`) ??
        (signatureFault(signature) === 'malleable' ? 'S is not less than L' : null) ??
        (signatureFault(signature) === 'small-order' ? 'R is of small order' : null) ??
        (holds ? null : 'the equation without cofactor does not hold');
      expect([id, reason === null]).toEqual([id, strict]);
      if (!strict) expect([id, reason]).toEqual([id, why]);
    }
  });
});

describe("what Wycheproof's vectors are", () => {
  const byId = new Map(wycheproof.map((test) => [test.tcId, test]));
  const scalar = ({ signature }: Signed) => littleEndian(fromHex(signature).subarray(32));

  it('malleable ones are the same scalar but for multiples of L, which tweetnacl alone accepts', () => {
    const valid = byId.get(3) as Wycheproof;
    for (const [tcId, multiple] of [
      [63, 1n],
      [64, 2n],
      [65, 4n],
      [66, 8n],
    ] as const) {
      const test = byId.get(tcId) as Wycheproof;
      expect(scalar(test) - scalar(valid)).toBe(multiple * groupOrder);
      const [key, signature, message] = bytesOf(test);
      expect(nacl.sign.detached.verify(message, signature, key)).toBe(true);
    }
  });

  it('those with another encoding of R differ from what is recomputed in that encoding only', () => {
    const valid = byId.get(5) as Wycheproof;
    const modified = wycheproof.filter(({ flag }) => flag === 'InvalidEncoding');
    expect(modified).toHaveLength(10);
    for (const test of modified) {
      expect(toHex(encode(recomputedR(...bytesOf(test))))).toBe(valid.signature.slice(0, 64));
    }
  });

  it('S stands just below L and just above it', () => {
    expect(scalar(byId.get(84) as Wycheproof)).toBeLessThan(groupOrder);
    expect(scalar(byId.get(85) as Wycheproof)).toBeGreaterThan(groupOrder);
  });
});
