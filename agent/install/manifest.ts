/**
 * What an installation has done to this machine, in `install.json` of the state directory. It is written before anything
 * is done: whatever interrupts an installation, all of it can be undone.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { readState } from '../metal/state.ts';
import type { Done } from './steps.ts';

const absolute = z
  .string()
  .regex(/^(\/[^/\0\n]+)+$/)
  .refine(
    (path) => !path.split('/').some((part) => part === '.' || part === '..'),
    'a path without . and ..',
  );

const manifest = z.strictObject({
  version: z.literal(1),
  agent_version: z.string().max(60),
  /** When it was installed last. */
  at: z.iso.datetime({ precision: 3 }),
  /** In the order in which it was done; undone from the end. */
  done: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('file'), path: absolute, sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
      z.strictObject({ kind: z.literal('directory'), path: absolute }),
      z.strictObject({ kind: z.literal('undo'), command: z.array(z.string().max(400)).min(1).max(20) }),
    ]),
  ),
});
export type Manifest = z.infer<typeof manifest>;

/** Where the manifest of a state directory is. */
export function manifestPath(data: string): string {
  return join(data, 'install.json');
}

/** The manifest, or null where nothing was installed. Throws Advice where the file is damaged. */
export function readManifest(data: string): Promise<Manifest | null> {
  const path = manifestPath(data);
  return readState(path, manifest, [
    `mv ${path} ${path}.damaged`,
    'dumpsurvey install    # writes it again',
    'dumpsurvey uninstall',
  ]);
}

/** Writes the manifest durably. The directory must be there. */
export function writeManifest(data: string, what: Manifest): Promise<void> {
  return writeDurably(manifestPath(data), `${JSON.stringify(manifest.parse(what), null, 1)}\n`);
}

/** What tells one thing that was done from another. */
export function nameOfDone(done: Done): string {
  return `${done.kind} ${done.kind === 'undo' ? done.command.join('\0') : done.path}`;
}

/** What was done before and what is done this time, each thing once; the later contents of a file count. */
export function mergeDone(before: readonly Done[], now: readonly Done[]): Done[] {
  const known = new Map<string, Done>();
  for (const done of [...before, ...now]) known.set(nameOfDone(done), done);
  return [...known.values()];
}
