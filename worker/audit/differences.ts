/** In what two values of JSON differ: so that a reader need not compare two long texts. */

/** One place where they differ. `expected` and `found` are JSON texts, or `nothing`. */
export interface Difference {
  /** Names and indices from the top, with dots between. */
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** All places where they differ, outermost first and in the order of names. Values without cycles. */
export function differencesOf(expected: unknown, found: unknown, path = ''): Difference[] {
  if (!isObject(expected) || !isObject(found) || Array.isArray(expected) !== Array.isArray(found)) {
    const [a, b] = [textOf(expected), textOf(found)];
    return a === b ? [] : [{ path, expected: a, found: b }];
  }
  const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
  return [...names].flatMap((name) =>
    differencesOf(expected[name], found[name], path === '' ? name : `${path}.${name}`),
  );
}
