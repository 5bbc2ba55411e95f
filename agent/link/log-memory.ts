/**
 * What an agent remembers of a survey's log, durably, in a directory for each survey:
 *
 *     log-key.json       the verifier key that is pinned, and how it came to be
 *     checkpoints/SIZE   verified checkpoints. A newer one is kept when it was proven consistent with all that are
 *                        here; then those are removed. So it is one, or a few where processes were at it together
 *     evidence/…         what contradicted them, as it was received
 *     stopped            why nothing is sent any more: only a person removes it
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { Advice } from '../advice.ts';
import { createDurably, syncDirectory, writeDurably } from '../durable.ts';

const pin = z.object({
  verifier_key: z.string(),
  /** `given`: by the person who runs this. `first-use`: the survey said it, and was believed once. */
  how: z.enum(['given', 'first-use']),
  at: z.string(),
});
export type Pin = z.infer<typeof pin>;

/** A checkpoint as it is kept: its size is the name of its file. */
export interface HeldNote {
  readonly size: number;
  readonly note: string;
}

export interface LogMemory {
  readonly dir: string;
  readonly pinned: () => Promise<Pin | null>;
  /** Pins a key where none is; gives the one that is pinned then. */
  readonly pin: (p: Pin) => Promise<Pin>;
  /** The checkpoints that are held, largest first. */
  readonly held: () => Promise<HeldNote[]>;
  /** Holds a checkpoint in place of those; false where one of its size is held already. */
  readonly hold: (held: HeldNote, instead: readonly HeldNote[]) => Promise<boolean>;
  /** Keeps files that prove something; gives their directory. */
  readonly keepEvidence: (
    what: string,
    nowMs: number,
    files: Readonly<Record<string, string>>,
  ) => Promise<string>;
  /** The names of what is kept as evidence, oldest first. */
  readonly evidence: () => Promise<string[]>;
  /** Where the reason is written why nothing is sent any more. */
  readonly stopPath: string;
  readonly stopped: () => Promise<string | null>;
  readonly stop: (why: string) => Promise<void>;
}

/** The memory of a survey in the data directory: one for each address. */
export function surveyDir(data: string, url: string): string {
  const base = url.replace(/\/+$/, '');
  const host = base.replace(/^https?:\/\//, '').replaceAll(/[^a-z0-9.-]/gi, '_');
  const hash = createHash('sha256').update(base).digest('hex').slice(0, 16);
  return join(data, 'surveys', `${host.slice(0, 60)}-${hash}`);
}

function orNull<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** The memory in a directory. Nothing is made there before there is something to keep. */
export function logMemoryIn(dir: string): LogMemory {
  const [keyPath, checkpoints, evidence] = ['log-key.json', 'checkpoints', 'evidence'].map((name) =>
    join(dir, name),
  ) as [string, string, string];
  const stopPath = join(dir, 'stopped');

  async function pinned(): Promise<Pin | null> {
    const text = await orNull(readFile(keyPath, 'utf8'));
    if (text === null) return null;
    try {
      return pin.parse(JSON.parse(text));
    } catch {
      throw new Advice(
        `${keyPath} does not say which key of the log is pinned. Restore it from a backup, or forget this log; its key is then pinned anew:`,
        [`rm -r ${dir}`],
      );
    }
  }

  return {
    dir,
    stopPath,
    pinned,
    pin: async (p) => {
      await mkdir(dir, { recursive: true });
      await createDurably(keyPath, `${JSON.stringify(p)}\n`, 0o644);
      return (await pinned()) ?? p;
    },
    held: async () => {
      const names = ((await orNull(readdir(checkpoints))) ?? []).filter((name) => /^\d+$/.test(name));
      const held = await Promise.all(
        names.map(async (name) => ({
          size: Number(name),
          note: await orNull(readFile(join(checkpoints, name), 'utf8')),
        })),
      );
      // One that another process has just replaced is not held any more.
      return held.filter((h): h is HeldNote => h.note !== null).toSorted((a, b) => b.size - a.size);
    },
    hold: async ({ size, note }, instead) => {
      await mkdir(checkpoints, { recursive: true });
      if (!(await createDurably(join(checkpoints, String(size)), note, 0o644))) return false;
      for (const old of instead) await rm(join(checkpoints, String(old.size)), { force: true });
      return true;
    },
    keepEvidence: async (what, nowMs, files) => {
      const stamp = new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-');
      const path = join(evidence, `${stamp}-${what}`);
      await mkdir(path, { recursive: true });
      for (const [name, contents] of Object.entries(files)) await writeDurably(join(path, name), contents);
      for (const made of [evidence, dir]) await syncDirectory(made);
      return path;
    },
    evidence: async () => ((await orNull(readdir(evidence))) ?? []).sort(),
    stopped: () => orNull(readFile(stopPath, 'utf8')),
    stop: async (why) => {
      await mkdir(dir, { recursive: true });
      await createDurably(stopPath, `${why}\n`, 0o644);
    },
  };
}
