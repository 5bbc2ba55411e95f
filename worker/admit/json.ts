/**
 * JSON with one meaning and a bounded depth: readers disagree on repeated names (`JSON.parse` keeps the last one) and
 * on `__proto__`, so signed text that has either is refused; what nests deeply is nothing that was agreed.
 */

/** Thrown by `parseJson`; the message says what is wrong and where. */
export class JsonFault extends Error {}

/** The text is nested more deeply than anything that is agreed. */
export class TooDeep extends JsonFault {}

/** The deepest field of the agreed ones stands five levels down. */
export const depthMax = 32;

/** The value of a JSON text. Throws a JsonFault. Needs no stack for deep nesting. */
export function parseJson(text: string): unknown {
  if (nestsDeeper(text, depthMax)) throw new TooDeep(`it nests deeper than ${depthMax} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonFault('it is not JSON');
  }
  const name = ambiguousName(text);
  if (name !== null)
    throw new JsonFault(`it has the name ${JSON.stringify(name.slice(0, 80))} twice, or as __proto__`);
  return value;
}

const code = {
  quote: 0x22,
  backslash: 0x5c,
  openArray: 0x5b,
  closeArray: 0x5d,
  open: 0x7b,
  close: 0x7d,
} as const;

/**
 * Whether more than `depth` brackets are open at once anywhere outside of strings. One pass without memory, and
 * without looking back: of text that is no JSON the answer is of no use, but it comes as fast.
 */
function nestsDeeper(text: string, depth: number): boolean {
  let open = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === code.backslash) i++;
      else if (c === code.quote) inString = false;
    } else if (c === code.quote) inString = true;
    else if (c === code.open || c === code.openArray) {
      if (++open > depth) return true;
    } else if (c === code.close || c === code.closeArray) open--;
  }
  return false;
}

/** The text of bytes that must be UTF-8 without a byte order mark. Throws a JsonFault. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new JsonFault('it is not UTF-8');
  }
}

const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/g;

/**
 * The first name that stands twice in one object of a valid JSON text, or is `__proto__`; null where there is
 * none. Walks the text's tokens with a stack of its own.
 */
function ambiguousName(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  let pending: string | null = null;
  for (const [token] of text.matchAll(tokens)) {
    if (token.startsWith('"')) {
      pending = token;
      continue;
    }
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(null);
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':' && pending !== null) {
      const name = JSON.parse(pending) as string;
      const names = open.at(-1);
      if (names?.has(name) || name === '__proto__') return name;
      names?.add(name);
    }
    pending = null;
  }
  return null;
}
