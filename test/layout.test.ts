/** Who may import whom (DESIGN 12). Read from the sources: a rule that is broken names the file and the import. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Import {
  /** The file that imports, relative to the root. */
  readonly file: string;
  /** A package's name, or a file relative to the root. */
  readonly target: string;
  readonly isPackage: boolean;
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|js)$/.test(name) && !name.endsWith('.d.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .sort();
}

/** Every module that a text imports, in each form that the language has, comments left out. */
function importsOf(text: string): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const forms = [/(?<!['"])\bfrom\s*(['"])([^'"]+)\1/g, /\bimport\s*\(?\s*(['"])([^'"]+)\1/g];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[2] ?? ''));
}

const imports: readonly Import[] = ['schema', 'worker', 'agent'].flatMap((folder) =>
  sourcesIn(folder).flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).map((name) => ({
      file,
      target: name.startsWith('.') ? relative(root, resolve(root, dirname(file), name)) : name,
      isPackage: !name.startsWith('.'),
    })),
  ),
);

const within = (folder: string) => (i: Import) => i.file.startsWith(folder);
const shown = (list: readonly Import[]) => list.map(({ file, target }) => `${file} imports ${target}`);

test('the imports are found', () => {
  expect(importsOf(`import a from './a.ts';\nimport './b.ts';\nexport * from "c";`)).toEqual([
    './a.ts',
    'c',
    './b.ts',
  ]);
  expect(importsOf(`const d = await import('./d.ts');\n/* import './e.ts' */\n  // import './f.ts'`)).toEqual(
    ['./d.ts'],
  );
  expect(importsOf(`import {\n  type A,\n  b,\n} from './g.ts';`)).toEqual(['./g.ts']);
  expect(imports.length).toBeGreaterThan(200);
});

test('every relative import names a file that is there', () => {
  expect(
    shown(imports.filter(({ isPackage, target }) => !isPackage && !existsSync(join(root, target)))),
  ).toEqual([]);
});

describe('schema, worker and agent', () => {
  it('schema imports from neither side', () => {
    expect(
      shown(imports.filter((i) => within('schema/')(i) && /^(worker|agent|test)\//.test(i.target))),
    ).toEqual([]);
  });

  it('the worker imports nothing of the agent', () => {
    expect(shown(imports.filter((i) => within('worker/')(i) && /^agent\//.test(i.target)))).toEqual([]);
  });

  it("the agent imports nothing of the worker, but for the CLI's command table and its auditor", () => {
    const allowed = ({ file, target }: Import) =>
      file === 'agent/command-table.ts' && /^worker\/(verify|audit)/.test(target);
    const foreign = imports.filter((i) => within('agent/')(i) && /^worker\//.test(i.target) && !allowed(i));
    expect(shown(foreign)).toEqual([]);
  });

  it('nothing that runs imports from tests', () => {
    expect(shown(imports.filter((i) => /^test\//.test(i.target) || /\.test\.ts$/.test(i.target)))).toEqual(
      [],
    );
  });
});

test('only the store knows SQL', () => {
  const sql = imports.filter((i) => /^(drizzle-|@libsql\/)/.test(i.target));
  expect(shown(sql.filter((i) => !within('worker/store/')(i) && i.file !== 'schema/tables.ts'))).toEqual([]);
  const tables = imports.filter((i) => i.target === 'schema/tables.ts');
  expect(tables.length).toBeGreaterThan(0);
  expect(shown(tables.filter((i) => !within('worker/store/')(i)))).toEqual([]);
});

describe('what decides does no I/O', () => {
  const decides = [
    ...sourcesIn('schema'),
    ...sourcesIn('worker/statistics'),
    ...sourcesIn('worker/view'),
    ...['plan', 'command-line', 'observe', 'machines', 'cpio'].map((name) => `agent/lab/${name}.ts`),
    ...['next', 'budget', 'guard', 'history', 'never-armed', 'steps'].map((name) => `agent/metal/${name}.ts`),
    'agent/link/admitted.ts',
    ...['planted', 'bitmap', 'intervals', 'elf', 'kdump', 'flattened', 'printk', 'verify'].map(
      (n) => `agent/dump/${n}.ts`,
    ),
  ];
  const ioCode =
    /\b(fetch|XMLHttpRequest|setTimeout|setInterval|setImmediate)\s*\(|\bprocess\.|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bconsole\./;

  it.each(decides)('%s', (file) => {
    const own = imports.filter((i) => i.file === file);
    expect(shown(own.filter(({ target }) => /^node:(?!path$|util$)/.test(target)))).toEqual([]);
    const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    expect(code.match(ioCode)?.[0]).toBeUndefined();
  });

  it('nor does anything that it imports', () => {
    const reached = new Set([
      'schema/classify/classify.ts',
      ...sourcesIn('worker/statistics'),
      'agent/lab/plan.ts',
    ]);
    for (const file of reached)
      for (const i of imports) if (i.file === file && /\.ts$/.test(i.target)) reached.add(i.target);
    const io = imports.filter((i) => reached.has(i.file) && /^(node:|@libsql|hono)/.test(i.target));
    expect(shown(io.filter(({ target }) => !/^node:(path|util)$/.test(target)))).toEqual([]);
  });
});

test('what both sides share runs on every runtime', () => {
  const outside = imports.filter((i) => within('schema/')(i) && !i.target.startsWith('schema/'));
  expect(new Set(outside.map(({ target }) => target))).toEqual(
    new Set(['zod', 'drizzle-orm', 'drizzle-orm/sqlite-core']),
  );
  expect(new Set(outside.filter((i) => i.target !== 'zod').map((i) => i.file))).toEqual(
    new Set(['schema/tables.ts']),
  );
});

test('what the package imports, it names', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const packages = imports
    // What builds the package is no part of it.
    .filter(({ file }) => !file.startsWith('agent/build/'))
    .filter(({ isPackage, target }) => isPackage && !target.startsWith('node:'))
    .map(({ target }) => /^(@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target);
  expect([...new Set(packages)].filter((name) => !(name in dependencies))).toEqual([]);
});
