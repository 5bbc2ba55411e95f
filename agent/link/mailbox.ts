/**
 * A directory that is carried between a machine without a network and one that has it: signed requests go there, and the
 * survey's answers come back. Whoever carries it needs no key and can change nothing: requests are signed, and answers
 * are held against the log's key at home.
 *
 *     requests/KIND-HASH.json   a DSSE envelope
 *     answers/KIND-HASH.json    what the survey answered to it, or why it refused
 *     index.json                what the survey says of itself
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type Envelope, envelope } from '../../schema/envelope.ts';
import { writeDurably } from '../durable.ts';
import { type Api, type ApiIndex, Refused, Unreachable } from './api.ts';

/** The kinds of requests that are carried, in the order in which the survey must get them. */
export const carriedKinds = ['enrol', 'tickets', 'armed', 'report'] as const;
export type CarriedKind = (typeof carriedKinds)[number];

/** The request lies in the mailbox; its answer is still to come. */
export class Kept extends Unreachable {
  override name = 'Kept';
}

const answered = z.union([
  z.strictObject({ answer: z.unknown() }),
  z.strictObject({
    refused: z.strictObject({
      status: z.int(),
      type: z.string().max(200),
      message: z.string().max(4000),
    }),
  }),
]);

const index = z.object({
  log: z.object({ origin: z.string().max(200), verifier_key: z.string().max(400) }),
  payload_versions: z.record(z.string(), z.array(z.string().max(20)).max(100)),
});

export interface Mailbox {
  /** The answer to a request. Throws Kept where there is none yet, the request lying there from then on; or Refused. */
  readonly send: (kind: CarriedKind, e: Envelope) => Promise<unknown>;
  /** What the survey said of itself. Throws Kept where nobody has asked it yet. */
  readonly index: () => Promise<ApiIndex>;
}

/** More than any request or answer has: whatever is larger is none. */
const fileMaxBytes = 4 << 20;
const namePattern = /^(enrol|tickets|armed|report)-[0-9a-f]{32}\.json$/;

function nameOf(kind: CarriedKind, e: Envelope): string {
  return `${kind}-${createHash('sha256').update(JSON.stringify(e)).digest('hex').slice(0, 32)}.json`;
}

/** What a file holds, or null where it is not there or holds nothing of the kind. */
async function read<T>(path: string, shape: z.ZodType<T>): Promise<T | null> {
  try {
    const text = await readFile(path, 'utf8');
    return text.length > fileMaxBytes ? null : (shape.safeParse(JSON.parse(text)).data ?? null);
  } catch {
    return null;
  }
}

/** The mailbox in a directory, seen from the machine without a network. */
export async function mailboxIn(dir: string): Promise<Mailbox> {
  await mkdir(join(dir, 'requests'), { recursive: true });
  return {
    send: async (kind, e) => {
      const name = nameOf(kind, e);
      const found = await read(join(dir, 'answers', name), answered);
      if (found === null) {
        await writeDurably(join(dir, 'requests', name), JSON.stringify(e));
        throw new Kept(
          `${name} lies in ${dir}. Carry it to a machine with a network: dumpsurvey submit --import ${dir}`,
        );
      }
      if ('answer' in found) return found.answer;
      const { status, type, message } = found.refused;
      throw new Refused(status, type, message, '');
    },
    index: async () => {
      const said = await read(join(dir, 'index.json'), index);
      if (said !== null) return said;
      throw new Kept(`${dir} was not yet on a machine with a network: dumpsurvey submit --import ${dir}`);
    },
  };
}

/** What became of a request that was carried. */
export interface Carried {
  readonly name: string;
  readonly refused: string | null;
}

/** A request of a mailbox that has no answer yet. */
export interface OpenRequest {
  readonly name: string;
  readonly kind: CarriedKind;
  readonly signed: Envelope;
}

/** The requests of a mailbox that have no answer, in the order in which the survey must get them. What is no signed request is left alone. */
export async function openRequests(dir: string): Promise<OpenRequest[]> {
  const names = (await readdir(join(dir, 'requests'))).filter((name) => namePattern.test(name));
  const rank = (name: string) => carriedKinds.findIndex((kind) => name.startsWith(`${kind}-`));
  const open: OpenRequest[] = [];
  for (const name of names.sort((a, b) => rank(a) - rank(b))) {
    const kind = carriedKinds[rank(name)];
    const signed = await read(join(dir, 'requests', name), envelope);
    if (kind === undefined || signed === null || nameOf(kind, signed) !== name) continue;
    if ((await read(join(dir, 'answers', name), answered)) === null) open.push({ name, kind, signed });
  }
  return open;
}

/**
 * Sends the open requests of a mailbox, on the machine with a network, and keeps the answers in it. Throws where the survey
 * cannot be reached.
 */
export async function carry(dir: string, api: Pick<Api, CarriedKind | 'index'>): Promise<Carried[]> {
  await mkdir(join(dir, 'answers'), { recursive: true });
  await writeDurably(join(dir, 'index.json'), JSON.stringify(await api.index()));
  const done: Carried[] = [];
  for (const { name, kind, signed } of await openRequests(dir)) {
    const answer = await api[kind](signed).then(
      (said) => ({ answer: said as unknown }),
      (error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        const { status, type, message } = error;
        return { refused: { status, type: type.slice(0, 200), message: message.slice(0, 4000) } };
      },
    );
    await writeDurably(join(dir, 'answers', name), JSON.stringify(answer));
    done.push({ name, refused: 'refused' in answer ? answer.refused.message : null });
  }
  return done;
}
