/**
 * `npm run bundle`: the whole agent as one file that Node 20 and newer run, without a package beside it.
 *
 * It is CommonJS, because there a part that a command does not need costs nothing: what is imported with `import()` is
 * evaluated at its first use, and `require` of a package that is not there fails only then.
 */
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { packageDir } from '../paths.ts';
import { carried } from './carried.ts';

/** Where the bundle is put, relative to the package. */
export const bundlePath = 'dist/dumpsurvey.cjs';

/** The survey's auditor needs a database with compiled parts. The bundle does not hold it, and says so. */
const withoutAuditor: Plugin = {
  name: 'without-auditor',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^\.\/run\.ts$/ }, ({ importer, path }) =>
      importer.endsWith('/worker/audit/command.ts') ? { path, external: true } : null,
    );
  },
};

/** Says so on a Node that cannot run it, in words that every Node understands. */
const banner = `if (parseInt(process.versions.node, 10) < 20) {
  console.error('dumpsurvey needs Node 20 or newer; this is ' + process.version + '.');
  process.exit(3);
}
const __fileUrl = require('node:url').pathToFileURL(__filename).href;`;

/**
 * Bundles the agent into `path`: as a program of its own, or as a file that another program runs. The same sources give
 * the same bytes. Throws where they do not bundle.
 */
export async function bundle(path: string, as: 'a program' | 'run by another'): Promise<void> {
  const isProgram = as === 'a program';
  await mkdir(dirname(path), { recursive: true });
  await build({
    entryPoints: [join(packageDir, 'agent/bin/bundled.ts')],
    outfile: path,
    absWorkingDir: packageDir,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    plugins: [carried, withoutAuditor],
    legalComments: 'none',
    logLevel: 'warning',
    banner: { js: `${isProgram ? '#!/usr/bin/env node\n' : ''}${banner}` },
    define: {
      'import.meta.main': 'false',
      'import.meta.dirname': '__dirname',
      'import.meta.filename': '__filename',
      'import.meta.url': '__fileUrl',
    },
  });
  await chmod(path, isProgram ? 0o755 : 0o644);
}

if (import.meta.main) {
  const path = join(packageDir, bundlePath);
  await bundle(path, 'a program');
  console.log(path);
}
