/** Values of parameters as text: as the document allows them, nearly so, or hostile. */
import fc from 'fast-check';
import { spansSegments } from '../../../worker/openapi/request.ts';
import type { JsonSchema, Parameter } from '../../../worker/openapi/types.ts';
import { hostileText } from './hostile.ts';
import type { Known } from './mutate.ts';
import type { Random } from './random.ts';

const samples = new Map<string, readonly string[]>();

/** Texts that match a pattern, the same ones each time. */
function matching(pattern: string): readonly string[] {
  const made =
    samples.get(pattern) ?? fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 40, seed: 1 });
  samples.set(pattern, made);
  return made;
}

/** A text that a schema allows. */
function allowed({ name, schema, example }: Parameter, random: Random, known: Known): string {
  if (example !== undefined && random.chance(0.3)) return String(example);
  if (schema.enum) return String(random.maybe(schema.enum));
  if (schema.type === 'array') {
    const count = (schema.minItems ?? 1) + random.below((schema.maxItems ?? 3) - (schema.minItems ?? 1) + 1);
    const options = (schema.items as JsonSchema).enum ?? [];
    const chosen = new Set(Array.from({ length: count }, () => String(random.maybe(options))));
    return [...chosen].join(',');
  }
  const pattern = schema.pattern === undefined ? null : new RegExp(schema.pattern);
  const seen = known(name)
    .map(String)
    .filter((value) => pattern?.test(value) ?? value !== '');
  if (seen.length > 0 && random.chance(0.7)) return random.maybe(seen) ?? '';
  return (
    random.maybe(pattern === null ? ['ahci', 'a b', 'x'.repeat(80), 'é'] : matching(pattern.source)) ?? ''
  );
}

/** Percent-encoded UTF-8, also of text that is not well-formed. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** A value of a parameter as it stands in an address. */
export function valueText(parameter: Parameter, wild: boolean, random: Random, known: Known): string {
  const { schema } = parameter;
  const good = allowed(parameter, random, known);
  if (!wild) return spansSegments(parameter) || schema.type === 'array' ? good : encoded(good);
  return random.weighted<() => string>([
    [4, () => encoded(hostileText(random))],
    [1, () => hostileText(random).replace(/[\ud800-\udfff]/g, '')],
    [2, () => encoded(good + hostileText(random).slice(0, 20))],
    [1, () => `${good},${good}`],
    [1, () => good.toUpperCase()],
    [1, () => ` ${good}`],
    [1, () => `${good}%`],
    [1, () => '%ff%fe%c0%af'],
    [1, () => ''],
    [1, () => encoded(good.repeat(30))],
  ])();
}

/** The query of an operation: which parameters, how often, and what else. */
export function queryOf(
  parameters: readonly Parameter[],
  wild: boolean,
  random: Random,
  known: Known,
): string {
  const pairs = parameters
    .filter(({ required }) => (required ? !(wild && random.chance(0.2)) : random.chance(0.3)))
    .map(
      (parameter) => `${parameter.name}=${valueText(parameter, wild && random.chance(0.5), random, known)}`,
    );
  if (wild && random.chance(0.2)) pairs.push(random.maybe(pairs) ?? 'before=1');
  if (wild && random.chance(0.2))
    pairs.push(
      `${encoded(random.pick(['__proto__', 'constructor', 'by[]', 'toString', hostileText(random)]))}=${encoded(hostileText(random))}`,
    );
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}
