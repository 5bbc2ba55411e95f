/** A witness never signs two roots for one size, never goes back, and forgets nothing that it gave out. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toBase64, utf8 } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import { checkpointText, parseCheckpoint } from '../../schema/log/checkpoint.ts';
import {
  formatNote,
  openNote,
  parseNote,
  parseVerifierKey,
  type Verified,
  type Verifier,
} from '../../schema/log/note.ts';
import { emptyRoot } from '../../schema/log/tree.ts';
import { formatAddCheckpoint, originHash, parseAddCheckpoint } from '../../schema/log/witness.ts';
import { type History, sampleLog } from '../../test/log/sample-log.ts';
import { createWitnessApp, maxBodyBytes } from './app.ts';
import { storeIn, type WitnessStore } from './store.ts';
import { openWitness, type Witness } from './witness.ts';

const log = await sampleLog();
const honest = await log.history('honest');
const forked = await log.history('forked', 10);
const hash = await originHash('dumps.example/log');
const signer = { ...(await signerOf(new Uint8Array(32).fill(9))), name: 'witness.example/w1' };

let directory: string;
let now: number;
let errors: unknown[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dumpsurvey-witness-'));
  now = 1_700_000_000;
  errors = [];
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
  expect(errors).toEqual([]);
});

/** Opens the witness of this directory, as a start of its program would. */
async function open(
  change: Partial<WitnessStore> = {},
  logs: readonly Verifier[] = [log.verifier],
): Promise<Witness> {
  const store = { ...(await storeIn(directory)), ...change };
  return openWitness({ logs, signer, store, nowSeconds: () => now });
}

interface Given {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function post(witness: Witness, body: string | Uint8Array<ArrayBuffer>): Promise<Given> {
  const app = createWitnessApp(witness, (error) => errors.push(error));
  const response = await app.request('/add-checkpoint', { method: 'POST', body });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

async function get(witness: Witness, path: string): Promise<Given> {
  const response = await createWitnessApp(witness, (error) => errors.push(error)).request(path);
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

/** The size that the witness serves, or 0; what it serves is signed by the log and by itself. */
async function servedSize(witness: Witness): Promise<number> {
  const { status, body } = await get(witness, `/checkpoint/${hash}`);
  if (status === 404) return 0;
  const opened = await openNote(body, [log.verifier, await parseVerifierKey(witness.vkey)]);
  expect(opened.verified).toHaveLength(2);
  return parseCheckpoint(opened.text).size;
}

describe('a checkpoint that continues the last one', () => {
  it('gets a line that opens, with the time, behind the checkpoint', async () => {
    const witness = await open();
    const own = await parseVerifierKey(witness.vkey);
    expect([own.name, own.type]).toEqual(['witness.example/w1', 4]);
    for (const [from, to] of [
      [0, 5],
      [5, 5],
      [5, 8],
      [8, 131],
    ] as const) {
      now += 60;
      const { status, body } = await post(witness, await honest.request(from, to));
      expect(status).toBe(200);
      expect(body).toMatch(/^— witness\.example\/w1 [A-Za-z0-9+/=]+\n$/);
      const { verified } = await openNote((await honest.checkpoint(to)) + body, [own]);
      expect(verified.map((v: Verified) => v.timestampSeconds)).toEqual([now]);
      expect(await servedSize(witness)).toBe(to);
    }
  });

  it('may be the empty tree, and may skip its own first entries', async () => {
    const witness = await open();
    expect((await post(witness, await honest.request(0, 0))).status).toBe(200);
    expect((await post(witness, await honest.request(0, 0))).status).toBe(200);
    expect((await post(witness, await honest.request(0, 3))).status).toBe(200);
    expect(await servedSize(witness)).toBe(3);
  });

  it('is cosigned with its extension lines, and without the signatures of strangers', async () => {
    const witness = await open();
    const text = `${checkpointText({ origin: 'dumps.example/log', size: 5, root: await honest.root(5) })}extension\n`;
    const [own] = parseNote(await honest.checkpoint(5)).signatures;
    if (!own) throw new Error('the log did not sign');
    const signature = { ...own, bytes: await log.signer.sign(utf8(text)) };
    const stranger = { ...own, name: 'stranger.example' };
    const note = formatNote(text, [stranger, signature]);
    const { status } = await post(witness, formatAddCheckpoint({ oldSize: 0, proof: [], note }));
    expect(status).toBe(200);
    const served = parseNote((await get(witness, `/checkpoint/${hash}`)).body);
    expect(served.text).toBe(text);
    expect(served.signatures.map(({ name }) => name)).toEqual(['dumps.example/log', 'witness.example/w1']);
  });
});

describe('what is refused by a witness at size 8', () => {
  const others = Promise.all([sampleLog('other.example/log', 2), sampleLog('dumps.example/log', 3)]);
  const signedBy = async (body: string, change: (note: ReturnType<typeof parseNote>) => string) => {
    const request = parseAddCheckpoint(body);
    return formatAddCheckpoint({ ...request, note: change(parseNote(request.note)) });
  };
  const rows: readonly (readonly [
    string,
    () => Promise<string | Uint8Array<ArrayBuffer>>,
    number,
    string | RegExp,
  ])[] = [
    ['nothing', async () => '', 400, /no empty line/],
    ['what is not UTF-8', async () => Uint8Array.of(0xff, 0xfe), 400, /UTF-8/],
    ['a form', async () => 'old=8', 400, /no empty line/],
    [
      'an old size with a sign',
      async () => (await honest.request(8, 9)).replace('old 8', 'old +8'),
      400,
      /first line/,
    ],
    [
      'too much proof',
      async () => `old 8\n${`${toBase64(await honest.root(1))}\n`.repeat(64)}\n${await honest.checkpoint(9)}`,
      400,
      /64 lines/,
    ],
    ['a checkpoint without signatures', async () => `old 8\n\ndumps.example/log\n9\n`, 400, /The note/],
    [
      'a note that is no checkpoint',
      async () => signedBy(await honest.request(8, 9), (n) => formatNote('text\n', n.signatures)),
      400,
      /three lines/,
    ],
    ['a size below the old one', async () => honest.request(9, 8), 400, /old size 9/],
    [
      'the log of another origin',
      async () => (await (await others)[0].history('honest')).request(8, 9),
      404,
      /origin/,
    ],
    [
      'a signature by a stranger',
      async () => (await (await others)[1].history('honest')).request(8, 9),
      403,
      /known key/,
    ],
    [
      "the log's signature on another checkpoint",
      async () => {
        const { signatures } = parseNote(await honest.checkpoint(10));
        return signedBy(await honest.request(8, 9), (n) => formatNote(n.text, signatures));
      },
      403,
      /dumps.example\/log is not/,
    ],
    ['a size that the log does not know', async () => honest.request(0, 9), 409, '8\n'],
    ['an older size', async () => honest.request(5, 9), 409, '8\n'],
    ['a later size', async () => honest.request(9, 12), 409, '8\n'],
    ['the way back', async () => honest.request(5, 7), 409, '8\n'],
    [
      'another root for size 8',
      async () => (await log.history('forked', 3)).request(8, 8),
      409,
      /another root/,
    ],
    ['another history', async () => (await log.history('forked', 3)).request(8, 20), 422, /does not show/],
    ['no proof', async () => `old 8\n\n${await honest.checkpoint(20)}`, 422, /does not show/],
    [
      'the proof of another size',
      async () =>
        (await honest.request(8, 21)).replace(await honest.checkpoint(21), await honest.checkpoint(37)),
      422,
      /does not show/,
    ],
    [
      'a proof from size 8 to itself',
      async () => `old 8\n${toBase64(await honest.root(8))}\n\n${await honest.checkpoint(8)}`,
      422,
      /does not show/,
    ],
  ];

  it.each(rows)('%s', async (_, make, status, body) => {
    const witness = await open();
    expect((await post(witness, await honest.request(0, 8))).status).toBe(200);
    const before = await get(witness, `/checkpoint/${hash}`);
    const given = await post(witness, await make());
    expect(given.status).toBe(status);
    if (typeof body === 'string') expect([given.type, given.body]).toEqual(['text/x.tlog.size', body]);
    else {
      expect(given.type?.toLowerCase()).toBe('text/plain; charset=utf-8');
      expect(given.body).toMatch(body);
    }
    expect(await get(witness, `/checkpoint/${hash}`)).toEqual(before);
    expect((await post(witness, await honest.request(8, 9))).status).toBe(200);
  });

  it('a body that is too long, by its length or without one', async () => {
    const witness = await open();
    expect((await post(witness, 'a'.repeat(maxBodyBytes + 1))).status).toBe(413);
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(4096)),
    });
    const request = new Request('http://w/add-checkpoint', {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit);
    const app = createWitnessApp(witness, (error) => errors.push(error));
    expect((await app.fetch(request)).status).toBe(413);
  });

  it('another method, and another path', async () => {
    const witness = await open();
    const app = createWitnessApp(witness, (error) => errors.push(error));
    const response = await app.request('/add-checkpoint');
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    for (const path of ['/x', '/checkpoint', `/checkpoint/${hash}`, '/checkpoint/__proto__', '/%'])
      expect((await app.request(path)).status).toBe(404);
  });
});

describe('at the start', () => {
  it('another root for the empty tree is refused', async () => {
    const witness = await open();
    const text = checkpointText({ origin: 'dumps.example/log', size: 0, root: await honest.root(1) });
    const [own] = parseNote(await honest.checkpoint(0)).signatures;
    if (!own) throw new Error('the log did not sign');
    const note = formatNote(text, [{ ...own, bytes: await log.signer.sign(utf8(text)) }]);
    const given = await post(witness, formatAddCheckpoint({ oldSize: 0, proof: [], note }));
    expect([given.status, /another root/.test(given.body)]).toEqual([409, true]);
    expect(parseCheckpoint(parseNote(await honest.checkpoint(0)).text).root).toEqual(await emptyRoot());
  });

  it('a log asks with size 0, and learns the size', async () => {
    const witness = await open();
    expect((await post(witness, await honest.request(8, 9))).body).toBe('0\n');
    expect(
      (await post(witness, `old 0\n${toBase64(await honest.root(1))}\n\n${await honest.checkpoint(9)}`))
        .status,
    ).toBe(422);
    expect((await post(witness, await honest.request(0, 9))).status).toBe(200);
  });

  it('it says what it is and what it holds', async () => {
    const witness = await open();
    expect((await get(witness, '/')).body).toContain(`key         ${witness.vkey}\n`);
    expect((await get(witness, '/')).body).toContain('nothing cosigned yet');
    await post(witness, await honest.request(0, 9));
    const { body } = await get(witness, '/');
    expect(body).toContain('log         dumps.example/log\nsize        9\n');
    expect(body).toContain(
      `root        ${toBase64(await honest.root(9))}\ncosigned    2023-11-14T22:13:20.000Z\n`,
    );
    expect(body).toContain(`checkpoint  /checkpoint/${hash}\n`);
  });
});

describe('a log with two histories', () => {
  it('is found out at the first witness that both ask, and both notes are kept', async () => {
    const witness = await open();
    expect((await post(witness, await honest.request(0, 20))).status).toBe(200);
    expect((await post(witness, await forked.request(20, 20))).status).toBe(409);
    const kept = await readFile(join(directory, `${hash}.split-view`), 'utf8');
    const { text } = await openNote(kept, [log.verifier]);
    expect(parseCheckpoint(text).root).toEqual(await forked.root(20));
    expect((await get(witness, '/')).body).toContain('WARNING');
    expect((await get(await open(), '/')).body).toContain('WARNING');
    expect((await post(await open(), await honest.request(20, 21))).status).toBe(200);
  });

  it('is found out by comparing two witnesses that it kept apart', async () => {
    const other = await mkdtemp(join(tmpdir(), 'dumpsurvey-witness-'));
    const [first, second] = [
      await open(),
      await openWitness({
        logs: [log.verifier],
        signer: { ...(await signerOf(new Uint8Array(32).fill(8))), name: 'witness.example/w2' },
        store: await storeIn(other),
        nowSeconds: () => now,
      }),
    ];
    expect((await post(first, await honest.request(0, 20))).status).toBe(200);
    expect((await post(second, await forked.request(0, 20))).status).toBe(200);
    const notes = await Promise.all([first, second].map((witness) => get(witness, `/checkpoint/${hash}`)));
    const [one, two] = notes.map(({ body }) => parseCheckpoint(parseNote(body).text));
    expect([one?.size, one?.origin]).toEqual([two?.size, two?.origin]);
    expect(one?.root).not.toEqual(two?.root);
    await rm(other, { recursive: true });
  });
});

describe('a witness that is ended at any moment', () => {
  it('and starts again, goes on from where it was', async () => {
    expect((await post(await open(), await honest.request(0, 12))).status).toBe(200);
    const again = await open();
    expect(await servedSize(again)).toBe(12);
    expect((await post(again, await honest.request(0, 12))).body).toBe('12\n');
    expect((await post(again, await forked.request(12, 12))).status).toBe(409);
    expect((await post(again, await honest.request(12, 13))).status).toBe(200);
  });

  it('before its state was written, has given nothing out and may take another history', async () => {
    const broken = await open({ write: () => Promise.reject(new Error('no space left on device')) });
    const given = await post(broken, await honest.request(0, 12));
    expect([given.status, given.body]).toEqual([500, expect.not.stringContaining('—')]);
    expect(errors.splice(0).map(String)).toEqual(['Error: no space left on device']);
    expect(await servedSize(broken)).toBe(0);
    expect((await post(await open(), await forked.request(0, 12))).status).toBe(200);
  });

  it('after its state was written and before it answered, holds to it', async () => {
    const store = await storeIn(directory);
    const cut = await open({
      write: async (name, note) => {
        await store.write(name, note);
        throw new Error('killed');
      },
    });
    expect((await post(cut, await honest.request(0, 12))).status).toBe(500);
    expect(errors.splice(0).map(String)).toEqual(['Error: killed']);
    const again = await open();
    expect(await servedSize(again)).toBe(12);
    expect((await post(again, await forked.request(12, 12))).status).toBe(409);
    expect((await post(again, await honest.request(12, 12))).status).toBe(200);
  });

  it('while it wrote, leaves nothing behind', async () => {
    await post(await open(), await honest.request(0, 12));
    await writeFile(join(directory, `${hash}.checkpoint.3f2a.tmp`), 'half a no');
    expect(await servedSize(await open())).toBe(12);
    expect(await readdir(directory)).toEqual([`${hash}.checkpoint`]);
  });

  it('does not start with a state that it did not write', async () => {
    await post(await open(), await honest.request(0, 12));
    const path = join(directory, `${hash}.checkpoint`);
    const note = await readFile(path, 'utf8');
    const changes = ['', note.slice(0, 40), note.replace('\n12\n', '\n11\n'), await honest.checkpoint(12)];
    for (const changed of changes) {
      await writeFile(path, changed);
      await expect(open()).rejects.toThrow(
        /does not hold what witness.example\/w1 cosigned of dumps.example\/log/,
      );
    }
    const other = await sampleLog('other.example/log', 2);
    await writeFile(join(directory, `${await originHash('other.example/log')}.checkpoint`), note);
    await writeFile(path, note);
    await expect(open({}, [log.verifier, other.verifier])).rejects.toThrow('It is of dumps.example/log.');
  });
});

it('requests at the same time are taken one after the other: one of them wins', async () => {
  const witness = await open();
  await post(witness, await honest.request(0, 3));
  const bodies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => (i % 2 ? honest : forked).request(3, 11 + (i % 7))),
  );
  const given = await Promise.all(bodies.map((body) => post(witness, body)));
  expect(given.map(({ status }) => status).toSorted()).toEqual([200, ...Array(19).fill(409)]);
  const size = await servedSize(witness);
  for (const { status, body } of given) if (status === 409) expect(body).toBe(`${size}\n`);
});

it('a clock that goes back makes it wait, and never sign an earlier time', async () => {
  const witness = await open();
  await post(witness, await honest.request(0, 3));
  now -= 30;
  const given = await post(witness, await honest.request(3, 4));
  expect([given.status, given.body]).toEqual([503, expect.stringContaining('30 s before')]);
  expect((await post(await open(), await honest.request(3, 4))).status).toBe(503);
  now += 30;
  expect((await post(witness, await honest.request(3, 4))).status).toBe(200);
});

it('several logs, and several keys of one log, are told apart', async () => {
  const [other, rotated] = [await sampleLog('other.example/log', 2), await sampleLog('dumps.example/log', 3)];
  const witness = await open({}, [log.verifier, rotated.verifier, other.verifier]);
  const renewed = await rotated.history('honest');
  expect((await post(witness, await honest.request(0, 3))).status).toBe(200);
  expect((await post(witness, await (await other.history('other')).request(0, 7))).status).toBe(200);
  expect((await post(witness, await renewed.request(3, 5))).status).toBe(200);
  expect(witness.logs().map(({ origin, held }) => [origin, held?.checkpoint.size])).toEqual([
    ['dumps.example/log', 5],
    ['other.example/log', 7],
  ]);
});

describe('whatever a dishonest log asks, in whatever order, over restarts', () => {
  const histories: Record<string, History> = { honest, forked };

  it('all that is cosigned is one history that only grows', async () => {
    const step = fc.oneof(
      fc.record({
        history: fc.constantFrom('honest', 'forked'),
        // Mostly the true size: what is refused for its old size shows little.
        from: fc.option(fc.nat(30), { freq: 1, nil: null }),
        to: fc.nat(40),
        restart: fc.constant(false),
      }),
      fc.record({
        history: fc.constant('honest'),
        from: fc.constant(null),
        to: fc.constant(0),
        restart: fc.constant(true),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await rm(directory, { recursive: true, force: true });
        let witness = await open();
        let size = 0;
        /** The history that was chosen beyond the common entries. */
        let chosen: string | null = null;
        for (const { history, from, to, restart } of steps) {
          if (restart) witness = await open();
          const oldSize = from ?? size;
          const body = await (histories[history] as History).request(oldSize, to);
          const { status } = await post(witness, body);
          const isConsistent = to <= 10 || chosen === null || chosen === history;
          const expected =
            oldSize > to ? 400 : oldSize !== size ? 409 : isConsistent ? 200 : to === size ? 409 : 422;
          expect(status).toBe(expected);
          if (status === 200) {
            expect(to).toBeGreaterThanOrEqual(size);
            size = to;
            if (size > 10) chosen = history;
          }
          expect(witness.logs()[0]?.held?.checkpoint.size ?? 0).toBe(size);
        }
        const held = witness.logs()[0]?.held;
        if (held)
          expect(held.checkpoint.root).toEqual(await (histories[chosen ?? 'honest'] as History).root(size));
      }),
      { numRuns: 60 },
    );
  });

  it('nor does any body stop it', async () => {
    const witness = await open();
    await post(witness, await honest.request(0, 8));
    const good = await honest.request(8, 21);
    const spoiled = fc
      .tuple(fc.nat(good.length), fc.nat(40), fc.string({ unit: 'binary' }))
      .map(([at, cut, text]) => good.slice(0, at) + text + good.slice(at + cut));
    await fc.assert(
      fc.asyncProperty(fc.oneof(spoiled, fc.string({ unit: 'binary' })), async (body) => {
        fc.pre(body !== good);
        const { status } = await post(witness, body);
        expect([400, 403, 404, 409, 422]).toContain(status);
        expect(witness.logs()[0]?.held?.checkpoint.size).toBe(8);
      }),
      { numRuns: 500 },
    );
  });
});
