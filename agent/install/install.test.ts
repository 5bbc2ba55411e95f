/** An installation and its end, in a directory that stands for a machine: what is undone is exactly what was done. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Advice } from '../advice.ts';
import type { Programs } from '../metal/programs.ts';
import { metalPaths } from '../metal/state.ts';
import { type ApplyOptions, applySteps } from './apply.ts';
import { readManifest, writeManifest } from './manifest.ts';
import { installPlan, type Parts, type Site } from './plan.ts';
import { type Installed, losses, removalSteps, toUndo } from './removal.ts';
import { moduleStateIn } from './site.ts';
import type { Step } from './steps.ts';
import { undoAll } from './undo.ts';

const top = mkdtempSync(join(tmpdir(), 'install-'));
afterAll(() => rmSync(top, { recursive: true }));

const site: Site = {
  isPackaged: false,
  hasSystemd: true,
  hasDkms: true,
  moduleState: 'unknown',
  node: "/opt/it's node/bin/node",
  bundle: 'the bundle',
};
const parts: Parts = {
  module: new Map([
    ['main.c', 'module'],
    ['dkms.conf', 'conf'],
  ]),
  pages: [{ path: 'man/man8/dumpsurvey.8', contents: 'page', mode: 0o644 }],
  hooks: [{ path: '/etc/kdump/pre.d/dumpsurvey', contents: 'hook', mode: 0o755 }],
  hooksCommand: ['kdumpctl', 'rebuild'],
};

/** A machine: its files, its state directory, and a record of the programs that were run. */
function machine(programs?: Programs) {
  const root = mkdtempSync(join(top, 'root-'));
  for (const dir of ['usr/src', 'usr/local/bin', 'etc/systemd/system', 'var/lib'])
    mkdirSync(join(root, dir), { recursive: true });
  writeFileSync(join(root, 'etc/systemd/system/other.service'), 'other');
  const data = join(root, 'var/lib/dumpsurvey');
  const ran: string[] = [];
  const recording: Programs = async (name, args, options) => {
    ran.push([name, ...args].join(' '));
    return programs ? programs(name, args, options) : { code: 0, stdout: '', stderr: '' };
  };
  const options: ApplyOptions = {
    root,
    data,
    programs: recording,
    agentVersion: '0.1.0',
    nowMs: 0,
    told: () => {},
  };
  return { root, data, ran, options };
}
type Machine = ReturnType<typeof machine>;

/** Every path below a directory, with modes, contents, and where links lead. */
function snapshot(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const mode = (lstatSync(path).mode & 0o7777).toString(8);
      return `${path.slice(root.length)} ${mode} ${entry.isFile() ? readFileSync(path, 'utf8') : ''}`;
    })
    .sort();
}

function planFor(
  { data }: Machine,
  over: Partial<Site> = {},
  spare = true,
  other: Partial<Parts> = {},
): Step[] {
  const paths = metalPaths(data);
  return installPlan(
    { ...site, ...over },
    paths,
    {
      settings: async () => writeFileSync(paths.settings, '{}'),
      consent: spare ? async () => writeFileSync(paths.consent, '{}') : null,
      isSpare: false,
    },
    { ...parts, ...other },
  );
}

/** The end of it, as the command does it. */
async function takeBack({ root, data, options }: Machine): Promise<string[]> {
  const done = (await readManifest(data))?.done ?? [];
  const remarks = await undoAll(done, { root, programs: options.programs, told: () => {} });
  rmSync(data, { recursive: true, force: true });
  return remarks;
}

describe('the plan', () => {
  it('enables nothing without consent, and at the very end with it', () => {
    const words = (steps: Step[]) =>
      steps.map((s) => (s.kind === 'program' ? (s.command ?? []).join(' ') : s.path));
    const isEnabling = (word: string) => /enable|consent/.test(word);
    expect(words(planFor(machine(), {}, false)).filter(isEnabling)).toEqual([]);
    expect(words(planFor(machine())).slice(-2)).toEqual([
      expect.stringMatching(/consent\.json$/),
      'systemctl enable dumpsurvey.timer',
    ]);
  });

  it('starts, loads and crashes nothing', () => {
    const commands = planFor(machine()).flatMap((s) =>
      s.kind === 'program' && s.command ? [s.command] : [],
    );
    expect(commands.length).toBeGreaterThan(3);
    for (const [program, verb] of commands) {
      expect(['dkms', 'systemctl', 'kdumpctl']).toContain(program);
      expect(['add', 'install', 'daemon-reload', 'enable', 'rebuild']).toContain(verb);
    }
  });

  it('leaves to the package what the package has brought', () => {
    const files = (steps: Step[]) => steps.flatMap((s) => (s.kind === 'file' ? [s.path] : []));
    expect(files(planFor(machine(), { isPackaged: true, moduleState: 'installed', bundle: null }))).toEqual([
      '/etc/kdump/pre.d/dumpsurvey',
    ]);
    expect(files(planFor(machine()))).toContain('/usr/src/crashpoint-1/dkms.conf');
  });

  it('runs the bundle with the Node that it was installed with, however that is called', () => {
    const launcher = planFor(machine()).find(
      (s) => s.kind === 'file' && s.path === '/usr/local/bin/dumpsurvey',
    );
    expect(launcher).toMatchObject({
      contents: `#!/bin/sh\nexec '/opt/it'\\''s node/bin/node' /usr/local/lib/dumpsurvey/dumpsurvey.cjs "$@"\n`,
      mode: 0o755,
    });
  });
});

describe('installed again', () => {
  it('the same changes nothing', async () => {
    const m = machine();
    await applySteps(planFor(m), m.options);
    const [before, manifest] = [snapshot(m.root), await readManifest(m.data)];
    await applySteps(planFor(m), m.options);
    expect(snapshot(m.root)).toEqual(before);
    expect(await readManifest(m.data)).toEqual(manifest);
  });

  it('without what it had, takes that back, and no more', async () => {
    const m = machine();
    const before = snapshot(m.root);
    await applySteps(planFor(m), m.options);
    m.ran.length = 0;
    const without = planFor(m, {}, true, { hooks: [], hooksCommand: null });
    await applySteps(without, m.options);
    expect(m.ran.filter((command) => command === 'kdumpctl rebuild')).toHaveLength(1);
    expect(m.ran).not.toContain('systemctl disable --now dumpsurvey.timer');
    expect(snapshot(m.root).filter((line) => line.includes('/etc/kdump/pre.d/dumpsurvey'))).toEqual([]);
    expect((await readManifest(m.data))?.done).not.toContainEqual({
      kind: 'undo',
      command: ['kdumpctl', 'rebuild'],
    });
    expect(await takeBack(m)).toEqual([]);
    expect(snapshot(m.root)).toEqual(before);
  });

  it('keeps the timer where the consent stands, and asks for none', () => {
    const m = machine();
    const paths = metalPaths(m.data);
    const steps = installPlan(site, paths, { settings: async () => {}, consent: null, isSpare: true }, parts);
    expect(steps.at(-1)).toMatchObject({ command: ['systemctl', 'enable', 'dumpsurvey.timer'] });
    expect(steps.filter((s) => s.kind === 'state').map(({ path }) => path)).toEqual([paths.settings]);
  });
});

describe('what is undone', () => {
  it('is what was done, in the reverse order, and nothing is left', async () => {
    const m = machine();
    const before = snapshot(m.root);
    expect(await applySteps(planFor(m), m.options)).toEqual([]);
    expect(snapshot(m.root).length).toBeGreaterThan(before.length + 10);
    expect(m.ran).toEqual([
      'dkms add crashpoint/1',
      'dkms install crashpoint/1',
      'systemctl daemon-reload',
      'kdumpctl rebuild',
      'systemctl enable dumpsurvey.timer',
    ]);
    m.ran.length = 0;
    expect(await takeBack(m)).toEqual([]);
    expect(snapshot(m.root)).toEqual(before);
    expect(m.ran).toEqual([
      'systemctl disable --now dumpsurvey.timer',
      'kdumpctl rebuild',
      'systemctl daemon-reload',
      'dkms remove crashpoint/1 --all',
    ]);
  });

  it('is all of it, wherever an installation was interrupted, also a second one', async () => {
    const count = planFor(machine()).filter((s) => s.kind !== 'program' || s.command).length;
    const cut = fc.asyncProperty(fc.nat(count), fc.nat(count), fc.boolean(), async (first, second, spare) => {
      const m = machine();
      const before = snapshot(m.root);
      for (const [at, consent] of [
        [first, spare],
        [second, true],
      ] as const) {
        let told = 0;
        const interrupted = applySteps(planFor(m, {}, consent), {
          ...m.options,
          told: () => {
            if (told++ === at) throw new Error('power cut');
          },
        });
        await interrupted.catch((error: Error) => expect(error.message).toBe('power cut'));
      }
      await takeBack(m);
      expect(snapshot(m.root)).toEqual(before);
    });
    await fc.assert(cut, { seed: 3, numRuns: 40 });
  });

  it('leaves what others have put there meanwhile, and tells of what they have changed', async () => {
    const m = machine();
    await applySteps(planFor(m), m.options);
    writeFileSync(join(m.root, 'usr/local/lib/dumpsurvey/notes'), 'mine');
    writeFileSync(join(m.root, 'etc/systemd/system/dumpsurvey.timer'), 'changed');
    expect(await takeBack(m)).toEqual([expect.stringContaining('dumpsurvey.timer had been changed')]);
    expect(readFileSync(join(m.root, 'usr/local/lib/dumpsurvey/notes'), 'utf8')).toBe('mine');
    expect(readdirSync(join(m.root, 'etc/systemd/system'))).toEqual(['other.service']);
  });

  it('goes on where one thing cannot be undone', async () => {
    const m = machine();
    await applySteps(planFor(m), m.options);
    const done = (await readManifest(m.data))?.done ?? [];
    const failing: Programs = async (name) => ({ code: name === 'dkms' ? 3 : 127, stdout: '', stderr: 'no' });
    const remarks = await undoAll(done, { root: m.root, programs: failing, told: () => {} });
    expect(remarks).toEqual(['dkms remove crashpoint/1 --all ended with 3: no']);
    expect(readdirSync(join(m.root, 'usr/src'))).toEqual([]);
  });
});

describe('a file that is there already', () => {
  it.each(['a file', 'a link', 'a directory'])(
    '%s of somebody else stops it, with nothing changed',
    async (what) => {
      const m = machine();
      const path = join(m.root, 'etc/systemd/system/dumpsurvey.service');
      if (what === 'a file') writeFileSync(path, 'theirs');
      if (what === 'a link') symlinkSync('/etc/passwd', path);
      if (what === 'a directory') mkdirSync(path);
      const before = snapshot(m.root);
      const refused = await applySteps(planFor(m), m.options).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Advice);
      expect(String(refused)).toContain('/etc/systemd/system/dumpsurvey.service');
      expect(snapshot(m.root)).toEqual(before);
      expect(m.ran).toEqual([]);
    },
  );

  it('the same from another hand stays when the agent goes', async () => {
    const m = machine();
    const path = join(m.root, 'usr/src/crashpoint-1/main.c');
    mkdirSync(dirname(path));
    writeFileSync(path, 'module');
    chmodSync(path, 0o644);
    const before = snapshot(m.root);
    await applySteps(planFor(m), m.options);
    await takeBack(m);
    expect(snapshot(m.root)).toEqual(before);
  });
});

describe('a step that fails', () => {
  const failing =
    (name: string, verb: string): Programs =>
    async (program, [first]) =>
      program === name && first === verb
        ? { code: 10, stdout: '', stderr: 'no headers' }
        : { code: 0, stdout: '', stderr: '' };

  it('is reported where the installation stands without it', async () => {
    const m = machine(failing('dkms', 'install'));
    expect(await applySteps(planFor(m), m.options)).toEqual([
      'dkms install crashpoint/1 ended with 10:\nno headers',
    ]);
    expect(m.ran.at(-1)).toBe('systemctl enable dumpsurvey.timer');
  });

  it('ends it elsewhere, and what was done can be undone', async () => {
    const m = machine(failing('systemctl', 'daemon-reload'));
    const before = snapshot(m.root);
    await expect(applySteps(planFor(m), m.options)).rejects.toThrow(/no headers[\s\S]*uninstall/);
    expect(m.ran).not.toContain('systemctl enable dumpsurvey.timer');
    await takeBack(m);
    expect(snapshot(m.root)).toEqual(before);
  });
});

describe('a manifest', () => {
  it.each([
    ['torn', '{"version":1,"agent'],
    [
      'with a path that leaves its directory',
      '{"version":1,"agent_version":"1","at":"2026-01-01T00:00:00.000Z","done":[{"kind":"file","path":"/usr/../etc/passwd","sha256":"' +
        'a'.repeat(64) +
        '"}]}',
    ],
    [
      'with a relative path',
      '{"version":1,"agent_version":"1","at":"2026-01-01T00:00:00.000Z","done":[{"kind":"directory","path":"etc"}]}',
    ],
    [
      'with an unknown step',
      '{"version":1,"agent_version":"1","at":"2026-01-01T00:00:00.000Z","done":[{"kind":"tree","path":"/etc"}]}',
    ],
  ])('%s is refused with advice, and nothing is removed', async (_, text) => {
    const { data } = machine();
    mkdirSync(data);
    writeFileSync(join(data, 'install.json'), text);
    await expect(readManifest(data)).rejects.toThrow(Advice);
  });

  it('is read as it was written', async () => {
    const { data } = machine();
    mkdirSync(data);
    const written = {
      version: 1 as const,
      agent_version: '0.1.0',
      at: '2026-01-01T00:00:00.000Z',
      done: [{ kind: 'undo' as const, command: ['systemctl', 'daemon-reload'] }],
    };
    await writeManifest(data, written);
    expect(await readManifest(data)).toEqual(written);
  });
});

describe('the end, in words', () => {
  const installed: Installed = {
    manifest: {
      version: 1,
      agent_version: '0.1.0',
      at: '2026-01-01T00:00:00.000Z',
      done: [
        { kind: 'directory', path: '/usr/local/lib/dumpsurvey' },
        { kind: 'undo', command: ['dkms', 'remove', 'crashpoint/1', '--all'] },
      ],
    },
    hasData: true,
    unsentCount: 2,
    keys: ['machine.key', 'owner.key'],
    dkmsHasModule: false,
    moduleIsLoaded: true,
  };

  it('asks DKMS for nothing that DKMS does not have', () => {
    expect(toUndo(installed)).toEqual([{ kind: 'directory', path: '/usr/local/lib/dumpsurvey' }]);
    expect(toUndo({ ...installed, dkmsHasModule: true })).toHaveLength(2);
  });

  it('names each step', () => {
    expect(removalSteps(installed, '/var/lib/dumpsurvey', false)).toEqual([
      'unload the crash module',
      'remove the directory /usr/local/lib/dumpsurvey if it is empty',
      'remove /var/lib/dumpsurvey with everything in it',
    ]);
    expect(removalSteps(installed, '/var/lib/dumpsurvey', true).at(-1)).toContain('remove the consent');
  });

  it('warns of unsent reports and of keys', () => {
    expect(losses(installed).map((line) => line.split(':')[0])).toEqual([
      '2 reports that the survey does not have yet',
      'the keys machine.key, owner.key',
    ]);
    expect(losses({ ...installed, unsentCount: 0, keys: [] })).toEqual([]);
  });
});

it.each([
  ['crashpoint/1, 6.1.0-1-amd64, x86_64: installed\n', 'installed'],
  ['crashpoint, 1, 6.1.0-1-amd64, x86_64: installed\n', 'installed'],
  ['crashpoint/1, 6.1.0-1-amd64, x86_64: installed (original_module exists)\n', 'installed'],
  ['crashpoint/1, 6.1.0-1-amd64, x86_64: built\n', 'added'],
  ['crashpoint/1, 6.1.0-11-amd64, x86_64: installed\n', 'added'],
  ['crashpoint/1: added\n', 'added'],
  ['', 'unknown'],
])('DKMS says %j', (status, state) => {
  expect(moduleStateIn(status, '6.1.0-1-amd64')).toBe(state);
});
