/**
 * Notes, trees and tiles that the Go project's own code made (note.go beside this), and its published notes. Ed25519
 * has one signature for a key and a text, so that our notes are equal to Go's, byte for byte, or wrong.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { concat, fromBase64, toBase64, toHex, utf8 } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import { checkpointText, parseCheckpoint, signCheckpoint } from '../../schema/log/checkpoint.ts';
import { cosign } from '../../schema/log/cosignature.ts';
import {
  formatNote,
  formatVerifierKey,
  openNote,
  parseNote,
  parseVerifierKey,
} from '../../schema/log/note.ts';
import { hashAtFromTiles, tilePath, tilesOf } from '../../schema/log/tile.ts';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from '../../schema/log/tree.ts';
import { vectorsIn } from './vectors.ts';

const published = vectorsIn<{
  text: string;
  peter: { vkey: string; skey: string; line: string };
  enoch: { vkey: string; line: string };
  refusedKeys: { about: string; vkey: string }[];
  tree: { record: string; text: string; origin: string; size: number };
}>('notes');

const go = vectorsIn<{
  notes: { keys: [string, string]; note: string }[];
  roots: Record<string, string>;
  inclusion: { index: number; size: number; proof: string[] }[];
  consistency: { from: number; to: number; proof: string[] }[];
  tiles: { size: number; paths: string[]; digest: string };
}>('go-log');

describe("the notes of Go's own tests", () => {
  const { text, peter, enoch } = published;

  it('open under one key or both', async () => {
    const [peterKey, enochKey] = [await parseVerifierKey(peter.vkey), await parseVerifierKey(enoch.vkey)];
    const note = `${text}\n${peter.line}${enoch.line}`;
    const one = await openNote(note, [peterKey]);
    expect([one.text, one.verified.length, one.unknown.length]).toEqual([text, 1, 1]);
    const both = await openNote(note, [peterKey, enochKey]);
    expect(both.verified.map(({ name }) => name)).toEqual(['PeterNeumann', 'EnochRoot']);
    await expect(openNote(note, [])).rejects.toThrow('by a known key');
  });

  it('are what their key signs here', async () => {
    const material = fromBase64(peter.skey.replace('PRIVATE+KEY+PeterNeumann+c74f20a3+', ''));
    const signer = await signerOf(material.slice(1));
    expect(await formatVerifierKey('PeterNeumann', signer.publicKey)).toBe(peter.vkey);
    const { keyId } = await parseVerifierKey(peter.vkey);
    const bytes = await signer.sign(utf8(text));
    expect(formatNote(text, [{ name: 'PeterNeumann', keyId, bytes }])).toBe(`${text}\n${peter.line}`);
  });

  it('are refused where Go refuses them', async () => {
    const key = await parseVerifierKey(peter.vkey);
    const bad = [
      text,
      `${text}\n`,
      `${text}\n${peter.line.slice(0, -1)}`,
      `\x01${text}\n${peter.line}`,
      `${text}\n${peter.line.replace('PeterNeumann', 'Bad Name')}`,
      `${text}\n${peter.line}Unexpected line.\n`,
      `${text}\n${peter.line.repeat(101)}`,
      `${text}\n${peter.line.slice(0, 60)}ABCD${peter.line.slice(60)}`,
    ];
    for (const note of bad) await expect(openNote(note, [key])).rejects.toThrow(Error);
  });

  it.each(published.refusedKeys)('name no key: $about', async ({ vkey }) => {
    await expect(parseVerifierKey(vkey)).rejects.toThrow(Error);
  });

  it('have the text of a tree', async () => {
    const { record, text, origin, size } = published.tree;
    const root = await leafHash(utf8(record));
    expect(checkpointText({ origin, size, root })).toBe(text);
    expect(parseCheckpoint(text)).toEqual({ origin, size, root });
  });
});

describe('a note that Go signed', () => {
  it.each(go.notes)('opens under both keys, and is ours byte for byte', async ({ keys, note }) => {
    const verifiers = await Promise.all(keys.map(parseVerifierKey));
    const opened = await openNote(note, verifiers);
    expect(opened.verified.map((v) => [v.name, v.timestampSeconds])).toEqual([
      ['dumps.example/log', null],
      ['witness.example/w1', 1679315147],
    ]);
    const [log, witness] = [
      await signerOf(new Uint8Array(32).fill(1)),
      await signerOf(new Uint8Array(32).fill(2)),
    ];
    expect(await formatVerifierKey('dumps.example/log', log.publicKey)).toBe(keys[0]);
    expect(await formatVerifierKey('witness.example/w1', witness.publicKey, 4)).toBe(keys[1]);
    const { keyId } = verifiers[0] ?? { keyId: new Uint8Array(4) };
    const signature = { name: 'dumps.example/log', keyId, bytes: await log.sign(utf8(opened.text)) };
    const cosignature = await cosign(opened.text, 'witness.example/w1', 1679315147, witness);
    expect(formatNote(opened.text, [signature, cosignature])).toBe(note);
  });

  it.each(go.notes.slice(0, 2))('is what signCheckpoint makes of its checkpoint', async ({ note }) => {
    const { text, signatures } = parseNote(note);
    const signer = { ...(await signerOf(new Uint8Array(32).fill(1))), name: 'dumps.example/log' };
    expect(await signCheckpoint(parseCheckpoint(text), signer)).toBe(
      formatNote(text, signatures.slice(0, 1)),
    );
  });
});

describe('a tree that Go made', async () => {
  const { size } = go.tiles;
  const rows = [await Promise.all(Array.from({ length: size }, (_, i) => leafHash(utf8(`entry ${i}`))))];
  for (let below = rows[0] ?? []; below.length > 1; below = rows.at(-1) ?? []) {
    const complete = Array.from({ length: Math.floor(below.length / 2) }, (_, i) =>
      below.slice(2 * i, 2 * i + 2),
    );
    rows.push(
      await Promise.all(complete.map(([left, right]) => nodeHash(left as Uint8Array, right as Uint8Array))),
    );
  }
  const direct = async (level: number, index: number) => rows[level]?.[index] as Uint8Array;
  const tile = async (level: number, index: number, width: number) =>
    concat(...(rows[8 * level] ?? []).slice(256 * index, 256 * index + width));
  const rootHash = (size: number) => fromBase64(go.roots[size] ?? '');

  it('has the same roots, from its leaves and from its tiles', async () => {
    expect(Object.keys(go.roots)).toHaveLength(12);
    for (const [count, root] of Object.entries(go.roots)) {
      expect(toBase64(await rootAt(Number(count), direct))).toBe(root);
      expect(toBase64(await rootAt(Number(count), hashAtFromTiles(Number(count), tile)))).toBe(root);
    }
  });

  it('has the same tiles under the same names', async () => {
    const digest = createHash('sha256');
    const tiles = tilesOf(size);
    expect(tiles.map(({ level, index, width }) => tilePath(level, index, width))).toEqual(go.tiles.paths);
    for (const { level, index, width } of tiles) {
      const hash = createHash('sha256').update(await tile(Number(level), index, width));
      digest.update(`${tilePath(level, index, width)} ${hash.digest('hex')}\n`);
    }
    expect(toHex(digest.digest())).toBe(go.tiles.digest);
  });

  test.each(go.inclusion)('entry $index of $size has the same proof', async ({ index, size, proof }) => {
    expect((await inclusionProof(index, size, direct)).map(toBase64)).toEqual(proof);
    const claim = { leafHash: await direct(0, index), index, size, root: rootHash(size) };
    expect(await verifyInclusion({ ...claim, proof: proof.map(fromBase64) })).toBe(true);
  });

  test.each(go.consistency)('from $from to $to the proof is the same', async ({ from, to, proof }) => {
    const fromRoot = await rootAt(from, direct);
    const toRoot = await rootAt(to, direct);
    expect((await consistencyProof(from, to, direct)).map(toBase64)).toEqual(proof);
    const claim = { fromSize: from, fromRoot, toSize: to, toRoot };
    expect(await verifyConsistency({ ...claim, proof: proof.map(fromBase64) })).toBe(true);
  });
});
