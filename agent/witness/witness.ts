/**
 * A witness of transparency logs (C2SP tlog-witness): it cosigns a checkpoint only if that continues what it cosigned
 * before, so that a log cannot show two histories to people who ask for the same witness. It promises never to sign
 * two roots for one size, never to go back, and to forget nothing that it has given out; it does not look at entries.
 */
import { type Checkpoint, type NamedSigner, parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { cosign } from '../../schema/log/cosignature.ts';
import {
  formatNote,
  formatSignature,
  formatVerifierKey,
  keyId,
  openNote,
  type Verifier,
} from '../../schema/log/note.ts';
import { originHash } from '../../schema/log/witness.ts';
import { messageOf, readSubmission, refusalOf } from './judge.ts';
import type { WitnessStore } from './store.ts';

export interface WitnessOptions {
  /** The keys of the logs to watch. A key's name is its log's origin. */
  readonly logs: readonly Verifier[];
  readonly signer: NamedSigner;
  readonly store: WitnessStore;
  /** The time, in seconds since 1970. */
  readonly nowSeconds: () => number;
}

export interface Answer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 503;
  readonly contentType: string;
  readonly body: string;
}

/** What was cosigned last of one log. */
export interface Held {
  readonly checkpoint: Checkpoint;
  readonly timestampSeconds: number;
  /** The checkpoint with the log's signature and this witness' own. */
  readonly note: string;
}

export interface WatchedLog {
  readonly origin: string;
  /** SHA-256 of the origin, in hexadecimal. */
  readonly hash: string;
  readonly held: Held | null;
  readonly hasSplitView: boolean;
}

export interface Witness {
  /** What those who trust this witness verify its cosignatures with. */
  readonly vkey: string;
  /** Answers the body of an add-checkpoint request. Rejects only if the store fails; nothing is given out then. */
  readonly addCheckpoint: (body: string) => Promise<Answer>;
  readonly logs: () => readonly WatchedLog[];
}

interface Log {
  readonly origin: string;
  readonly hash: string;
  held: Held | null;
  hasSplitView: boolean;
}

/** What a note of the store says. Throws an Error unless this witness cosigned it for this log. */
async function heldIn(note: string, origin: string, own: Verifier): Promise<Held> {
  const opened = await openNote(note, [own]);
  const checkpoint = parseCheckpoint(opened.text);
  if (checkpoint.origin !== origin) throw new Error(`It is of ${checkpoint.origin}.`);
  return { checkpoint, timestampSeconds: opened.verified[0]?.timestampSeconds ?? 0, note };
}

async function openLog(origin: string, own: Verifier, store: WitnessStore): Promise<Log> {
  const hash = await originHash(origin);
  const [note, splitView] = [await store.read(hash), await store.splitView(hash)];
  const log = { origin, hash, hasSplitView: splitView !== null };
  if (note === null) return { ...log, held: null };
  try {
    return { ...log, held: await heldIn(note, origin, own) };
  } catch (error) {
    throw new Error(
      `${hash}.checkpoint does not hold what ${own.name} cosigned of ${origin}: ${messageOf(error)} With an older one or none this witness could sign a second history: start another, with a new key, in an empty directory.`,
    );
  }
}

/** Runs tasks one after the other, whatever becomes of each. */
function queue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}

/** Opens a witness with what its store remembers. Throws an Error if the store holds what it did not write. */
export async function openWitness({ logs, signer, store, nowSeconds }: WitnessOptions): Promise<Witness> {
  const { name, publicKey } = signer;
  const own: Verifier = { name, keyId: await keyId(name, 4, publicKey), key: publicKey, type: 4 };
  const keys = Map.groupBy(logs, (key) => key.name);
  const watched = new Map<string, Log>();
  for (const origin of keys.keys()) watched.set(origin, await openLog(origin, own, store));
  const inTurn = queue();

  async function addCheckpoint(body: string): Promise<Answer> {
    const submission = await readSubmission(body, keys);
    if ('status' in submission) return submission;
    const log = watched.get(submission.checkpoint.origin);
    if (!log) throw new Error(`no state for ${submission.checkpoint.origin}`);
    // From the comparison to the durable write nothing else may move the head.
    return inTurn(async () => {
      const refused = await refusalOf(submission, log.held?.checkpoint ?? null);
      if (refused?.isSplitView) {
        await store.keepSplitView(log.hash, formatNote(submission.text, submission.signatures));
        log.hasSplitView = true;
      }
      if (refused) return refused;
      const timestampSeconds = nowSeconds();
      const before = log.held?.timestampSeconds ?? 0;
      if (timestampSeconds < before) {
        const body = `The clock of this witness stands ${before - timestampSeconds} s before its last cosignature. It signs again when that time is past; its operator should set the clock.\n`;
        return { status: 503, contentType: 'text/plain; charset=utf-8', body };
      }
      const cosignature = await cosign(submission.text, name, timestampSeconds, signer);
      const note = formatNote(submission.text, [...submission.signatures, cosignature]);
      await store.write(log.hash, note);
      log.held = { checkpoint: submission.checkpoint, timestampSeconds, note };
      return {
        status: 200,
        contentType: 'text/plain; charset=utf-8',
        body: formatSignature(cosignature),
      };
    });
  }

  return {
    vkey: await formatVerifierKey(name, publicKey, 4),
    addCheckpoint,
    logs: () => [...watched.values()].map((log) => ({ ...log })),
  };
}
