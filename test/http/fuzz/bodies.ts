/** Signed bodies: envelopes around payloads, signed well in half of the cases, and changed at every level. */
import { utf8 } from '../../../schema/bytes.ts';
import type { Envelope } from '../../../schema/envelope.ts';
import { bodyMaxBytes } from '../../../schema/wire.ts';
import type { Described } from '../contract.ts';
import {
  flip,
  identityKey,
  identitySignature,
  malleate,
  nonCanonicalKey,
  shorten,
  signedBy,
} from '../spoil.ts';
import { hostileText, hostileValue } from './hostile.ts';
import { type Known, mutated, mutatedText } from './mutate.ts';
import { exampleEnvelope, type PayloadMaker } from './payloads.ts';
import type { Random } from './random.ts';
import type { Signer } from './signing.ts';

export type Body = string | Uint8Array<ArrayBuffer>;

/** A body for an operation: one that the document allows, or any. */
export type BodyMaker = (described: Described, wild: boolean) => Body;

/** Makes bodies that the signers can sign. */
export function createBodies(
  random: Random,
  known: Known,
  payloads: PayloadMaker,
  signers: readonly [Signer, ...Signer[]],
): BodyMaker {
  const byKey = new Map(signers.map((signer) => [signer.publicHex, signer]));

  function signerFor(payload: unknown): Signer {
    const named =
      typeof payload === 'object' && payload !== null && 'machine' in payload ? payload.machine : null;
    return (typeof named === 'string' ? byKey.get(named) : undefined) ?? signers[0];
  }

  function sealed(text: string, payload: unknown, type: string): Envelope {
    return signerFor(payload).seal(type, utf8(text));
  }

  /** An envelope whose signature is of another payload, of another key, or in a form that some libraries accept. */
  function missealed(text: string, { payloadType, signatures }: Envelope): Envelope {
    const good = random.pick(signers).seal(payloadType, utf8(text));
    return random.weighted<() => Envelope>([
      [2, () => ({ ...good, signatures })],
      [2, () => good],
      [1, () => random.pick(signers).seal(hostileText(random), utf8(text))],
      [0.5, () => malleate(good)],
      [0.5, () => flip(good)],
      [0.5, () => shorten(good)],
      [0.5, () => signedBy(good, random.pick([identityKey, nonCanonicalKey]), identitySignature)],
    ])();
  }

  return (described, wild) => {
    const example = exampleEnvelope(described);
    const type = example.payloadType;
    const start = payloads.start(described);
    const good = sealed(JSON.stringify(start), start, type);
    if (!wild) {
      if (random.chance(0.4)) return JSON.stringify(good);
      const other = payloads.allowed(described, start);
      return JSON.stringify(sealed(JSON.stringify(other), other, type));
    }
    return random.weighted<() => Body>([
      [
        60,
        () => {
          const changed = payloads.changed(start);
          const text = JSON.stringify(changed) ?? '';
          const right = random.chance(0.5);
          return JSON.stringify(right ? sealed(text, changed, type) : missealed(text, example));
        },
      ],
      [12, () => JSON.stringify(sealed(mutatedText(JSON.stringify(start), random), start, type))],
      [12, () => JSON.stringify(mutated(good, random, known)) ?? ''],
      [6, () => mutatedText(JSON.stringify(good), random)],
      [2, () => JSON.stringify(hostileValue(random)) ?? ''],
      [2, () => hostileText(random)],
      [1, () => Uint8Array.from({ length: 1 + random.below(400) }, () => random.below(256))],
      [0.2, () => 'x'.repeat(bodyMaxBytes + 1)],
      [0.2, () => `${' '.repeat(bodyMaxBytes - 10_000)}${JSON.stringify(good)}`],
    ])();
  };
}
