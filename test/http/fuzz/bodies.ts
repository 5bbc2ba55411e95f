/** Signed bodies: envelopes around payloads, signed well in half of the cases, and changed at every level. */
import { fromBase64, utf8 } from '../../../schema/bytes.ts';
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
import type { Ring } from './signing.ts';

export type Body = string | Uint8Array<ArrayBuffer>;

/** A body for an operation: one that the document allows, or any. */
export type BodyMaker = (described: Described, wild: boolean) => Body;

/** The field of a payload that names its signer: the one whose value is the key of the envelope. */
function signerField({ payload, signatures }: Envelope): string | undefined {
  const fields = Object.entries(JSON.parse(new TextDecoder().decode(fromBase64(payload))) as object);
  return fields.find(([, value]) => value === signatures[0]?.keyid)?.[0];
}

/** Makes bodies that the ring can sign. */
export function createBodies(random: Random, known: Known, payloads: PayloadMaker, ring: Ring): BodyMaker {
  const [first, ...others] = ring.values();
  if (first === undefined) throw new Error('there is nobody to sign');
  const signers = [first, ...others] as const;

  /** Signed by whom the payload names, where he is known. */
  function sealed(text: string, payload: unknown, example: Envelope): Envelope {
    const field = signerField(example) ?? '';
    const named: unknown = payload instanceof Object && field in payload ? (payload as never)[field] : null;
    const signer = typeof named === 'string' ? ring.get(named) : undefined;
    return (signer ?? signers[0]).seal(example.payloadType, utf8(text));
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
    const start = payloads.start(described);
    const good = sealed(JSON.stringify(start), start, example);
    if (!wild) {
      if (random.chance(0.4)) return JSON.stringify(good);
      const other = payloads.allowed(described, start);
      return JSON.stringify(sealed(JSON.stringify(other), other, example));
    }
    return random.weighted<() => Body>([
      [
        60,
        () => {
          const changed = payloads.changed(start);
          const text = JSON.stringify(changed) ?? '';
          const right = random.chance(0.5);
          return JSON.stringify(right ? sealed(text, changed, example) : missealed(text, example));
        },
      ],
      [12, () => JSON.stringify(sealed(mutatedText(JSON.stringify(start), random), start, example))],
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
