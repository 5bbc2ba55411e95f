/** A log in memory that signs and proves as the survey's does, for suites that then make one thing of it wrong. */
import { createHash } from 'node:crypto';
import type { LoggedKind } from '../../agent/link/admitted.ts';
import { fromBase64, fromHex, toBase64, toHex, utf8 } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import { type Envelope, hashInput, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import { signCheckpoint } from '../../schema/log/checkpoint.ts';
import { entryText, envelopeCommitment, rowCommitment } from '../../schema/log/entry.ts';
import { formatVerifierKey } from '../../schema/log/note.ts';
import { parseTilePath } from '../../schema/log/tile.ts';
import { consistencyProof, type HashAt, leafHash, rootAt, rootOf } from '../../schema/log/tree.ts';
import type { Logged, PromiseBody } from '../../schema/wire.ts';

export const origin = 'survey.test/log';
export const admittedAt = '2026-11-24T10:00:00.000Z';
const mergeBy = '2026-11-24T10:05:00.000Z';

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** What of an entry may be said wrongly. Salts and rows are made up, and follow from the index. */
export interface Changes {
  /** Another form of the entry, which its leaf then hashes. */
  readonly form?: (entry: string) => string;
  readonly entry?: Partial<Parameters<typeof entryText>[0]>;
  readonly promise?: Partial<PromiseBody>;
  readonly answer?: Partial<Logged>;
}

/** A log with the key of this seed. `entries` are those that it begins with. */
export async function sampleLog(seedByte = 7, entries: readonly string[] = []) {
  const signer = await signerOf(new Uint8Array(32).fill(seedByte));
  const texts = [...entries];
  const hashAt: HashAt = async (level, index) => {
    const leaves = texts.slice(index * 2 ** level, (index + 1) * 2 ** level);
    return rootOf(await Promise.all(leaves.map((text) => leafHash(utf8(text)))));
  };

  /** The log's signature on a text of anybody's words. */
  async function signText(text: string, type = payloadType('promise')): Promise<Envelope> {
    const payload = utf8(text);
    const sig = toBase64(await signer.sign(preAuthEncoding(type, payload)));
    return {
      payload: toBase64(payload),
      payloadType: type,
      signatures: [{ keyid: toHex(signer.publicKey), sig }],
    };
  }

  const log = {
    key: signer.publicKey,
    verifierKey: await formatVerifierKey(origin, signer.publicKey),
    texts,
    size: () => texts.length,
    signText,
    append: (...more: string[]) => texts.push(...more),
    /** `of` is the log that the checkpoint says it is of; the key's name stays. */
    checkpoint: async (size = texts.length, of = origin) =>
      signCheckpoint({ origin: of, size, root: await rootAt(size, hashAt) }, { ...signer, name: origin }),
    consistency: (from: number, to: number) => consistencyProof(from, to, hashAt),
    tile: async (name: string) => {
      const tile = parseTilePath(name);
      if (tile === null || tile.level === 'entries') throw new Error(`${name} is no tile of hashes`);
      const [height, first] = [8 * tile.level, 256 * tile.index];
      return Buffer.concat(
        await Promise.all(Array.from({ length: tile.width }, (_, i) => hashAt(height, first + i))),
      );
    },
    index: async () => ({
      log: { origin, verifier_key: log.verifierKey },
      payload_versions: { report: ['1.0', '1.1'], tickets: ['1.0', '1.1'] },
    }),
    /** Takes a signed request in, and answers as the survey does. */
    admit: async (kind: LoggedKind, sent: Envelope, changes: Changes = {}) => {
      const index = texts.length;
      const [rowSalt, envelopeSalt] = [index % 256, (index + 1) % 256].map((b) => new Uint8Array(16).fill(b));
      const { keyid = '', sig = '' } = sent.signatures[0] ?? {};
      const row = JSON.stringify({ entry: index });
      const hash = sha256Of(hashInput(kind, fromHex(keyid), fromBase64(sent.payload)));
      const { form = (text) => text } = changes;
      const entry = form(
        entryText({
          version: '1',
          kind,
          admitted_at: admittedAt,
          envelope: await envelopeCommitment(envelopeSalt as Uint8Array, hash, fromBase64(sig)),
          row: await rowCommitment(rowSalt as Uint8Array, row),
          ...changes.entry,
        }),
      );
      const checkpoint = await log.checkpoint();
      texts.push(entry);
      const body: PromiseBody = {
        version: '1.0',
        origin,
        log_index: index,
        leaf_hash: toHex(await leafHash(utf8(entry))),
        merge_by: mergeBy,
        ...changes.promise,
      };
      const promise = await signText(JSON.stringify(body));
      return {
        log_index: index,
        admitted_at: admittedAt,
        entry,
        row,
        row_salt: toHex(rowSalt as Uint8Array),
        envelope_salt: toHex(envelopeSalt as Uint8Array),
        promise,
        checkpoint,
        ...changes.answer,
      };
    },
  };
  return log;
}
export type SampleLog = Awaited<ReturnType<typeof sampleLog>>;
