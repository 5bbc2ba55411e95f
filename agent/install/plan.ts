/** What an installation does, as a list of steps. Pure. */
import type { MetalPaths } from '../metal/state.ts';
import type { Step } from './steps.ts';
import { type PackageFile, units } from './units.ts';

/** What this machine has. */
export interface Site {
  /** Whether the agent came as a Debian package: then program, module source, units and pages are the package's. */
  readonly isPackaged: boolean;
  /** Whether systemd runs this machine. */
  readonly hasSystemd: boolean;
  readonly hasDkms: boolean;
  /** What DKMS knows of the module for the running kernel. */
  readonly moduleState: 'unknown' | 'added' | 'installed';
  /** The Node that runs the bundle. */
  readonly node: string;
  /** The bundle's own text; null where this is not the bundle. */
  readonly bundle: string | null;
}

/** What the owner wants: what writes each file of the state directory. */
export interface Choice {
  readonly settings: () => Promise<unknown>;
  /** The consent; null leaves that as it is. */
  readonly consent: (() => Promise<unknown>) | null;
  /** Whether the owner has given consent before. */
  readonly isSpare: boolean;
}

/** Files that are made elsewhere. */
export interface Parts {
  /** The module's sources, by name. */
  readonly module: ReadonlyMap<string, string>;
  /** Manual page and completions, with places below /usr/local/share. */
  readonly pages: readonly PackageFile[];
  /** Scripts of the capture environment, and what puts them there and takes them out again. */
  readonly hooks: readonly PackageFile[];
  readonly hooksCommand: readonly string[] | null;
}

/** DKMS' name of the module, as in kmod/dkms.conf. */
export const dkmsModule = 'crashpoint/1';
const moduleDir = '/usr/src/crashpoint-1';
const libraryDir = '/usr/local/lib/dumpsurvey';
const commandPath = '/usr/local/bin/dumpsurvey';

const file = (path: string, contents: string, mode = 0o644): Step => ({ kind: 'file', path, contents, mode });

const program = (command: readonly string[], why: string, mayFail = false): Step => ({
  kind: 'program',
  command,
  undo: null,
  why,
  mayFail,
});

/** Takes back later what is done by steps behind this one. */
const afterwards = (undo: readonly string[], why: string): Step => ({
  kind: 'program',
  command: null,
  undo,
  why,
  mayFail: false,
});

const quoted = (path: string) => `'${path.replaceAll("'", "'\\''")}'`;

function ownFiles({ node, bundle }: Site, { pages }: Parts): Step[] {
  const launcher = `#!/bin/sh\nexec ${quoted(node)} ${libraryDir}/dumpsurvey.cjs "$@"\n`;
  return [
    ...(bundle === null ? [] : [file(`${libraryDir}/dumpsurvey.cjs`, bundle)]),
    file(commandPath, launcher, 0o755),
    ...pages.map(({ path, contents, mode }) => file(`/usr/local/share/${path}`, contents, mode)),
  ];
}

function moduleSteps({ isPackaged, hasDkms, moduleState }: Site, { module }: Parts): Step[] {
  const build = program(
    ['dkms', 'install', dkmsModule],
    'builds the crash module for the running kernel; it is not loaded',
    // A kernel without headers: doctor says what is missing.
    true,
  );
  if (isPackaged) return hasDkms && moduleState !== 'installed' ? [build] : [];
  return [
    ...[...module].map(([name, text]) => file(`${moduleDir}/${name}`, text)),
    afterwards(['dkms', 'remove', dkmsModule, '--all'], 'removes the crash module from every kernel'),
    ...(hasDkms && moduleState === 'unknown'
      ? [program(['dkms', 'add', dkmsModule], 'registers the crash module', true)]
      : []),
    ...(hasDkms && moduleState !== 'installed' ? [build] : []),
  ];
}

function unitSteps({ isPackaged, hasSystemd }: Site): Step[] {
  if (isPackaged) return [];
  const reload = ['systemctl', 'daemon-reload'];
  return [
    ...(hasSystemd ? [afterwards(reload, 'systemd reads its units')] : []),
    ...units(commandPath, '/etc/systemd/system').map(({ path, contents, mode }) =>
      file(path, contents, mode),
    ),
    ...(hasSystemd ? [program(reload, 'systemd reads its units')] : []),
  ];
}

function hookSteps({ hooks, hooksCommand }: Parts): Step[] {
  if (hooks.length === 0) return [];
  return [
    ...(hooksCommand === null ? [] : [afterwards(hooksCommand, 'the capture environment is made again')]),
    ...hooks.map(({ path, contents, mode }) => file(path, contents, mode)),
    ...(hooksCommand === null
      ? []
      : [program(hooksCommand, 'the capture environment is made again, with the beacons')]),
  ];
}

/**
 * The steps. Nothing of it crashes, loads or starts anything: the timer is enabled for the next start of the machine, and
 * only where the owner has given consent, which is the last step but that.
 */
export function installPlan(
  site: Site,
  paths: Pick<MetalPaths, 'settings' | 'consent'>,
  choice: Choice,
  parts: Parts,
): Step[] {
  const enable: Step = {
    kind: 'program',
    command: ['systemctl', 'enable', 'dumpsurvey.timer'],
    undo: ['systemctl', 'disable', '--now', 'dumpsurvey.timer'],
    why: 'from the next start of the machine on, the campaign goes on by itself',
    mayFail: false,
  };
  return [
    ...(site.isPackaged ? [] : ownFiles(site, parts)),
    ...moduleSteps(site, parts),
    ...unitSteps(site),
    ...hookSteps(parts),
    { kind: 'state', path: paths.settings, write: choice.settings },
    ...(choice.consent === null
      ? []
      : [{ kind: 'state', path: paths.consent, write: choice.consent } as const]),
    ...(choice.consent !== null || choice.isSpare ? [enable] : []),
  ];
}
