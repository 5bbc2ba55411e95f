/**
 * How long the agent's one file takes to start, against the same Node that does nothing, and against the limit: what
 * a unit starts every quarter of an hour, and a person types, must not be felt.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../agent/build/bundle.ts';
import { inTurns } from './measure.ts';
import type { Context, Findings, Row } from './section.ts';

const limitMs = 150;
/** A start is short: each round is the median of so many. */
const startsPerRound = 10;

const starts = {
  version: ['--version'],
  help: ['run', '--help'],
  submit: ['submit', '--dry-run', '--json'],
  man: ['man', '--json'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The Nodes that are here and can run it: this one, and the system's own. */
function runtimes(): { readonly node: string; readonly version: string }[] {
  return [process.execPath, '/usr/bin/node']
    .filter((node) => existsSync(node))
    .map((node) => ({ node, version: execFileSync(node, ['--version'], { encoding: 'utf8' }).trim() }))
    .filter(({ version }) => Number(/^v(\d+)/.exec(version)?.[1]) >= 20);
}

/** Milliseconds that a run took. Throws where it failed. */
function msOf(node: string, args: readonly string[], data: string): number {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(node, [...args], {
    env: { PATH: process.env.PATH ?? '', DUMPSURVEY_DATA: data },
    encoding: 'utf8',
  });
  const tookMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return tookMs;
}

/** The section. */
export async function agentStart({ rounds, say }: Context): Promise<Findings> {
  const dir = await mkdtemp(join(tmpdir(), 'dumpsurvey-bench-'));
  const program = join(dir, 'dumpsurvey.cjs');
  try {
    await bundle(program, 'a program');
    const rows: Row[] = [];
    for (const { node, version } of runtimes()) {
      const run = (args: readonly string[]) => async () => msOf(node, args, dir);
      const medians = await inTurns(rounds * startsPerRound, {
        bare: run(['-e', '0']),
        version: run([program, ...starts.version]),
        help: run([program, ...starts.help]),
        submit: run([program, ...starts.submit]),
        man: run([program, ...starts.man]),
      });
      for (const [name, args] of Object.entries(starts) as [keyof typeof starts, readonly string[]][]) {
        const measured = medians[name];
        const what = `agent: dumpsurvey ${args.join(' ')}, Node ${version}`;
        say(`${what}: ${measured.toFixed(0)} ms, bare ${medians.bare.toFixed(0)} ms`);
        rows.push({ what, unit: 'ms', measured, against: 'node -e 0', peer: medians.bare, bound: 6 });
        rows.push({ what, unit: 'ms', measured, against: 'the limit', peer: limitMs, bound: 1 });
      }
    }
    return { rows };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
