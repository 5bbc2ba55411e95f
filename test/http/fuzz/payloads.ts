/** Payloads of signed requests: the examples, kept in step with what the survey has answered, and changed. */
import { fromBase64 } from '../../../schema/bytes.ts';
import type { Envelope } from '../../../schema/envelope.ts';
import type { Contract, Described } from '../contract.ts';
import type { Harvest } from './harvest.ts';
import { mutated } from './mutate.ts';
import type { Random } from './random.ts';
import { innerSigned, type Ring } from './signing.ts';

export interface Payload {
  readonly [name: string]: unknown;
}

export interface PayloadMaker {
  /** The example of an operation, or another machine's, with names and times of this survey: likely to be admitted. */
  readonly start: (described: Described) => Payload;
  /** Changed in a few things, all of which the document allows. */
  readonly allowed: (described: Described, payload: Payload) => Payload;
  /** Changed in whatever way. */
  readonly changed: (payload: Payload) => unknown;
}

/** The example envelope of an operation. Throws where the document has none. */
export function exampleEnvelope({ operation }: Described): Envelope {
  const envelope = operation.requestBody?.content['application/json']?.example as Envelope | undefined;
  if (envelope === undefined)
    throw new Error(`the document has no example of a body for ${operation.operationId}`);
  return envelope;
}

/** How many names two objects have in common. */
function sharedCount(a: object | undefined, b: object): number {
  return Object.keys(a ?? {}).filter((name) => name in b).length;
}

const timePattern = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

/** Makes payloads. `enrollments` are those of other machines than the example's. */
export function createPayloads(
  now: () => number,
  random: Random,
  contract: Contract,
  { known, like }: Harvest,
  ring: Ring,
  enrollments: readonly Payload[],
): PayloadMaker {
  const randomHex = (byteCount: number) =>
    Array.from({ length: 2 * byteCount }, () => random.below(16).toString(16)).join('');

  /** A payload whose names, such as that of a ticket, are of this survey where it knows any. */
  function namesOf(payload: Payload): Payload {
    const entries = Object.entries(payload).map(([name, value]) => {
      const values = name === 'request' ? [] : known(name);
      const strange = typeof value === 'string' && values.length > 0 && !values.includes(value);
      return [name, strange && !timePattern.test(value) ? values.at(-1) : value] as const;
    });
    return Object.fromEntries(entries);
  }

  /** What the profile of the payload's machine says, too, such as the population. */
  function ofProfile(payload: Payload): Payload {
    const enrollment = enrollments.find(({ machine }) => machine === payload.machine);
    if (enrollment === undefined) return {};
    const said = Object.entries(JSON.parse(String(enrollment.profile)) as Payload);
    return Object.fromEntries(said.filter(([name]) => name in payload));
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

  /** Other keys of the ring in the place of some, where a payload is about keys and not of one machine. */
  function otherKeys(payload: Payload): Payload {
    if ('machine' in payload || random.chance(0.3)) return {};
    const names = Object.keys(payload).filter(
      (name) => ring.has(String(payload[name])) && random.chance(0.5),
    );
    return Object.fromEntries(names.map((name) => [name, random.maybe([...ring.keys()])]));
  }

  /** Now and then, another of the names that a field may have. */
  function otherChoice(payload: Payload): Payload {
    if (random.chance(0.9)) return {};
    const name = random.maybe(
      Object.keys(payload).filter((key) => known(key).length > 1 && key !== 'machine'),
    );
    return name === undefined ? {} : { [name]: random.maybe(known(name)) };
  }

  return {
    start: (described) => {
      const text = new TextDecoder().decode(fromBase64(exampleEnvelope(described).payload));
      const payload = JSON.parse(text) as Payload;
      const kin = enrollments.filter((other) => Object.keys(other).join() === Object.keys(payload).join());
      if (kin.length > 0 && random.chance(0.5)) return random.maybe(kin) ?? payload;
      const fresh: Payload =
        'request' in payload && random.chance(0.7) ? { ...payload, request: randomHex(16) } : payload;
      const shapes = like(fresh).map(
        (objects) => [Math.min(6, sharedCount(objects[0], fresh)), objects] as const,
      );
      const kept = random.maybe(random.weighted([[0.5, []], ...shapes])) ?? {};
      const inStep = Object.fromEntries(Object.entries(kept).filter(([name]) => name in fresh));
      const named: Payload = { ...namesOf(fresh), ...inStep };
      const moved = { ...timesOf(payload), ...otherKeys(payload), ...otherChoice(payload) };
      return innerSigned({ ...named, ...ofProfile(named), ...moved }, ring);
    },
    allowed: (described, payload) => {
      let value: unknown = payload;
      let left = 1 + random.below(5);
      for (let attempts = 0; attempts < 16 && left > 0; attempts++) {
        const next = mutated(value, random, known);
        if (contract.faultOfPayload(described, next) !== null) continue;
        value = next;
        left -= 1;
      }
      return innerSigned(value as Payload, ring);
    },
    changed: (payload) => {
      let value: unknown = payload;
      for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) value = mutated(value, random, known);
      return value;
    },
  };
}
