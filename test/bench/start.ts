/**
 * How long a start takes that has nothing to set up: `npm start` with a data directory whose campaign is complete,
 * until the API answers. The bound is a time, not a ratio: nobody should wait longer for a dashboard.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { planPath } from '../../agent/lab/campaign.ts';
import { packageDir } from '../../agent/paths.ts';
import { signedReports } from './admission.ts';
import { inTurns } from './measure.ts';
import { postAll } from './post-all.ts';
import type { Context, Findings } from './section.ts';
import { freePort, startServerAt } from './servers.ts';

const boundSeconds = 5;
/** As many as a campaign leaves behind. */
const reportCount = 64;

/** Runs a command until the API answers, and gives the seconds that took; ends the whole process group. */
async function secondsUntilUp(command: readonly [string, ...string[]], data: string): Promise<number> {
  const port = await freePort();
  const [program, ...args] = command;
  const startedAt = performance.now();
  const child = spawn(program, args, {
    cwd: packageDir,
    detached: true,
    env: { ...process.env, PORT: String(port), DUMPSURVEY_DATA: data },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'close');
  const isUp = async () => {
    try {
      return (await fetch(`http://127.0.0.1:${port}/v1/status`)).ok;
    } catch {
      return false;
    }
  };
  try {
    while (!(await isUp())) {
      if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
      await sleep(10);
    }
    return (performance.now() - startedAt) / 1000;
  } finally {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
    await ended;
  }
}

/** A data directory with a complete campaign and reports in its store. */
async function usedData(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-bench-'));
  await mkdir(dirname(planPath(data)), { recursive: true });
  await writeFile(planPath(data), JSON.stringify({ id: '00'.repeat(16), planned: 0, items: [] }));
  const server = await startServerAt('worker/node.ts', { DUMPSURVEY_DATA: data });
  const reports = await signedReports(server.url, 'start', reportCount);
  await postAll(
    `${server.url}/v1/reports`,
    reports.map((envelope) => JSON.stringify(envelope)),
  );
  await server.stop();
  return data;
}

/** The section. */
export async function start({ rounds, say }: Context): Promise<Findings> {
  const data = await usedData();
  const told = async (what: string, measured: Promise<number>) => {
    const seconds = await measured;
    say(`${what}: ${seconds.toFixed(2)} s`);
    return seconds;
  };
  try {
    await told('first npm start', secondsUntilUp(['npm', 'start'], data));
    const medians = await inTurns(rounds, {
      npm: () => told('npm start', secondsUntilUp(['npm', 'start'], data)),
      server: () =>
        told('server alone', secondsUntilUp([process.execPath, join(packageDir, 'worker/node.ts')], data)),
    });
    const measured = {
      what: 'start: npm start again, until /v1/status',
      unit: 's',
      measured: medians.npm,
    } as const;
    return {
      rows: [
        { ...measured, against: 'the limit', peer: boundSeconds, bound: 1 },
        { ...measured, against: 'the server alone', peer: medians.server, bound: null },
      ],
    };
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}
