#!/usr/bin/env node
// The command. The agent is TypeScript, which Node 24 runs as it is; an older Node hands over to the package's own.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url));
const own = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

if (Number.parseInt(process.versions.node, 10) >= 24) {
  // Types are taken out of each file once, not at each start. Where nothing can be kept, all goes on without.
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url)));
  const { main } = await import(cli);
  await main(process.argv.slice(2));
} else if (existsSync(own)) {
  const { status } = spawnSync(own, [cli, ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} else {
  console.error(`dumpsurvey needs Node 24; this is ${process.version}. Run this first:\n    npm ci`);
  process.exitCode = 1;
}
