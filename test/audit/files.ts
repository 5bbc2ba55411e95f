/** A survey as files in memory: for audits that need no server. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseVerifierKey } from '../../schema/log/note.ts';
import { type AuditInput, type AuditReport, audit } from '../../worker/audit/audit.ts';
import { fileOf } from '../../worker/audit/source/copy.ts';
import { Incomplete, type Source } from '../../worker/audit/source/source.ts';

/** Bodies by the names that a copy has for their addresses. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** A source that has these files and never more. */
export function sourceOf(files: Files): Source {
  return {
    name: 'memory:',
    isLive: false,
    again: async () => false,
    open: async (address) => {
      const body = files.get(fileOf(address));
      if (body === undefined) throw new Incomplete(`memory:${address} is not there.`);
      return (async function* () {
        // In pieces, as a network gives them.
        for (let at = 0; at < body.length; at += 1000) yield body.subarray(at, at + 1000);
      })();
    },
  };
}

/** The files of a copy. */
export async function filesIn(directory: string): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(directory, path), new Uint8Array(await readFile(path)));
  }
  return files;
}

/** Audits files, under a log's key where one is given. */
export async function auditFiles(
  files: Files,
  key: string | null,
  changes: Partial<AuditInput> = {},
): Promise<AuditReport> {
  return audit({
    source: sourceOf(files),
    earlier: null,
    key: key === null ? null : await parseVerifierKey(key),
    witnesses: [],
    witnessesNeeded: 0,
    operators: new Set(),
    lastNote: null,
    receipts: [],
    edition: null,
    now: Date.now,
    sleep: async () => undefined,
    progress: () => undefined,
    ...changes,
  });
}

/** `check` or `check index` of each finding. */
export function foundIn({ tally }: AuditReport): string[] {
  return tally
    .findings()
    .map(({ check, log_index }) => (log_index === null ? check : `${check} ${log_index}`));
}
