/**
 * Quiesces what is not under test: file systems that no part of the trial needs are made read-only, or frozen where
 * files are open for writing, so that the crash finds them clean. Both can be undone. Nothing is unmounted or unloaded.
 */
import type { Programs } from './programs.ts';

export interface Mount {
  readonly path: string;
  readonly type: string;
  readonly isWritable: boolean;
  /** `MAJOR:MINOR`. */
  readonly device: string;
}

/** The octal escapes of proc(5) for blanks and backslashes in names. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** The mounts in /proc/self/mountinfo (proc(5)), those that were mounted over left out. Lines that are none are skipped. */
export function mountsIn(mountinfo: string): Mount[] {
  const byPath = new Map<string, Mount>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , device = '', , path = '', options = ''] = before.split(' ');
    const [type = '', source = '', superOptions = ''] = after.split(' ');
    if (!/^\d+:\d+$/.test(device) || path === '') continue;
    const isDisk = source.startsWith('/dev/');
    const writable = (list: string) => list.split(',').includes('rw');
    const isWritable = isDisk && writable(options) && writable(superOptions);
    byPath.set(unescaped(path), { path: unescaped(path), type, isWritable, device });
  }
  return [...byPath.values()];
}

/** What the system itself writes to while a trial is prepared: freezing one of these could stop the agent with it. */
const systemPaths = [
  '/',
  '/etc',
  '/root',
  '/run',
  '/tmp',
  '/usr',
  '/var',
  '/var/lib',
  '/var/log',
  '/var/tmp',
];

/** The mount that a path lies on. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | null {
  const within = (m: Mount) => m.path === '/' || path === m.path || path.startsWith(`${m.path}/`);
  return mounts.filter(within).toSorted((a, b) => b.path.length - a.path.length)[0] ?? null;
}

/** The mounts to quiesce, deepest first: writable, on a disk, and not under any path that is needed. */
export function quiescePlan(mounts: readonly Mount[], needed: readonly string[]): Mount[] {
  const kept = new Set([...systemPaths, ...needed].map((path) => mountOf(mounts, path)?.device));
  return mounts
    .filter((m) => m.isWritable && !kept.has(m.device))
    .toSorted((a, b) => b.path.length - a.path.length);
}

/** Quiesces one mount; false where neither way works: then it is only synchronized, as all are. */
export async function quiesce(programs: Programs, path: string): Promise<boolean> {
  if ((await programs('mount', ['-o', 'remount,ro', path], { timeoutMs: 20_000 })).code === 0) return true;
  return (await programs('fsfreeze', ['--freeze', path], { timeoutMs: 20_000 })).code === 0;
}

/** Makes a mount writable again, in whatever way it was quiesced. False where it is not. */
export async function unquiesce(programs: Programs, path: string): Promise<boolean> {
  // A frozen file system would let the remount wait for ever; one that is not frozen refuses this.
  await programs('fsfreeze', ['--unfreeze', path], { timeoutMs: 20_000 });
  return (await programs('mount', ['-o', 'remount,rw', path], { timeoutMs: 20_000 })).code === 0;
}
