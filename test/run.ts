/**
 * `npm test`: everything, on a fresh Debian machine as root without a step before it. Sets up what the tests
 * need (programs and the lab), then runs the checks and each test project. With DUMPSURVEY_TEST_RESULTS it
 * leaves a JSON report of each run there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Advice } from '../agent/advice.ts';
import { buildDeb } from '../agent/build/deb.ts';
import { confine } from '../agent/lab/confine.ts';
import { ensureHost, installPackages } from '../agent/lab/host.ts';
import { updatePackageLists } from '../agent/lab/packages.ts';
import { provision } from '../agent/lab/provision.ts';
import type { Progress } from '../agent/lab/unpack.ts';
import { dataDir, packageDir } from '../agent/paths.ts';
import { ensureImage, imageNeeds } from './metal/image/image.ts';

const results = process.env.DUMPSURVEY_TEST_RESULTS;
const bin = join(packageDir, 'node_modules/.bin');

/** Runs a program with its output shown. */
function passes(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { cwd: packageDir, stdio: 'inherit' }).status === 0;
}

function check(): boolean {
  console.log('\n== check: biome, tsc');
  const passed = passes(join(bin, 'biome'), ['check', '.']) && passes(join(bin, 'tsc'), ['--noEmit']);
  if (results) {
    const report = { success: passed, numTotalTests: 1, numPassedTests: passed ? 1 : 0 };
    writeFileSync(join(results, 'check.json'), JSON.stringify(report));
  }
  return passed;
}

function vitest(project: string): boolean {
  console.log(`\n== ${project}`);
  const report = results ? ['--reporter=json', `--outputFile.json=${join(results, `${project}.json`)}`] : [];
  return passes(join(bin, 'vitest'), ['run', '--project', project, '--reporter=default', ...report]);
}

/** Programs that tests run and the lab does not need: a browser, and what reads our archives, manual page and completions as others do. */
const programs = [
  { path: '/usr/bin/chromium', name: 'chromium' },
  { path: '/usr/bin/cpio', name: 'cpio' },
  { path: '/usr/bin/mandoc', name: 'mandoc' },
  { path: '/usr/bin/zsh', name: 'zsh' },
  { path: '/usr/bin/fish', name: 'fish' },
] as const;

async function ensurePrograms(told: (step: string) => void): Promise<void> {
  const missing = programs.filter(({ path }) => !existsSync(path)).map(({ name }) => name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Advice(`The tests need ${missing.join(' and ')}. Run this, then start again:`, [
      `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`,
    ]);
  }
  await updatePackageLists(told);
  told(`installing ${missing.join(', ')}`);
  await installPackages(missing);
}

async function ensureLab(told: Progress): Promise<void> {
  for (const kernel of ['6.1', '6.12'] as const) await provision(join(dataDir(), 'lab'), told, kernel);
}

/** The image of the whole Debian, with this checkout's package in it. It is mostly downloads and copies: the lab's set-up goes on beside it. */
async function ensureGuest(told: Progress): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'dumpsurvey-deb-'));
  try {
    await ensureImage(join(dataDir(), 'guests'), told, await buildDeb(work, 0));
  } finally {
    rmSync(work, { recursive: true });
  }
}

async function main(): Promise<boolean> {
  const startedAt = performance.now();
  const told = (step: string) =>
    console.log(`[${((performance.now() - startedAt) / 1000).toFixed(0).padStart(3)} s] ${step}`);
  await ensurePrograms(told);
  // Packages are installed first: not both of what follows could do that at once.
  await ensureHost(told, imageNeeds);
  await Promise.all([ensureLab(told), ensureGuest(told)]);
  const passed = [check(), vitest('fast'), vitest('lab')].every(Boolean);
  told(passed ? 'all tests passed' : 'some tests failed: see above');
  return passed;
}

confine();
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof Advice)) throw error;
  console.error(error.message);
  process.exitCode = 3;
}
