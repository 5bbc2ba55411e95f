/** One entry with its contents as the survey shows them, opened: everything that can be told without other entries. */
import * as z from 'zod';
import { fromHex } from '../../schema/bytes.ts';
import { type Envelope, envelope } from '../../schema/envelope.ts';
import {
  entryText,
  envelopeCommitment,
  type LogEntry,
  logEntry,
  rowCommitment,
} from '../../schema/log/entry.ts';
import { type RowOf, rows } from '../../schema/log/row.ts';
import type { EntryKind } from '../../schema/vocabulary.ts';
import { logIndex } from '../../schema/wire.ts';
import { parseJson } from '../admit/json.ts';
import type { Opened } from '../admit/open.ts';
import { type BodyOf, openSigned } from './bodies.ts';
import type { Check } from './checks.ts';

const salt = z.string().regex(/^[0-9a-f]{32}$/);

/** A line of `/log/rows/N`. */
const contentsLine = z.strictObject({
  log_index: logIndex,
  row: z.string().nullable(),
  row_salt: salt.nullable(),
  envelope: envelope.nullable(),
  envelope_salt: salt.nullable(),
});
export type Contents = z.infer<typeof contentsLine>;

/** The longest line that is read: a request of the largest size in base64, and a row. */
export const lineMaxBytes = 2 * 1024 * 1024;

/**
 * The contents in a line. Throws an Error that says what is wrong. One value has one text, the one that JSON.stringify
 * writes, so that no reader sees another value in the same bytes.
 */
export function parseContents(text: string): Contents {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  if (JSON.stringify(value) !== text) throw new Error('its JSON text is not the one of its value');
  const parsed = contentsLine.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`${issue?.path.join('.') || 'the top level'}: ${issue?.message ?? 'not as agreed'}`);
}

/** Something wrong with one entry, before anybody counts it. */
export interface Flaw {
  readonly check: Check;
  readonly expected: string;
  readonly found: string;
}

/** A public row with the kind of its entry. */
export type Row = { readonly [K in EntryKind]: { readonly kind: K; readonly value: RowOf[K] } }[EntryKind];

/** An entry whose row is there, with the signed request behind it where that is shown. */
export interface ItemOf<K extends EntryKind> {
  readonly kind: K;
  readonly index: number;
  readonly admittedMs: number;
  readonly row: RowOf[K];
  readonly said: Opened<BodyOf[K]> | null;
  /** Whether a signed request stands behind the entry at all. */
  readonly isSigned: boolean;
}
export type Item = { readonly [K in EntryKind]: ItemOf<K> }[EntryKind];

/** What was found of one entry. */
export interface OpenedEntry {
  readonly index: number;
  /** Null where it is not in the agreed form. */
  readonly entry: LogEntry | null;
  /** Null where the row is withdrawn, or wrong. */
  readonly item: Item | null;
  readonly row: 'ok' | 'withdrawn' | 'mismatch';
  /** `absent`: the entry commits to a request, and none is shown. */
  readonly envelope: 'ok' | 'withdrawn' | 'absent' | 'unkept' | 'mismatch';
  readonly flaws: readonly Flaw[];
}

/** The entry in a bundle's bytes, strictly: the very text that the log would write. Null for anything else. */
export function parseEntry(bytes: Uint8Array): LogEntry | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const entry = logEntry.parse(JSON.parse(text));
    return entryText(entry) === text ? entry : null;
  } catch {
    return null;
  }
}

/** Opens one entry. Never throws for what a survey may show. */
export async function openEntry(index: number, bytes: Uint8Array, contents: Contents): Promise<OpenedEntry> {
  const entry = parseEntry(bytes);
  if (entry === null) {
    const found = new TextDecoder().decode(bytes.subarray(0, 200));
    const flaw: Flaw = { check: 'entries', expected: 'an entry of version 1 in the agreed form', found };
    return { index, entry, item: null, row: 'mismatch', envelope: 'mismatch', flaws: [flaw] };
  }
  const flaws: Flaw[] = [];
  const row = await openRow(entry, contents, flaws);
  const said = await openEnvelopeOf(entry, contents, flaws);
  const item =
    row.value === null
      ? null
      : ({
          kind: entry.kind,
          index,
          admittedMs: Date.parse(entry.admitted_at),
          row: row.value,
          said: said.value,
          isSigned: entry.envelope !== null,
        } as Item);
  return { index, entry, item, row: row.state, envelope: said.state, flaws };
}

/** The row of an entry, if the text opens the commitment and parses as its kind's; otherwise null. */
export async function rowIn(
  entry: LogEntry,
  { row, row_salt }: Pick<Contents, 'row' | 'row_salt'>,
): Promise<{ readonly value: unknown } | { readonly fault: string }> {
  if (row === null || row_salt === null)
    return { fault: 'a row without its salt, or a salt without its row' };
  const commitment = await rowCommitment(fromHex(row_salt), row);
  if (commitment !== entry.row) return { fault: `a row and a salt that give ${commitment}: ${row}` };
  try {
    return { value: rows[entry.kind].parse(parseJson(row)) };
  } catch {
    return { fault: `a row that is none of a ${entry.kind}: ${row}` };
  }
}

async function openRow(
  entry: LogEntry,
  contents: Contents,
  flaws: Flaw[],
): Promise<{ state: OpenedEntry['row']; value: unknown }> {
  if (contents.row === null && contents.row_salt === null) return { state: 'withdrawn', value: null };
  const opened = await rowIn(entry, contents);
  if ('value' in opened) return { state: 'ok', value: opened.value };
  flaws.push({ check: 'rows', expected: `a row that opens ${entry.row}`, found: opened.fault });
  return { state: 'mismatch', value: null };
}

async function openEnvelopeOf(
  entry: LogEntry,
  contents: Contents,
  flaws: Flaw[],
): Promise<{ state: OpenedEntry['envelope']; value: Opened<BodyOf[EntryKind]> | null }> {
  const { envelope: shown, envelope_salt } = contents;
  const flaw = (found: string) => {
    const expected =
      entry.envelope === null
        ? 'no signed request, as the entry says'
        : `a request that opens ${entry.envelope}`;
    flaws.push({ check: 'envelopes', expected, found });
    return { state: 'mismatch' as const, value: null };
  };
  if (shown === null && envelope_salt === null) {
    if (contents.row === null) return { state: 'withdrawn', value: null };
    return { state: entry.envelope === null ? 'unkept' : 'absent', value: null };
  }
  if (shown === null || envelope_salt === null)
    return flaw('a request without its salt, or a salt without its request');
  if (entry.envelope === null) return flaw('a signed request');
  return openCommitted(entry.kind, shown, envelope_salt, entry.envelope, flaw);
}

async function openCommitted(
  kind: EntryKind,
  shown: Envelope,
  envelopeSalt: string,
  expected: string,
  flaw: (found: string) => { state: 'mismatch'; value: null },
): Promise<{ state: 'ok' | 'mismatch'; value: Opened<BodyOf[EntryKind]> | null }> {
  try {
    const opened = await openSigned(kind, shown);
    const { hash, signature } = opened.request;
    const commitment = await envelopeCommitment(fromHex(envelopeSalt), hash, signature);
    if (commitment !== expected)
      return flaw(`a request that gives ${commitment}, signed by ${opened.request.key}`);
    return { state: 'ok', value: opened };
  } catch (error) {
    return flaw(error instanceof Error ? error.message : String(error));
  }
}
