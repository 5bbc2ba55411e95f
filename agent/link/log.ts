/**
 * A survey's log as this agent sees it. Nothing is sent before its key is pinned, and no answer is taken before
 *
 *  1. the promise in it is signed by that key, and is for an entry that commits to what was sent (admitted.ts);
 *  2. the checkpoint in it is signed by that key, and of one history with the one that is held (one-history.ts).
 *
 * Signatures are verified by schema/ed25519.ts, through WebCrypto, which Node 20 has, too: notes are opened with it on
 * both sides, and a second verifier could only disagree with the first.
 */
import type { Envelope } from '../../schema/envelope.ts';
import type { Verifier } from '../../schema/log/note.ts';
import type { Logged } from '../../schema/wire.ts';
import { faultOfAdmission, type LoggedKind } from './admitted.ts';
import type { Reads } from './api.ts';
import { LogFault, type LogFaultKind, lastingFaults, logFaults } from './log-fault.ts';
import type { LogMemory } from './log-memory.ts';
import { discordOf, type Seen } from './one-history.ts';
import { heldCheckpoints, openCheckpoint, pinnedKey } from './pin.ts';

export interface SurveyLog {
  /** The log's key; pins it where none is. Throws where nothing may be sent: then nothing was. */
  readonly ready: () => Promise<Verifier>;
  /** Takes a checkpoint of an answer. Throws a LogFault where it is not the log's, or not of the history that is held. */
  readonly observe: (note: string) => Promise<Seen>;
  /** Checks the answer to what was sent, its checkpoint too. Throws a LogFault. */
  readonly admitted: (
    kind: LoggedKind,
    sent: Envelope,
    answer: Logged & { readonly checkpoint: string },
  ) => Promise<void>;
  /** Keeps the evidence, and throws: from here on nothing is sent. */
  readonly fail: (
    kind: LogFaultKind,
    what: string,
    evidence: Readonly<Record<string, string>>,
  ) => Promise<never>;
}

export interface LogOptions {
  readonly memory: LogMemory;
  readonly reads: Pick<Reads, 'index' | 'consistency'>;
  /** The verifier key that a person gave, or null: then the survey is believed once. */
  readonly givenKey: string | null;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
}

/** The log that this agent remembers in `memory` and reads by `reads`. */
export function surveyLog({ memory, reads, givenKey, now }: LogOptions): SurveyLog {
  let fault: LogFault | null = null;
  let key: Promise<Verifier> | null = null;
  let last: Promise<unknown> = Promise.resolve();

  async function fail(
    kind: LogFaultKind,
    what: string,
    evidence: Readonly<Record<string, string>>,
  ): Promise<never> {
    const path = await memory.keepEvidence(kind, now(), evidence);
    const isLasting = lastingFaults.has(kind);
    const next = isLasting
      ? `Nothing is sent to this survey any more. To go on all the same, remove ${memory.stopPath}.`
      : 'Nothing more is sent now; the next run checks again.';
    const message = `${what} ${logFaults[kind]} The evidence is in ${path}: show it to the operator of the survey. ${next}`;
    if (isLasting) await memory.stop(message);
    fault = new LogFault(kind, message);
    throw fault;
  }

  async function ready(): Promise<Verifier> {
    if (fault !== null) throw fault;
    const why = await memory.stopped();
    if (why !== null) throw new LogFault('stopped', why.trimEnd());
    key ??= pinnedKey(memory, reads.index, givenKey, now());
    try {
      return await key;
    } catch (error) {
      key = null;
      throw error;
    }
  }

  async function opened(note: string, verifier: Verifier): Promise<Seen> {
    try {
      return await openCheckpoint(note, verifier);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return fail('unsigned', `The checkpoint in the answer is not one of the log ${verifier.name}: ${why}`, {
        'shown.checkpoint': note,
      });
    }
  }

  async function observeNow(note: string): Promise<Seen> {
    const verifier = await ready();
    const shown = await opened(note, verifier);
    for (;;) {
      const held = await heldCheckpoints(memory, verifier);
      for (const one of held) {
        const discord = await discordOf(one, shown, reads.consistency);
        if (discord === null) continue;
        const evidence = {
          'held.checkpoint': one.note,
          'shown.checkpoint': note,
          'proof.txt': discord.proof,
        };
        await fail(discord.kind, discord.what, evidence);
      }
      if (held.some(({ size }) => size >= shown.size) || (await memory.hold(shown, held))) return shown;
      // Another process holds one of this size by now: it is compared, too.
    }
  }

  /** One after the other: each is compared with what the one before has left. */
  function observe(note: string): Promise<Seen> {
    const next = last.then(
      () => observeNow(note),
      () => observeNow(note),
    );
    last = next;
    return next;
  }

  return {
    ready,
    observe,
    fail,
    admitted: async (kind, sent, answer) => {
      const wrong = await faultOfAdmission(kind, sent, answer, await ready());
      if (wrong !== null) {
        await fail('mismatch', `The answer to what was sent (${kind}) is not to be trusted. ${wrong}`, {
          'request.json': JSON.stringify(sent),
          'answer.json': JSON.stringify(answer),
        });
      }
      await observe(answer.checkpoint);
    },
  };
}
