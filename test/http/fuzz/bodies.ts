/** Signed bodies: the examples, kept in step with what the survey has answered, and changed at every level. */
import { fromBase64, utf8 } from '../../../schema/bytes.ts';
import type { Envelope } from '../../../schema/envelope.ts';
import { bodyMaxBytes } from '../../../schema/wire.ts';
import type { OperationObject } from '../../../worker/openapi/types.ts';
import {
  flip,
  identityKey,
  identitySignature,
  malleate,
  nonCanonicalKey,
  shorten,
  signedBy,
} from '../spoil.ts';
import type { Harvest } from './harvest.ts';
import { hostileText, hostileValue } from './hostile.ts';
import { mutated, mutatedText } from './mutate.ts';
import type { Random } from './random.ts';
import type { Signer } from './signing.ts';

export type Body = string | Uint8Array<ArrayBuffer>;

export interface BodyMaker {
  /** A body for an operation, as near to its example as `wild` lets it. */
  readonly make: (operation: OperationObject, wild: boolean) => Body;
}

interface Payload {
  readonly [name: string]: unknown;
}

/** The example of an operation: its envelope, and the payload that it carries. */
function exampleOf({ operationId, requestBody }: OperationObject): { envelope: Envelope; payload: Payload } {
  const envelope = requestBody?.content['application/json']?.example as Envelope | undefined;
  if (envelope === undefined) throw new Error(`the document has no example of a body for ${operationId}`);
  return { envelope, payload: JSON.parse(new TextDecoder().decode(fromBase64(envelope.payload))) };
}

/** How many names two objects have in common. */
function sharedCount(a: object | undefined, b: object): number {
  return Object.keys(a ?? {}).filter((name) => name in b).length;
}

const timePattern = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Makes bodies that the signers can sign. `enrollments` are payloads of other machines than the example's. */
export function createBodies(
  now: () => number,
  random: Random,
  { known, like }: Harvest,
  signers: readonly [Signer, ...Signer[]],
  enrollments: readonly Payload[],
): BodyMaker {
  const byKey = new Map(signers.map((signer) => [signer.publicHex, signer]));
  const randomHex = (byteCount: number) =>
    Array.from({ length: 2 * byteCount }, () => random.below(16).toString(16)).join('');

  /** A payload whose names, such as that of a ticket, are of this survey where it knows any. */
  function namesOf(payload: Payload): Payload {
    const entries = Object.entries(payload).map(([name, value]) => {
      const values = known(name);
      const strange = typeof value === 'string' && values.length > 0 && !values.includes(value);
      return [
        name,
        strange && name !== 'request' && !timePattern.test(value) ? values.at(-1) : value,
      ] as const;
    });
    return Object.fromEntries(entries);
  }

  /** The times of a payload, moved to about the present one. */
  function timesOf(payload: Payload): Payload {
    if (random.chance(0.5)) return {};
    const times = Object.entries(payload).filter(
      ([, value]) => typeof value === 'string' && timePattern.test(value),
    );
    const away = random.pick([0, 0, 0, -60, 5, 11, 60 * 25]) * 60_000;
    return Object.fromEntries(times.map(([name]) => [name, new Date(now() + away).toISOString()]));
  }

  /** Now and then, another of the names that a field may have. */
  function otherChoice(payload: Payload): Payload {
    if (random.chance(0.9)) return {};
    const name = random.maybe(
      Object.keys(payload).filter((key) => known(key).length > 1 && key !== 'machine'),
    );
    return name === undefined ? {} : { [name]: random.maybe(known(name)) };
  }

  /** The example's payload, or another machine's, with names and times that the survey knows. */
  function startingFrom(payload: Payload): Payload {
    const kin = enrollments.filter((other) => Object.keys(other).join() === Object.keys(payload).join());
    const other = kin.length > 0 && random.chance(0.5) ? random.maybe(kin) : undefined;
    if (other !== undefined) return other;
    const fresh: Payload =
      'request' in payload && random.chance(0.7) ? { ...payload, request: randomHex(16) } : payload;
    const shapes = like(fresh).map(
      (objects) => [Math.min(6, sharedCount(objects[0], fresh)), objects] as const,
    );
    const kept = random.maybe(random.weighted([[0.5, []], ...shapes])) ?? {};
    const inStep = Object.fromEntries(Object.entries(kept).filter(([name]) => name in fresh));
    return { ...namesOf(fresh), ...inStep, ...timesOf(payload), ...otherChoice(payload) };
  }

  function signerFor(payload: unknown): Signer {
    const named =
      typeof payload === 'object' && payload !== null && 'machine' in payload ? payload.machine : null;
    return (typeof named === 'string' ? byKey.get(named) : undefined) ?? signers[0];
  }

  function sealed(text: string, payload: unknown, type: string): Envelope {
    return signerFor(payload).seal(type, utf8(text));
  }

  /** An envelope whose signature is of another payload, of another key, or in a form that some libraries accept. */
  function missealed(text: string, type: string, example: Envelope): Envelope {
    const other = random.pick([signers[0], ...signers]);
    const good = other.seal(type, utf8(text));
    return random.weighted<() => Envelope>([
      [2, () => ({ ...good, signatures: example.signatures })],
      [2, () => good],
      [1, () => other.seal(hostileText(random), utf8(text))],
      [0.5, () => malleate(good)],
      [0.5, () => flip(good)],
      [0.5, () => shorten(good)],
      [0.5, () => signedBy(good, random.pick([identityKey, nonCanonicalKey]), identitySignature)],
    ])();
  }

  return {
    make: (operation, wild) => {
      const { envelope: example, payload } = exampleOf(operation);
      const type = example.payloadType;
      const start = startingFrom(payload);
      const good = sealed(JSON.stringify(start), start, type);
      if (!wild) return JSON.stringify(good);
      return random.weighted<() => Body>([
        [
          60,
          () => {
            let changed: unknown = start;
            for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--) changed = mutated(changed, random, known);
            const text = JSON.stringify(changed) ?? '';
            const right = random.chance(0.5);
            return JSON.stringify(right ? sealed(text, changed, type) : missealed(text, type, example));
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
    },
  };
}
