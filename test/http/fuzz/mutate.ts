/** Changes one thing of a JSON value, at any depth. */
import { hostileText, hostileValue } from './hostile.ts';
import type { Random } from './random.ts';

type Step = string | number;

/** Values that were seen, or may stand, under a name. */
export type Known = (name: string) => readonly unknown[];

/** Where a value of a tree stands. */
function* placesIn(value: unknown, path: readonly Step[] = []): Generator<readonly Step[]> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  const entries: [Step, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [step, inner] of entries) yield* placesIn(inner, [...path, step]);
}

/** The value with the one at a path changed. `change` gives undefined to take it away. */
function changedAt(value: unknown, path: readonly Step[], change: (old: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.flatMap((item, i) => {
      if (i !== step) return [item];
      const next = changedAt(item, rest, change);
      return next === undefined ? [] : [next];
    });
  }
  const entries = Object.entries(value as object).flatMap(([name, item]) => {
    if (name !== step) return [[name, item] as const];
    const next = changedAt(item, rest, change);
    return next === undefined ? [] : [[name, next] as const];
  });
  return Object.fromEntries(entries);
}

function changedText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  return random.weighted<() => string>([
    [2, () => text.slice(0, at) + hostileText(random).slice(0, 40) + text.slice(at)],
    [1, () => text.slice(0, at)],
    [1, () => text.toUpperCase()],
    [1, () => `${text}\n`],
    [1, () => text.slice(0, at) + random.pick(['0', 'a', 'f', '9']) + text.slice(at + 1)],
    [1, () => text + text],
    // What a pattern repeats may be as long as nobody thought of.
    [1, () => text.replace(/\w(?=\W*$)/, (last) => last.repeat(90))],
  ])();
}

function changedNumber(number: number, random: Random): unknown {
  return random.pick([
    number + 1,
    number - 1,
    -number,
    number + 0.5,
    String(number),
    number * 1000,
    0,
    1,
    2 ** 53,
  ]);
}

/** An object whose fields are JSON texts of objects, such as a profile, with these unfolded; and their names. */
function unfolded(value: unknown): { readonly value: unknown; readonly names: readonly string[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { value, names: [] };
  const names: string[] = [];
  const entries = Object.entries(value).map(([name, text]) => {
    if (typeof text !== 'string' || !text.startsWith('{')) return [name, text] as const;
    try {
      const inner: unknown = JSON.parse(text);
      names.push(name);
      return [name, inner] as const;
    } catch {
      return [name, text] as const;
    }
  });
  return { value: names.length === 0 ? value : Object.fromEntries(entries), names };
}

/** The same with the fields of these names as texts again, where they are still objects. */
function folded(value: unknown, names: readonly string[]): unknown {
  if (names.length === 0 || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    names.includes(name) && typeof inner === 'object' && inner !== null ? JSON.stringify(inner) : inner,
  ]);
  return Object.fromEntries(entries);
}

function changedObject(value: object, random: Random): unknown {
  const names = Object.keys(value);
  const name = random.maybe(names) ?? 'x';
  return random.weighted<() => unknown>([
    [
      3,
      () => ({
        ...value,
        [random.pick(['hostname', 'extra', 'version', hostileText(random)])]: hostileValue(random),
      }),
    ],
    [1, () => Object.fromEntries(Object.entries(value).toReversed())],
    [
      1,
      () => Object.fromEntries(Object.entries(value).map(([n, v]) => [n === name ? n.toUpperCase() : n, v])),
    ],
    [1, () => ({})],
  ])();
}

function changedList(list: readonly unknown[], random: Random): unknown {
  return random.weighted<() => unknown>([
    [1, () => []],
    [1, () => [...list, ...list]],
    [1, () => list.toReversed()],
    [1, () => [...list, hostileValue(random)]],
    [1, () => list.slice(random.below(list.length + 1))],
    [0.3, () => Array.from({ length: 700 }, () => list[0] ?? 0)],
  ])();
}

/** A value of the same kind that may well be allowed. */
function changedMildly(old: unknown, name: Step | undefined, random: Random, known: Known): unknown {
  const alike = known(String(name ?? '')).filter((value) => typeof value === typeof old);
  if (alike.length > 0 && random.chance(0.6)) return random.maybe(alike);
  if (typeof old === 'string') return changedText(old, random);
  if (typeof old === 'number') return changedNumber(old, random);
  if (typeof old === 'boolean') return !old;
  if (old === null) return random.maybe(known(String(name ?? ''))) ?? hostileValue(random);
  return Array.isArray(old) ? changedList(old, random) : changedObject(old as object, random);
}

/** A copy of a value with one thing changed, at a place that is chosen evenly, also inside JSON texts. */
export function mutated(whole: unknown, random: Random, known: Known): unknown {
  const { value, names } = unfolded(whole);
  const path = random.maybe([...placesIn(value)]) ?? [];
  const changed = changedAt(value, path, (old) =>
    random.weighted<() => unknown>([
      [
        6,
        () =>
          changedMildly(
            old,
            path.findLast((step) => typeof step === 'string'),
            random,
            known,
          ),
      ],
      [2, () => hostileValue(random)],
      [1, () => hostileText(random)],
      [path.length === 0 ? 0 : 1, () => undefined],
    ])(),
  );
  return folded(changed, names);
}

/**
 * Changes the JSON text itself in what no value can hold: a name twice, `__proto__`, a number that no double holds, a
 * text that ends early.
 */
export function mutatedText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  return random.weighted<() => string>([
    [2, () => text.replace(/"(\w+)":/, (whole, name) => `"${name}":null,${whole}`)],
    [1, () => text.replace('{', '{"__proto__":{"admin":true},')],
    [1, () => text.replace(/:(\d+)/, ':$1e999')],
    [1, () => text.replace(/:(\d+)/, ':0$1')],
    [1, () => text.replace(/\w"/, '\\u0000"')],
    [1, () => text.slice(0, at)],
    [1, () => `${text.slice(0, at)}\u0000${text.slice(at)}`],
    [1, () => `\ufeff${text}`],
    [1, () => `${text}${text}`],
    [1, () => ` \n\t${text} `],
    [1, () => text.replaceAll('"', "'")],
  ])();
}
