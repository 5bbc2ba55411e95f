/** The kernel module that plants and crashes (docs/kernel-module.md), as the agent speaks to it. */
import { type Listing, parseListing } from '../../schema/canary.ts';
import type { System } from './system.ts';

const dir = '/sys/kernel/debug/crashpoint';
const control = `${dir}/control`;

export type ModuleState = 'absent' | 'idle' | 'planted' | 'armed' | 'fired';

/** The module's state as its control file says it. */
export function moduleState({ tree }: Pick<System, 'tree'>): ModuleState {
  const said = /^state: (idle|planted|armed|fired)$/m.exec(tree.read(control) ?? '')?.[1];
  return (said as ModuleState | undefined) ?? 'absent';
}

/** The module's last words in the kernel's log, for a message. */
async function lastWords({ programs }: Pick<System, 'programs'>): Promise<string> {
  const { stdout } = await programs('dmesg', [], { timeoutMs: 10_000 });
  const line = stdout.split('\n').findLast((text) => text.includes('crashpoint: '));
  return line?.slice(line.indexOf('crashpoint: ')).slice(0, 200) ?? 'the kernel log says nothing of it';
}

/** Loads the module. Throws an Error that says why it does not load. */
export async function loadModule(system: Pick<System, 'tree' | 'programs'>): Promise<void> {
  if (moduleState(system) !== 'absent') return;
  if (system.tree.list('/sys/kernel/debug').length === 0)
    await system.programs('mount', ['-t', 'debugfs', 'debugfs', '/sys/kernel/debug']);
  const { code, stderr } = await system.programs('modprobe', ['crashpoint']);
  if (code !== 0) throw new Error(`the module crashpoint does not load: ${stderr.trim().slice(0, 200)}`);
  if (moduleState(system) === 'absent')
    throw new Error(`${control} is not there after the module was loaded: is the kernel locked down?`);
}

/** Unloads the module; false where it is in use, as after a crash that was survived. */
export async function unloadModule({ programs }: Pick<System, 'programs'>): Promise<boolean> {
  return (await programs('modprobe', ['-r', 'crashpoint'])).code === 0;
}

/**
 * Gives the module one command, in a process of its own: at `direct` it is this process that crashes, or never comes
 * back. Resolves with false where the module refused it.
 */
async function command(
  { programs }: Pick<System, 'programs'>,
  text: string,
  timeoutMs: number,
): Promise<boolean> {
  return (await programs('tee', [control], { input: text, timeoutMs })).code === 0;
}

/** Plants the records and canaries of a nonce, and gives what was planted. Throws an Error where that fails. */
export async function plant(system: System, nonce: string): Promise<Listing> {
  if (!(await command(system, `action=plant nonce=${nonce}`, 30_000)))
    throw new Error(`nothing was planted: ${await lastWords(system)}`);
  const listing = parseListing(system.tree.read(`${dir}/listing`) ?? '');
  if (listing.nonce !== nonce) throw new Error(`the module planted another nonce, ${listing.nonce}`);
  return listing;
}

export interface ArmOrder {
  readonly nonce: string;
  readonly point: string;
  readonly type: string;
  /** MAJOR:MINOR of the whole disk whose requests are counted, or null. */
  readonly device: string | null;
  readonly inFlight: number;
  /** Longer than the module waits for its condition. */
  readonly timeoutMs: number;
}

/** The command that arms. */
export function armCommand({ nonce, point, type, device, inFlight }: ArmOrder): string {
  const counted = device === null ? '' : ` device=${device} inflight=${inFlight}`;
  return `action=arm nonce=${nonce} point=${point} type=${type}${counted}`;
}

/** Arms. What follows is the crash, or null; or, in words, why the module did not take it. */
export async function arm(system: System, order: ArmOrder): Promise<string | null> {
  return (await command(system, armCommand(order), order.timeoutMs)) ? null : lastWords(system);
}

/** Takes a trap away, fired or not; false where the module refuses, because something of it never comes back. */
export function disarm(system: System): Promise<boolean> {
  return command(system, 'action=disarm', 30_000);
}

/** What the module said of a crash that the system went on after, or null. */
export async function survivedLine(
  { programs }: Pick<System, 'programs'>,
  nonce: string,
): Promise<string | null> {
  const { stdout } = await programs('dmesg', [], { timeoutMs: 10_000 });
  const behind = `crashpoint: survived nonce=${nonce} `;
  const line = stdout.split('\n').find((text) => text.includes(behind));
  return line === undefined ? null : line.slice(line.indexOf(behind) + behind.length);
}

/** The kernel's log as it stands, one string a line. */
export async function kernelLog({ programs }: Pick<System, 'programs'>): Promise<string[]> {
  return (await programs('dmesg', [], { timeoutMs: 10_000 })).stdout
    .split('\n')
    .filter((line) => line !== '');
}
