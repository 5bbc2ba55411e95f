/**
 * The outbox: signed reports on their way. A report is durable here before it is sent, is sent until the survey
 * gives a receipt, and its bytes never change. `waiting/NONCE.json` moves to `sent/` beside its receipt, or to
 * `refused/` beside the reason, which may be that the file is torn; nothing is deleted.
 */
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type Envelope, envelope } from '../../schema/envelope.ts';
import type { Receipt } from '../../schema/wire.ts';
import { syncDirectory, writeDurably } from '../durable.ts';
import { Refused } from './api.ts';
import { Kept } from './mailbox.ts';

const folders = ['waiting', 'sent', 'refused'] as const;

export interface Outbox {
  /** Takes a report in, durably. Does nothing where it has one of this name: the first bytes stay. */
  readonly put: (nonce: string, e: Envelope) => Promise<void>;
  /** Sends what waits, oldest name first. Gives what became of each; throws where the survey cannot be reached. */
  readonly flush: (send: (e: Envelope) => Promise<Receipt>) => Promise<readonly Sent[]>;
  /** The file names of what waits, oldest first, each with the bytes that would be sent. */
  readonly waiting: () => Promise<readonly { readonly name: string; readonly text: string }[]>;
  readonly count: () => Promise<Record<(typeof folders)[number], number>>;
}

export type Sent =
  | { readonly nonce: string; readonly receipt: Receipt }
  | { readonly nonce: string; readonly refused: string };

/** The envelope that a file's text holds, or null where it holds none. */
function signedIn(text: string): Envelope | null {
  try {
    return envelope.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The outbox in a directory. */
export async function outboxIn(dir: string): Promise<Outbox> {
  // Looking makes no directories: who may only look can.
  const list = async (folder: string) => {
    const names = await readdir(join(dir, folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => /^[0-9a-f]{32}\.json$/.test(name)).sort();
  };
  const makeFolders = async () => {
    for (const folder of folders) await mkdir(join(dir, folder), { recursive: true });
  };

  async function move(name: string, to: 'sent' | 'refused', note: string): Promise<void> {
    await makeFolders();
    await writeDurably(join(dir, to, name.replace('.json', '.note')), note);
    await rename(join(dir, 'waiting', name), join(dir, to, name));
    await syncDirectory(join(dir, to));
    await syncDirectory(join(dir, 'waiting'));
  }

  async function sendOne(name: string, send: (e: Envelope) => Promise<Receipt>): Promise<Sent> {
    const nonce = name.slice(0, -'.json'.length);
    const signed = signedIn(await readFile(join(dir, 'waiting', name), 'utf8'));
    if (!signed) {
      const refused = `${name} does not hold a signed report: it was torn or changed on this disk`;
      await move(name, 'refused', refused);
      return { nonce, refused };
    }
    try {
      const receipt = await send(signed);
      await move(name, 'sent', JSON.stringify(receipt));
      return { nonce, receipt };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await move(name, 'refused', error.message);
      return { nonce, refused: error.message };
    }
  }

  return {
    put: async (nonce, e) => {
      const name = `${nonce}.json`;
      for (const folder of folders) if ((await list(folder)).includes(name)) return;
      await makeFolders();
      await writeDurably(join(dir, 'waiting', name), JSON.stringify(e), 0o600);
    },
    flush: async (send) => {
      const sent: Sent[] = [];
      for (const name of await list('waiting')) {
        try {
          sent.push(await sendOne(name, send));
        } catch (error) {
          // On its way by a mailbox: that says nothing of the others.
          if (!(error instanceof Kept)) throw error;
        }
      }
      return sent;
    },
    waiting: async () =>
      Promise.all(
        (await list('waiting')).map(async (name) => ({
          name,
          text: await readFile(join(dir, 'waiting', name), 'utf8'),
        })),
      ),
    count: async () => ({
      waiting: (await list('waiting')).length,
      sent: (await list('sent')).length,
      refused: (await list('refused')).length,
    }),
  };
}
