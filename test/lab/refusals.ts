/** The texts with which the module refuses a command, read from its C sources. */
import { readdirSync, readFileSync } from 'node:fs';

const kmod = new URL('../../kmod/', import.meta.url);

const conversions: Readonly<Record<string, string>> = {
  '%s': '.*',
  '%.40s': '.{0,40}',
  '%*phN': '[0-9a-f]{32}',
  '%*pbl': '[0-9,-]*',
};

/** What a printf format prints, as a pattern. */
function pattern(format: string): RegExp {
  const parts = format
    .replaceAll('\\"', '"')
    .replace(/\\n$/, '')
    .split(/(%(?:\.\d+|\*|0\d)?(?:phN|pbl|zu|ld|[sduxX]))/);
  const text = parts.map((part, i) =>
    i % 2 === 0
      ? part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
      : (conversions[part] ?? (part.endsWith('x') ? '[0-9a-f]+' : '-?\\d+')),
  );
  return new RegExp(`^${text.join('')}$`);
}

/** The formats of all refusals, with the pattern of each. */
export function refusals(): ReadonlyMap<string, RegExp> {
  const found = readdirSync(kmod)
    .filter((name) => name.endsWith('.c'))
    .flatMap((name) => [
      ...readFileSync(new URL(name, kmod), 'utf8').matchAll(
        /(?:refuse\(\s*[^,"]+,\s*"|pr_warn\(\s*"refused: )((?:[^"\\]|\\.)*)"/g,
      ),
    ]);
  return new Map(found.map(([, format = '']) => [format, pattern(format)]));
}

/** What the module said it refused, without the log's time and the prefix; null where a line says something else. */
export function refusalIn(line: string): string | null {
  return /^\[ *[\d.]+\] crashpoint: refused: (.*)$/.exec(line)?.[1] ?? null;
}
