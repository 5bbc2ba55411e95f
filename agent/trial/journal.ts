/**
 * The journal: what this agent has begun, durable before it is done. One JSON object a line, appended with
 * fsync; a torn last line, as a power cut leaves it, is dropped. From it every trial is resumed, or reported as
 * what it was; none runs twice under one ticket, none is lost.
 */
import { mkdir, readFile, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { ticket } from '../../schema/wire.ts';
import { appendDurably, syncDirectory } from '../durable.ts';
import { beaconChannel } from '../metal/settings.ts';

const ordinal = z.int().min(0);

/** What a machine that crashes itself must know afterwards, beside what was planted. */
const onMetal = z.object({
  /** The kernel's boot id at the arming: another one since says that the machine has started again. */
  boot_id: z.string(),
  /** Names that the directory of dumps held already: none of them is this trial's. */
  crash_before: z.array(z.string()),
  watchdog: z.object({ present: z.boolean(), timeout_ms: z.int().min(0) }),
  beacon: beaconChannel,
});
export type ArmedOnMetal = z.infer<typeof onMetal>;

const entry = z.discriminatedUnion('step', [
  /** A ticket came. A later one of the same ordinal replaces one that expired unused. */
  z.object({ step: z.literal('ticket'), ordinal, ticket }),
  /** The bytes of the armed note, base64: whoever says it again says the same. */
  z.object({ step: z.literal('noted'), ordinal, nonce: z.string(), payload: z.string() }),
  /** The survey has the note. */
  z.object({ step: z.literal('said'), ordinal, nonce: z.string() }),
  /** Everything is planted, and the machine is about to be armed. Only a machine of the lab has no `metal`. */
  z.object({
    step: z.literal('arming'),
    ordinal,
    armed_at: z.string(),
    sysctls: z.record(z.string(), z.int()),
    listing: z.string(),
    metal: onMetal.optional(),
  }),
  /** The report's bytes, base64: signed as they are, also after a restart. */
  z.object({ step: z.literal('report'), ordinal, payload: z.string() }),
  /** The report is in the outbox. */
  z.object({ step: z.literal('closed'), ordinal }),
  /** The same of a control: what was planned is still to be run. */
  z.object({ step: z.literal('control'), ordinal }),
]);
export type JournalEntry = z.infer<typeof entry>;
type Step<S extends JournalEntry['step']> = Extract<JournalEntry, { step: S }>;

/** How far a trial has come: the last entry of each step. */
export interface TrialState {
  readonly ticket?: Step<'ticket'>['ticket'];
  readonly note?: Step<'noted'>;
  /** The nonce of the last note that the survey has. */
  readonly said?: string;
  readonly arming?: Step<'arming'>;
  readonly payload?: string;
  readonly closed: boolean;
  /** Controls that were run in its place, and are closed. */
  readonly controls: number;
  /** When those were armed. */
  readonly controlsArmed?: readonly string[];
  /** Nonces of earlier tickets of this trial, used or expired. */
  readonly formerNonces?: readonly string[];
}

/** The nonces that a trial has had so far, where it has had any. */
function formerly({ ticket: of, formerNonces = [] }: TrialState): Pick<TrialState, 'formerNonces'> {
  const nonces = of === undefined ? formerNonces : [...formerNonces, of.nonce];
  return nonces.length === 0 ? {} : { formerNonces: nonces };
}

function after(before: TrialState, e: JournalEntry): TrialState {
  switch (e.step) {
    case 'ticket':
      return { ...before, ticket: e.ticket, ...formerly(before) };
    case 'noted':
      return { ...before, note: e };
    case 'said':
      return { ...before, said: e.nonce };
    case 'arming':
      return { ...before, arming: e };
    case 'report':
      return { ...before, payload: e.payload };
    case 'closed':
      return { ...before, closed: true };
    case 'control': {
      const armed = [...(before.controlsArmed ?? []), ...(before.arming ? [before.arming.armed_at] : [])];
      return { closed: false, controls: before.controls + 1, controlsArmed: armed, ...formerly(before) };
    }
  }
}

/** The state of each trial after these entries. */
export function foldJournal(entries: readonly JournalEntry[]): Map<number, TrialState> {
  const trials = new Map<number, TrialState>();
  for (const e of entries)
    trials.set(e.ordinal, after(trials.get(e.ordinal) ?? { closed: false, controls: 0 }, e));
  return trials;
}

/** The entries of a journal's text, and how many of its bytes they take. Throws where a line before the last is damaged. */
export function parseJournal(text: string): {
  readonly entries: JournalEntry[];
  readonly intactBytes: number;
} {
  const entries: JournalEntry[] = [];
  let intactBytes = 0;
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  for (const [i, line] of lines.entries()) {
    try {
      entries.push(entry.parse(JSON.parse(line)));
    } catch (error) {
      if (i === lines.length - 1 && torn === '') break;
      throw new Error(
        `line ${i + 1} of the journal is damaged: ${error instanceof Error ? error.message : error}`,
      );
    }
    intactBytes += Buffer.byteLength(line) + 1;
  }
  return { entries, intactBytes };
}

export interface Journal {
  readonly trials: () => ReadonlyMap<number, TrialState>;
  /** Durable when it resolves. */
  readonly append: (e: JournalEntry) => Promise<void>;
}

/** Opens the journal at `path`, or makes one. What a power cut tore off at its end is cut off. */
export async function openJournal(path: string): Promise<Journal> {
  await mkdir(dirname(path), { recursive: true });
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const { entries, intactBytes } = parseJournal(text);
  if (intactBytes < Buffer.byteLength(text)) await truncate(path, intactBytes);
  let first = text === '';
  let byteCount = intactBytes;
  return {
    trials: () => foldJournal(entries),
    append: async (e) => {
      const line = JSON.stringify(e);
      try {
        await appendDurably(path, line);
      } catch (error) {
        // A full disk takes half a line: what comes after it would be read as damage.
        await truncate(path, byteCount).catch(() => {});
        throw error;
      }
      if (first) await syncDirectory(dirname(path));
      first = false;
      byteCount += Buffer.byteLength(line) + 1;
      entries.push(e);
    },
  };
}
