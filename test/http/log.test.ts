/** The transparency log as strangers see it, the same on every runtime. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromBase64, fromHex, toHex, utf8 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { type Checkpoint, parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { envelopeCommitment, logEntry, rowCommitment } from '../../schema/log/entry.ts';
import { formatVerifierKey, openNote, parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { decodeBundle, hashAtFromTiles, tilePath, tileSizeAt } from '../../schema/log/tile.ts';
import { leafHash, rootAt, verifyConsistency, verifyInclusion } from '../../schema/log/tree.ts';
import { enrol, eventually, get, post, problemOf, takeTickets } from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { sampleMachine, sampleProfile, seal, simpleScenario } from './samples.ts';

const token = 'auditor-token-of-the-tests';
const auditors = [createHash('sha256').update(token).digest('hex')];

/** The contents of one entry, as they are served. */
interface Contents {
  readonly log_index: number;
  readonly row: string | null;
  readonly row_salt: string | null;
  readonly envelope: Envelope | null;
  readonly envelope_salt: string | null;
}

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  let verifier: Verifier;
  const lab = sampleMachine('log');
  const metal = sampleMachine('log metal', sampleProfile('nvme', { population: 'metal', lab_machine: null }));

  beforeAll(async () => {
    runtime = await startRuntime(name, { auditors });
    url = runtime.url;
    for (const machine of [lab, metal]) await enrol(url, machine);
    // Enough entries for two tiles and a part of a third.
    for (let i = 0; i < 9; i++) {
      const tickets = await takeTickets(url, lab, `log ${i}`, Array(60).fill(simpleScenario));
      for (const ticket of tickets.slice(0, i === 8 ? 60 : 2)) {
        await post(url, 'armed', seal('armed', lab.armed(ticket, Date.now()), lab.key));
        await post(url, 'report', seal('report', lab.report(ticket, 'captured', Date.now()), lab.key));
      }
      // What stays open would soon be too much.
      await runtime.database.execute('update tickets set report_by_ms = 0');
    }
    const [ticket] = await takeTickets(url, metal, 'log metal');
    if (ticket === undefined) throw new Error('no ticket');
    await post(url, 'armed', seal('armed', metal.armed(ticket, Date.now()), metal.key));
    const { rows } = await runtime.database.execute('select count(*) from log_entries');
    const size = Number(rows[0]?.[0]);
    await eventually(runtime, async () => (await checkpoint()).size >= size);
  });
  afterAll(() => runtime.stop());

  async function checkpoint(): Promise<Checkpoint> {
    const { text } = await get(url, '/log/checkpoint');
    if (verifier === undefined) {
      const { rows } = await runtime.database.execute('select note from checkpoints limit 1');
      expect(String(rows[0]?.[0])).toContain('survey.test/log');
      const { log } = (await get(url, '/v1')).json as { log: { verifier_key: string } };
      verifier = await parseVerifierKey(log.verifier_key);
    }
    return parseCheckpoint((await openNote(text, [verifier])).text);
  }

  async function bytesAt(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await fetch(`${url}/log/${path}`);
    expect([path, response.status]).toEqual([path, 200]);
    expect(response.headers.get('cache-control')).toContain('immutable');
    return new Uint8Array(await response.arrayBuffer());
  }

  async function contents(bundle: number, headers: Record<string, string> = {}): Promise<Contents[]> {
    const response = await fetch(`${url}/log/rows/${bundle}`, { headers });
    const text = await response.text();
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Contents);
  }

  it('has a signed head whose root follows from its tiles, and these from its entries', async () => {
    const { size, root } = await checkpoint();
    expect(size).toBeGreaterThan(600);
    const hashAt = hashAtFromTiles(size, (level, index, width) => bytesAt(tilePath(level, index, width)));
    expect(toHex(await rootAt(size, hashAt))).toBe(toHex(root));
    for (let bundle = 0; bundle * 256 < size; bundle++) {
      const width = tileSizeAt('entries', bundle, size);
      const entries = decodeBundle(await bytesAt(tilePath('entries', bundle, width)));
      expect(entries).toHaveLength(width);
      for (const [i, entry] of entries.entries()) {
        expect(await leafHash(entry)).toEqual(new Uint8Array(await hashAt(0, bundle * 256 + i)));
        logEntry.parse(JSON.parse(new TextDecoder().decode(entry)));
      }
    }
  });

  it('shows what each entry commits to, and it opens', async () => {
    const { size } = await checkpoint();
    let opened = 0;
    for (let bundle = 0; bundle * 256 < size; bundle++) {
      const width = tileSizeAt('entries', bundle, size);
      const entries = decodeBundle(await bytesAt(tilePath('entries', bundle, width)));
      for (const [i, shown] of (await contents(bundle)).entries()) {
        const entry = logEntry.parse(JSON.parse(new TextDecoder().decode(entries[i])));
        expect(shown.log_index).toBe(bundle * 256 + i);
        expect(await rowCommitment(fromHex(shown.row_salt ?? ''), shown.row ?? '')).toBe(entry.row);
        if (shown.envelope === null) continue;
        const { payload, payloadType: type, signatures } = shown.envelope;
        const [signature] = signatures;
        const kind = /vnd\.dumpsurvey\.(\w+)\.v1/.exec(type)?.[1];
        const hash = createHash('sha256')
          .update(`dumpsurvey/${kind}/v1\n`)
          .update(fromHex(signature?.keyid ?? ''))
          .update(fromBase64(payload))
          .digest('hex');
        const bytes = fromBase64(signature?.sig ?? '');
        expect(await envelopeCommitment(fromHex(shown.envelope_salt ?? ''), hash, bytes)).toBe(
          entry.envelope,
        );
        opened++;
      }
    }
    expect(opened).toBeGreaterThan(600);
  });

  it('keeps what real machines signed from everybody but auditors', async () => {
    const { size } = await checkpoint();
    const last = Math.floor((size - 1) / 256);
    const ofMetal = async (headers?: Record<string, string>) =>
      (await contents(last, headers)).filter(({ row }) => row?.includes(metal.key.publicHex));
    const [withheld] = await ofMetal();
    expect(withheld).toMatchObject({ envelope: null, envelope_salt: null });
    const [shown] = await ofMetal({ authorization: `Bearer ${token}` });
    expect(shown?.envelope?.signatures[0]?.keyid).toBe(metal.key.publicHex);
    for (const authorization of [
      'Bearer wrong-token-of-the-tests',
      `bearer ${token}`,
      'Bearer',
      `Bearer ${token} `,
    ]) {
      const refused = await fetch(`${url}/log/rows/0`, { headers: { authorization } });
      expect([authorization, refused.status]).toEqual([
        authorization,
        authorization.endsWith(' ') ? 200 : 401,
      ]);
    }
  });

  it('proves every entry, and that each size extends each smaller one', async () => {
    const { size, root } = await checkpoint();
    for (const index of [0, 1, 255, 256, 511, 512, size - 1]) {
      const answer = (await get(url, `/log/inclusion?index=${index}&size=${size}`)).json as {
        leaf_hash: string;
        proof: string[];
      };
      const proof = answer.proof.map(fromBase64);
      expect(await verifyInclusion({ leafHash: fromHex(answer.leaf_hash), index, size, root, proof })).toBe(
        true,
      );
      const other = {
        leafHash: fromHex(answer.leaf_hash),
        index: index === 0 ? 1 : index - 1,
        size,
        root,
        proof,
      };
      expect(await verifyInclusion(other)).toBe(false);
    }
    const hashAt = hashAtFromTiles(size, (level, index, width) => bytesAt(tilePath(level, index, width)));
    for (const from of [1, 2, 255, 256, 257, 512, size]) {
      const answer = (await get(url, `/log/consistency?from=${from}&to=${size}`)).json as { proof: string[] };
      const proof = answer.proof.map(fromBase64);
      const fromRoot = await rootAt(from, hashAt);
      expect(await verifyConsistency({ fromSize: from, fromRoot, toSize: size, toRoot: root, proof })).toBe(
        true,
      );
    }
  });

  it.each([
    '/log/tile/0/999',
    '/log/tile/0/000.p/256',
    '/log/tile/0/000.p/0',
    '/log/tile/0/00',
    '/log/tile/3/000',
    '/log/tile/entries/x000/000',
    '/log/tile/../../etc/passwd',
    '/log/rows/999',
    '/log/rows/x',
  ])('%s is not there', async (path) => {
    expect([path, (await get(url, path)).status]).toEqual([path, 404]);
  });

  it.each([
    '/log/inclusion',
    '/log/inclusion?index=0',
    '/log/inclusion?index=0&size=99999',
    '/log/inclusion?index=5&size=5',
    '/log/inclusion?index=-1&size=5',
    '/log/consistency?from=5&to=4',
    '/log/consistency?from=0&to=99999',
    '/log/inclusion?index=0&size=1&index=0',
    '/log/consistency?from=0&to=1&more=1',
  ])('%s is refused', async (path) => {
    const answer = await get(url, path);
    expect([path, answer.status, problemOf(answer).type]).toEqual([path, 400, '/problems/invalid-query']);
  });

  it('has no rows of a bundle that is none', async () => {
    for (const bundle of ['x', '-1', '99999', '1e3', '9999999999999999']) {
      const answer = await get(url, `/log/rows/${bundle}`);
      expect([bundle, answer.status, problemOf(answer).type]).toEqual([bundle, 404, '/problems/not-found']);
    }
  });

  it('embeds a checkpoint in each edition, which the newest one extends', async () => {
    const { editions } = (await get(url, '/v1/editions')).json as {
      editions: { number: number; log_size: number; checkpoint: string }[];
    };
    const newest = await checkpoint();
    for (const edition of editions.slice(0, 5)) {
      const embedded = parseCheckpoint((await openNote(edition.checkpoint, [verifier])).text);
      expect(embedded.size).toBe(edition.log_size);
      if (embedded.size === 0) continue;
      const answer = (await get(url, `/log/consistency?from=${embedded.size}&to=${newest.size}`)).json as {
        proof: string[];
      };
      expect(
        await verifyConsistency({
          fromSize: embedded.size,
          fromRoot: embedded.root,
          toSize: newest.size,
          toRoot: newest.root,
          proof: answer.proof.map(fromBase64),
        }),
      ).toBe(true);
    }
  });

  it('promises what it then keeps, under its own key', async () => {
    const [ticket] = await takeTickets(url, lab, 'promised');
    if (ticket === undefined) throw new Error('no ticket');
    const answer = await post(url, 'armed', seal('armed', lab.armed(ticket, Date.now()), lab.key));
    const { promise, entry, log_index, admitted_at } = answer.json as {
      promise: Envelope;
      entry: string;
      log_index: number;
      admitted_at: string;
    };
    expect(promise.payloadType).toBe('application/vnd.dumpsurvey.promise.v1+json');
    const said = JSON.parse(new TextDecoder().decode(fromBase64(promise.payload))) as Record<string, unknown>;
    expect(said).toEqual({
      version: '1.0',
      origin: 'survey.test/log',
      log_index,
      leaf_hash: toHex(await leafHash(utf8(entry))),
      merge_by: new Date(Date.parse(admitted_at) + 5 * 60_000).toISOString(),
    });
    expect(promise.signatures[0]?.keyid).toBe(toHex(verifier.key));
    const key = await formatVerifierKey('survey.test/log', fromHex(promise.signatures[0]?.keyid ?? ''));
    expect((await parseVerifierKey(key)).keyId).toEqual(verifier.keyId);
  });
});
