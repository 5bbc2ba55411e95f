/** What a fuzzer learns: the values that answers have had under each name, and those that the document lists. */
import type { OpenApi } from '../../../worker/openapi/types.ts';
import type { Known } from './mutate.ts';

export interface Harvest {
  readonly known: Known;
  /** Objects of answers that share at least two names with a value: one list for each shape, the newest last. */
  readonly like: (value: object) => readonly (readonly object[])[];
  readonly learn: (answer: unknown) => void;
}

const keptValues = 60;
const keptObjects = 24;

/** Parameters whose values stand in answers under other names. */
const alsoCalled: ReadonlyMap<string, readonly string[]> = new Map([
  ['id', ['report_id']],
  ['before', ['report_id', 'number', 'log_size']],
  ['number', ['edition']],
  ['index', ['log_index']],
  ['size', ['log_size']],
  ['from', ['log_size']],
  ['to', ['log_size']],
  ['value', ['owner', 'machine', 'agent_version']],
]);

/** Values that the document lists for properties, by name; for a public key, those that somebody here can sign with. */
function listedValues(document: OpenApi, keys: readonly string[]): Map<string, unknown[]> {
  const listed = new Map<string, unknown[]>();
  const walk = (value: unknown, name: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const schema = value as { $ref?: string; enum?: unknown[]; properties?: Record<string, unknown> };
    if (schema.$ref === '#/components/schemas/PublicKey') listed.set(name, [...keys]);
    if (Array.isArray(schema.enum))
      listed.set(name, [...new Set([...(listed.get(name) ?? []), ...schema.enum])]);
    for (const [key, inner] of Object.entries(schema.properties ?? {})) walk(inner, key);
    for (const [key, inner] of Object.entries(value))
      if (key !== 'properties' && key !== 'enum') walk(inner, name);
  };
  walk(document.components.schemas, '');
  return listed;
}

/** Keeps the newest of a list. */
function keep<T>(list: T[], item: T, limit: number): void {
  list.push(item);
  if (list.length > limit) list.shift();
}

/** An empty harvest of a survey that this document describes. */
export function createHarvest(document: OpenApi, keys: readonly string[]): Harvest {
  const listed = listedValues(document, keys);
  const seen = new Map<string, unknown[]>();
  const objects = new Map<string, object[]>();

  function learn(value: unknown, name = ''): void {
    if (typeof value === 'object' && value !== null) {
      if (!Array.isArray(value)) {
        const shape = Object.keys(value).join();
        if (!objects.has(shape)) objects.set(shape, []);
        keep(objects.get(shape) ?? [], value, keptObjects);
      }
      for (const [key, inner] of Object.entries(value)) learn(inner, Array.isArray(value) ? name : key);
      return;
    }
    if (value === null || String(value).length > 300) return;
    if (!seen.has(name)) seen.set(name, []);
    const values = seen.get(name) ?? [];
    if (!values.includes(value)) keep(values, value, keptValues);
  }

  const known: Known = (name) =>
    [name, ...(alsoCalled.get(name) ?? [])].flatMap((called) => [
      ...(seen.get(called) ?? []),
      ...(listed.get(called) ?? []),
    ]);
  return {
    known,
    learn,
    like: (value) => {
      const names = new Set(Object.keys(value));
      return [...objects.values()].filter(
        ([first]) => Object.keys(first ?? {}).filter((name) => names.has(name)).length >= 2,
      );
    },
  };
}
