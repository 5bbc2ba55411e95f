/** The one file that volunteers run: on each Node that is here, from a directory with nothing beside it, as nobody. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../agent/build/bundle.ts';
import { commands, loadCommands } from '../../agent/command-table.ts';
import { agentVersion } from '../../agent/version.ts';

const dir = mkdtempSync(join(tmpdir(), 'bundle-'));
const program = join(dir, 'dumpsurvey.cjs');
const home = join(dir, 'home');
/** Somebody who may do nothing special; where the tests run as such, that is whoever runs them. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

beforeAll(async () => {
  await bundle(program, 'a program');
  mkdirSync(home);
  chmodSync(dir, 0o755);
  chmodSync(home, 0o777);
});
afterAll(() => rmSync(dir, { recursive: true }));

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function run(node: string, args: readonly string[], path = program): Ran {
  const { status, stdout, stderr } = spawnSync(node, [path, ...args], {
    encoding: 'utf8',
    cwd: '/',
    env: { PATH: '/usr/bin:/bin', HOME: home, DUMPSURVEY_URL: 'http://127.0.0.1:1' },
    ...nobody,
  });
  return { status, out: stdout, err: stderr };
}

const majorOf = (node: string) =>
  Number(/^v(\d+)/.exec(execFileSync(node, ['--version'], { encoding: 'utf8' }))?.[1]);
/** The Node of the tests, where nobody finds it, too. */
const own = join(dir, 'node');
cpSync(process.execPath, own);
/** That, and the system's own where there is one. */
const runtimes = [own, '/usr/bin/node']
  .filter((node) => existsSync(node))
  .map((node) => [majorOf(node), node] as const);
const able = runtimes.filter(([major]) => major >= 20);
const tooOld = runtimes.filter(([major]) => major < 20);

it('is the same wherever it is made', async () => {
  const again = join(dir, 'elsewhere/again.cjs');
  await bundle(again, 'a program');
  expect(readFileSync(again, 'utf8')).toBe(readFileSync(program, 'utf8'));
  expect(readFileSync(again, 'utf8')).not.toContain(process.cwd());
});

it('needs no package', () => {
  const required = [...readFileSync(program, 'utf8').matchAll(/\brequire\("([^"]+)"\)/g)].map(
    ([, name]) => name,
  );
  expect(required.length).toBeGreaterThan(20);
  expect([...new Set(required.filter((name) => !name?.startsWith('node:')))].sort()).toEqual(['crypto']);
});

it.each([...tooOld, [0, own] as const])('on Node %i it says which Node it needs', (major, node) => {
  // Where no such Node is here, one that says it is.
  const args =
    major === 0
      ? ['-e', `Object.defineProperty(process.versions, 'node', { value: '18.20.4' }); require('${program}')`]
      : [program];
  const { status, stderr } = spawnSync(node, args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([3, expect.stringMatching(/needs Node 20 or newer/)]);
});

describe.each(able)('on Node %i', (_, node) => {
  it('says its version, and the overview', () => {
    expect(run(node, ['--version'])).toEqual({ status: 0, out: `${agentVersion}\n`, err: '' });
    const { status, out, err } = run(node, ['--help']);
    expect([status, err]).toEqual([0, '']);
    for (const { name } of commands) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'));
  });

  it.each(commands.map(({ name }) => name))('%s explains itself, to nobody', (name) => {
    const { status, out, err } = run(node, [name, '--help']);
    expect([status, err]).toEqual([0, '']);
    expect(out).toContain(`dumpsurvey ${name}`);
  });

  it('shows what would be sent of this machine', () => {
    const { status, out, err } = run(node, ['inventory']);
    expect([status, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ population: 'metal' });
    expect(JSON.parse(run(node, ['enroll', '--dry-run', '--json']).out)).toMatchObject({
      population: 'metal',
    });
  });

  it('has its state in the home of a user, and says so', () => {
    const { status, out, err } = run(node, ['status', '--json']);
    expect([status, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ data: join(home, '.local/state/dumpsurvey') });
  });

  it('shows what an installation would do, and does none without root', () => {
    const { status, out, err } = run(node, ['install', '--dry-run', '--json']);
    expect([status, err]).toEqual([0, '']);
    const { steps } = JSON.parse(out) as { steps: string[] };
    expect(steps[0]).toMatch(/^write \/usr\/local\/lib\/dumpsurvey\/dumpsurvey\.cjs/);
    for (const name of ['dkms.conf', 'main.c'])
      expect(steps).toContainEqual(expect.stringContaining(`/usr/src/crashpoint-1/${name} `));
  });

  it('makes the manual page and the completions that a checkout makes', async () => {
    const table = JSON.parse(run(node, ['man', '--json']).out) as {
      commands: { name: string; options: object }[];
    };
    const names = (list: readonly { name: string; options: object }[]) =>
      list.map(({ name, options }) => [name, Object.keys(options)]);
    expect(names(table.commands)).toEqual(names(await loadCommands()));
    expect(run(node, ['completion', 'bash']).out).toContain(
      'complete -o filenames -F _dumpsurvey dumpsurvey',
    );
  });

  it('says of what it does not hold how to get it', () => {
    const { status, err } = run(node, ['verify']);
    expect([status, err]).toEqual([
      3,
      expect.stringMatching(/Run it in a checkout:\n {4}npx dumpsurvey verify/),
    ]);
  });

  it('runs under another name, through a link, and from a path with blanks', () => {
    const place = join(dir, "a b'c");
    cpSync(program, join(place, 'ds'));
    chmodSync(place, 0o755);
    expect(run(node, ['--version'], join(place, 'ds')).out).toBe(`${agentVersion}\n`);
  });
});

it('refuses to install as nobody, with the command that does', () => {
  const { status, err } = run(own, ['install', '--spare-machine']);
  expect([status, err]).toEqual([3, expect.stringContaining('sudo dumpsurvey install --spare-machine')]);
});
