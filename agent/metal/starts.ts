/** The starts of this machine, one a line, and the marks of its owner who looked. What cannot be read is left out. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { appendDurably, syncDirectory } from '../durable.ts';
import type { Start } from './guard.ts';
import type { MetalPaths } from './state.ts';

const line = z.union([
  z.strictObject({ boot_id: z.string().max(60), at_ms: z.int(), expected: z.boolean() }),
  /** The owner looked, and let it go on. */
  z.strictObject({ looked_at_ms: z.int() }),
]);

function linesIn(text: string): z.infer<typeof line>[] {
  return text.split('\n').flatMap((one) => {
    try {
      return [line.parse(JSON.parse(one))];
    } catch {
      // A torn line is a start that was cut off: the next one is counted.
      return [];
    }
  });
}

async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
}

/** The starts since the owner last looked, oldest first, and the last one of all. */
export async function readStarts({
  starts,
}: Pick<MetalPaths, 'starts'>): Promise<{ readonly counted: Start[]; readonly last: Start | null }> {
  const lines = linesIn(await textOf(starts));
  const lookedAt = lines.findLastIndex((one) => 'looked_at_ms' in one);
  const isStart = (one: z.infer<typeof line>): one is Start => 'boot_id' in one;
  return { counted: lines.slice(lookedAt + 1).filter(isStart), last: lines.findLast(isStart) ?? null };
}

async function append(path: string, value: z.infer<typeof line>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const before = await textOf(path);
  // What a power cut tore must not swallow the line behind it.
  const mend = before === '' || before.endsWith('\n') ? '' : '\n';
  await appendDurably(path, `${mend}${JSON.stringify(value)}`);
  await syncDirectory(dirname(path));
}

/** Keeps a start, once for each boot. `expected` is asked with the boot before it, null where none is known. */
export async function recordStart(
  paths: Pick<MetalPaths, 'starts'>,
  bootId: string,
  nowMs: number,
  expected: (previousBootId: string | null) => boolean,
): Promise<void> {
  const { last } = await readStarts(paths);
  if (last?.boot_id === bootId) return;
  await append(paths.starts, { boot_id: bootId, at_ms: nowMs, expected: expected(last?.boot_id ?? null) });
}

/** Keeps that the owner looked: starts before it are not counted any more. */
export function recordLook({ starts }: Pick<MetalPaths, 'starts'>, nowMs: number): Promise<void> {
  return append(starts, { looked_at_ms: nowMs });
}
