/**
 * The transparency log as it is read: checkpoint, tiles and bundles of entries (C2SP tlog-tiles), proofs for whoever
 * has no tiles at hand, and the contents behind the entries. Nothing beyond the published checkpoint is shown.
 */
import { toBase64, toHex, utf8 } from '../../schema/bytes.ts';
import { type Envelope, payloadType } from '../../schema/envelope.ts';
import {
  encodeBundle,
  hashAtFromTiles,
  parseTilePath,
  tileSizeAt,
  tileWidth,
} from '../../schema/log/tile.ts';
import { consistencyProof, inclusionProof } from '../../schema/log/tree.ts';
import { bundleParameters, consistencyQuery, inclusionQuery } from '../../schema/parameters.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { publishedCheckpoint } from '../store/checkpoints.ts';
import { entriesBetween, entryTexts } from '../store/log.ts';
import type { Store } from '../store/open.ts';
import { hashTile } from '../store/tiles.ts';
import { jsonAnswer } from './answer.ts';
import { isAuditor } from './auditor.ts';
import type { AppContext } from './frame.ts';
import { readQuery } from './query.ts';

/** What never changes. A partial tile keeps its name, too, and a longer one gets another. */
const immutable = 'public, max-age=31536000, immutable';

async function published(store: Store): Promise<{ readonly size: number; readonly note: string }> {
  const checkpoint = await publishedCheckpoint(store);
  if (checkpoint === null) throw new Refusal('not-found', 'The log has no checkpoint yet.');
  return checkpoint;
}

/** `GET /log/checkpoint`: the newest signed head, with its cosignatures. */
export async function showCheckpoint({ store }: Services): Promise<Response> {
  const { note } = await published(store);
  return new Response(note, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

/** `GET /log/key`: the log's verifier key (C2SP signed-note). Whoever pins it can check every checkpoint. */
export function showKey({ signer }: Services): Response {
  return new Response(`${signer.verifierKey}\n`, {
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  });
}

/** `GET /log/tile/…`: a tile of hashes or a bundle of entries, whole or partial. */
export async function showTile({ store }: Services, c: AppContext): Promise<Response> {
  const path = `tile/${c.req.param('tile') ?? ''}`;
  const tile = parseTilePath(path);
  const { size } = await published(store);
  if (tile === null || tile.width > tileSizeAt(tile.level, tile.index, size)) {
    throw new Refusal('not-found', `A tree of ${size} entries has no tile ${path.slice(0, 100)}.`);
  }
  const { level, index, width } = tile;
  const from = index * tileWidth;
  const bytes =
    level === 'entries'
      ? encodeBundle((await entryTexts(store, from, from + width)).map(utf8))
      : await hashTile(store, level, index, width);
  return new Response(bytes, {
    headers: { 'content-type': 'application/octet-stream', 'cache-control': immutable },
  });
}

/** A size or index of a query, which must lie within the published tree. */
function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (value >= least && value <= most) return value;
  throw new Refusal('invalid-query', `${name} is ${value}; the published tree allows ${least} to ${most}.`);
}

/** `GET /log/inclusion?index=I&size=S`: the proof that entry I is in the tree of S entries. */
export async function showInclusion({ store }: Services, c: AppContext): Promise<Response> {
  const query = readQuery(inclusionQuery, c.req.url);
  const size = within('size', query.size, 1, (await published(store)).size);
  const index = within('index', query.index, 0, size - 1);
  const hashAt = hashAtFromTiles(size, (level, at, width) => hashTile(store, level, at, width));
  const proof = await inclusionProof(index, size, hashAt);
  const leaf = await hashAt(0, index);
  return jsonAnswer({ index, size, leaf_hash: toHex(leaf), proof: proof.map(toBase64) });
}

/** `GET /log/consistency?from=S&to=T`: the proof that the tree of T entries begins with the tree of S. */
export async function showConsistency({ store }: Services, c: AppContext): Promise<Response> {
  const query = readQuery(consistencyQuery, c.req.url);
  const to = within('to', query.to, 0, (await published(store)).size);
  const from = within('from', query.from, 0, to);
  const hashAt = hashAtFromTiles(to, (level, at, width) => hashTile(store, level, at, width));
  return jsonAnswer({ from, to, proof: (await consistencyProof(from, to, hashAt)).map(toBase64) });
}

type Contents = Awaited<ReturnType<typeof entriesBetween>>[number];

/** What opens an entry's commitments; null where it was withdrawn, or where only auditors may see it. */
function contentsOf({ entry, envelope }: Contents, seesAll: boolean) {
  const shown = envelope !== null && (seesAll || entry.population !== 'metal');
  const signed: Envelope | null = shown
    ? {
        payload: toBase64(envelope.payload),
        payloadType: payloadType(envelope.kind),
        signatures: [{ keyid: envelope.key, sig: toBase64(envelope.signature) }],
      }
    : null;
  return {
    log_index: entry.log_index,
    row: entry.row,
    row_salt: entry.row_salt,
    envelope: signed,
    envelope_salt: shown ? entry.envelope_salt : null,
  };
}

/**
 * `GET /log/rows/:bundle`: the contents of 256 entries, one JSON object a line: public rows with their salts, and
 * the signed envelopes of the lab. Those of real machines are shown to named auditors.
 */
export async function showRows(services: Services, c: AppContext): Promise<Response> {
  const { size } = await published(services.store);
  const bundle = c.req.param('bundle') ?? '';
  const valid = bundleParameters.shape.bundle.safeParse(bundle).success;
  const from = valid ? Number(bundle) * tileWidth : size;
  if (from >= size)
    throw new Refusal('not-found', `A tree of ${size} entries has no bundle ${bundle.slice(0, 40)}.`);
  const entries = await entriesBetween(services.store, from, Math.min(size, from + tileWidth));
  const seesAll = await isAuditor(services, c.req.header('authorization'));
  if (seesAll) c.set('audience', 'auditor');
  const lines = entries.map((entry) => `${JSON.stringify(contentsOf(entry, seesAll))}\n`);
  return new Response(lines.join(''), {
    headers: { 'content-type': 'application/x-ndjson; charset=utf-8', vary: 'Authorization' },
  });
}
