/** The receipts that this agent keeps: those of sent reports in the outbox, those of other requests beside the log. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { logged } from '../../schema/wire.ts';

const kept = z.looseObject({ promise: logged.shape.promise });

/** A receipt: its file, and the promise in it; null where the file holds none. */
export interface KeptReceipt {
  readonly file: string;
  readonly promise: z.infer<typeof kept>['promise'] | null;
}

async function namesIn(dir: string, pattern: RegExp): Promise<string[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => pattern.test(name)).sort();
}

function promiseIn(text: string): KeptReceipt['promise'] {
  try {
    const value = JSON.parse(text) as { receipt?: unknown };
    return kept.parse(value.receipt ?? value).promise;
  } catch {
    return null;
  }
}

/** All receipts of a data directory's outbox and of a survey's directory, by the names of their files. */
export async function keptReceipts(outbox: string, survey: string): Promise<KeptReceipt[]> {
  const places = [
    { dir: join(outbox, 'sent'), pattern: /^[0-9a-f]{32}\.note$/ },
    { dir: join(survey, 'receipts'), pattern: /\.json$/ },
  ];
  const receipts: KeptReceipt[] = [];
  for (const { dir, pattern } of places) {
    for (const name of await namesIn(dir, pattern)) {
      const file = join(dir, name);
      receipts.push({ file, promise: promiseIn(await readFile(file, 'utf8')) });
    }
  }
  return receipts;
}
