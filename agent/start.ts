/**
 * `npm start`: the server, and beside it the agent with its campaign, each a process of its own that speaks to
 * the other only over HTTP. A server that dies is started again; the campaign waits for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openCampaign, openItems, planPath } from './lab/campaign.ts';
import { confine } from './lab/confine.ts';
import { preflight, thisHost } from './lab/host.ts';
import { labKeys } from './lab/keys.ts';
import { dataDir, packageDir } from './paths.ts';

/** A server that ends within this time after its first start was never up: its message says why. */
const startWithinMs = 20_000;

/** A child that ends with this process, whatever ends it. */
function child(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'TERM', '--', process.execPath, ...args], {
    env,
    stdio: 'inherit',
  });
}

function ended(process: ChildProcess): Promise<number | null> {
  return new Promise((settle) => {
    process.on('error', () => settle(1));
    process.on('close', (code) => settle(code));
  });
}

async function isUp(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

/** Waits until the server answers. False where it ended before. */
async function comesUp(url: string, server: ChildProcess): Promise<boolean> {
  for (const until = performance.now() + startWithinMs; performance.now() < until; await sleep(50)) {
    if (server.exitCode !== null || server.signalCode !== null) return false;
    if (await isUp(url)) return true;
  }
  return false;
}

/** Whether there is a campaign to run: a new one, or one that is not complete. */
async function campaignIsOpen(data: string): Promise<boolean> {
  const campaign = await openCampaign(data);
  return campaign === null || openItems(campaign).length > 0;
}

/** Runs everything until it is told to stop. What a person can mend is one message. */
export async function start(args: readonly string[]): Promise<void> {
  try {
    await startAll(args);
  } catch (error) {
    console.error(error instanceof Error && !('code' in error) ? error.stack : String(error));
    process.exitCode = 1;
  }
}

async function startAll(args: readonly string[]): Promise<void> {
  let values: { 'no-campaign'?: boolean; trials?: string };
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: { 'no-campaign': { type: 'boolean' }, trials: { type: 'string' } },
    }));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\nSee npm start -- --help.`);
    process.exitCode = 2;
    return;
  }
  confine();
  const data = dataDir();
  await mkdir(data, { recursive: true });
  const hasWork = !values['no-campaign'] && (await campaignIsOpen(data));
  const host = preflight(thisHost());
  if (hasWork && 'advice' in host) {
    console.error(
      `${host.advice.message}\nTo serve what is there without a campaign: npm start -- --no-campaign`,
    );
    process.exitCode = 3;
    return;
  }
  const port = process.env.PORT || '8787';
  const url = `http://127.0.0.1:${port}`;
  const { owner } = await labKeys(data);
  const env = {
    ...process.env,
    PORT: port,
    DUMPSURVEY_DATA: data,
    DUMPSURVEY_CAMPAIGN: planPath(data),
    DUMPSURVEY_REFERENCE_OWNERS: [process.env.DUMPSURVEY_REFERENCE_OWNERS, owner.name]
      .filter(Boolean)
      .join(','),
  };
  const children = new Set<ChildProcess>();
  let stopping = false;
  const stop = () => {
    stopping = true;
    for (const running of children) running.kill('SIGTERM');
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);

  const startServer = () => {
    const server = child([join(packageDir, 'worker/node.ts')], env);
    children.add(server);
    return server;
  };
  let server = startServer();
  if (!(await comesUp(url, server))) {
    stop();
    process.exitCode = 1;
    return;
  }
  const serving = (async () => {
    for (;;) {
      await ended(server);
      children.delete(server);
      if (stopping) return;
      console.error('The server ended; starting it again.');
      await sleep(500);
      if (stopping) return;
      server = startServer();
    }
  })();
  if (hasWork) {
    const trials = values.trials ? ['--trials', values.trials] : [];
    const campaign = child(
      [join(packageDir, 'agent/cli.ts'), 'lab', '--campaign', '--url', url, ...trials],
      env,
    );
    children.add(campaign);
    const code = await ended(campaign);
    children.delete(campaign);
    if (!stopping) {
      console.log(
        code === 0 ? 'The campaign is over.' : 'The campaign stopped early; npm start goes on with it.',
      );
    }
  }
  if (!stopping) console.log(`The survey stays up at ${url} (Ctrl-C ends it).`);
  await serving;
}
