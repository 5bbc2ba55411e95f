/** Carries an installation's steps out. What may fail is checked first; what is done is in the manifest before it is. */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Advice, Expected } from '../advice.ts';
import { writeDurably } from '../durable.ts';
import type { Programs } from '../metal/programs.ts';
import { type Manifest, mergeDone, nameOfDone, readManifest, writeManifest } from './manifest.ts';
import { type Done, describeStep, type Step } from './steps.ts';
import { undoAll } from './undo.ts';

export interface ApplyOptions {
  /** `/` but in tests: the paths of files are below it. */
  readonly root: string;
  /** The state directory, below the root. */
  readonly data: string;
  readonly programs: Programs;
  readonly agentVersion: string;
  readonly nowMs: number;
  readonly told: (step: string) => void;
}

/** DKMS builds a module, and a capture environment is packed: on a slow machine that takes minutes. */
const programTimeoutMs = 15 * 60_000;

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What is at a path: nothing, a regular file with this hash, or something else. */
async function hashAt(path: string): Promise<string | null | 'other'> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return null;
  return found.isFile() ? sha256(await readFile(path, 'utf8')) : 'other';
}

/** The directories above a file that are not there, the topmost first. */
async function missingAbove(root: string, path: string): Promise<string[]> {
  const dir = dirname(path);
  if (dir === '/') return [];
  const isThere = await lstat(join(root, dir)).then(
    () => true,
    () => false,
  );
  return isThere ? [] : [...(await missingAbove(root, dir)), dir];
}

/** What a step will leave to be undone. Throws Advice where its file is somebody else's. */
async function foresee(step: Step, root: string, before: readonly Done[]): Promise<Done[]> {
  if (step.kind === 'state') return [];
  if (step.kind === 'program') return step.undo === null ? [] : [{ kind: 'undo', command: step.undo }];
  const wanted = sha256(step.contents);
  const there = await hashAt(join(root, step.path));
  const isOwn = before.some((done) => done.kind === 'file' && done.path === step.path);
  if (there !== null && !isOwn) {
    // The same file from another hand stays when this agent goes.
    if (there === wanted) return [];
    throw new Advice(
      `${step.path} is there, and this agent has not put it there. Nothing was changed. Move it away, then start again:`,
      [`mv ${step.path} ${step.path}.old`],
    );
  }
  const directories = (await missingAbove(root, step.path)).map(
    (path): Done => ({ kind: 'directory', path }),
  );
  return [...directories, { kind: 'file', path: step.path, sha256: wanted }];
}

async function carryOut(step: Step, { root, programs }: ApplyOptions): Promise<string | null> {
  if (step.kind === 'program') {
    const [name, ...args] = step.command ?? [];
    if (name === undefined) return null;
    const { code, stdout, stderr } = await programs(name, args, { timeoutMs: programTimeoutMs });
    if (code === 0) return null;
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-8).join('\n');
    if (step.mayFail) return `${[name, ...args].join(' ')} ended with ${code}:\n${said}`;
    throw new Expected(
      `${[name, ...args].join(' ')} ended with ${code}:\n${said}\nWhat was done up to there can be undone: dumpsurvey uninstall`,
    );
  }
  if (step.kind === 'state') {
    await mkdir(dirname(step.path), { recursive: true });
    await step.write();
    return null;
  }
  const path = join(root, step.path);
  await mkdir(dirname(path), { recursive: true });
  await writeDurably(path, step.contents, step.mode);
  // Whatever the umask of this shell is.
  await chmod(path, step.mode);
  return null;
}

/** What was done before and is no part of these steps: beacons that the owner gave up, files of an older agent. */
function outdated(before: readonly Done[], now: readonly Done[]): Done[] {
  const kept = new Set(mergeDone([], now).map(nameOfDone));
  return before.filter((done) => done.kind !== 'directory' && !kept.has(nameOfDone(done)));
}

/**
 * Carries the steps out, undoes what an earlier installation did and they do not, and gives what some of them said that may fail and did. Installed already, the same steps are
 * done again. Throws Advice, with nothing changed, where a file is somebody else's; an Expected error where a step fails
 * that may not: then what was done is in the manifest.
 */
export async function applySteps(steps: readonly Step[], options: ApplyOptions): Promise<string[]> {
  const { root, data, agentVersion, nowMs, told } = options;
  const before: Manifest['done'] = (await readManifest(data))?.done ?? [];
  const now = (await Promise.all(steps.map((step) => foresee(step, root, before)))).flat();
  await mkdir(data, { recursive: true, mode: 0o755 });
  const keep = (done: readonly Done[]) =>
    writeManifest(data, {
      version: 1,
      agent_version: agentVersion,
      at: new Date(nowMs).toISOString(),
      done: done.map((one) => (one.kind === 'undo' ? { kind: 'undo', command: [...one.command] } : one)),
    });
  const all = mergeDone(before, now);
  await keep(all);
  const old = outdated(before, now);
  const troubles = await undoAll(old, options);
  if (old.length > 0) await keep(all.filter((one) => !old.some((o) => nameOfDone(o) === nameOfDone(one))));
  for (const step of steps) {
    if (step.kind !== 'program' || step.command !== null) told(describeStep(step));
    const trouble = await carryOut(step, options);
    if (trouble !== null) troubles.push(trouble);
  }
  return troubles;
}
