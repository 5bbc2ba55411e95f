/** The sequencer: one tree whatever happens between its steps, and no signature over a store that is not what was signed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromHex, toHex, utf8 } from '../../schema/bytes.ts';
import { parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseVerifierKey } from '../../schema/log/note.ts';
import { leafHash, rootOf } from '../../schema/log/tree.ts';
import { aboutNobody, draftEntry } from '../../worker/log/draft.ts';
import type { HighWater, Mark } from '../../worker/log/high-water.ts';
import { highWaterIn } from '../../worker/log/high-water-file.ts';
import { integrate, type SequencerServices } from '../../worker/log/sequencer.ts';
import { publishedCheckpoint } from '../../worker/store/checkpoints.ts';
import { giveLease, haltedWhy, setHalted, takeLease } from '../../worker/store/lease.ts';
import { append } from '../../worker/store/log.ts';
import { write } from '../../worker/store/open.ts';
import type { Told } from '../../worker/telemetry/events.ts';
import { type InProcess, startInProcess } from '../http/in-process.ts';

let survey: InProcess;
let services: SequencerServices;
let nowMs: number;
let told: Told[];

/** A mark that is remembered as a file would. */
function memory(): HighWater {
  let mark: Mark | null = null;
  return {
    read: async () => mark,
    raise: async (to) => {
      mark = to;
    },
  };
}

beforeEach(async () => {
  nowMs = Date.parse('2026-11-20T12:00:00.000Z');
  told = [];
  survey = await startInProcess({
    now: () => nowMs,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    highWater: memory(),
    log: (event) => told.push(event),
  });
  services = survey.services;
});
afterEach(() => survey.stop());

/** Appends entries that say nothing. */
async function appendEntries(count: number): Promise<void> {
  const row = { owner: '00'.repeat(32), invited: '11'.repeat(32) };
  for (let left = count; left > 0; left -= 200) {
    const drafts = await Promise.all(
      Array.from({ length: Math.min(200, left) }, () =>
        draftEntry(services, 'invite', row, null, aboutNobody, nowMs),
      ),
    );
    await write(
      services.store,
      drafts.flatMap((draft) => append(services.store.db, draft)),
    );
  }
}

/** The root as it is defined, over all entries below a size. */
async function rootByHand(size: number): Promise<string> {
  const { rows } = await services.store.client.execute({
    sql: 'select entry from log_entries where log_index < ? order by log_index',
    args: [size],
  });
  const leaves = await Promise.all(rows.map((row) => leafHash(utf8(String(row.entry)))));
  expect(leaves).toHaveLength(size);
  return toHex(await rootOf(leaves));
}

async function signed(): Promise<{ size: number; root: string }> {
  const checkpoint = await publishedCheckpoint(services.store);
  if (checkpoint === null) throw new Error('nothing was signed');
  const verifier = await parseVerifierKey(services.signer.verifierKey);
  const { size, root } = parseCheckpoint((await openNote(checkpoint.note, [verifier])).text);
  return { size, root: toHex(root) };
}

describe('a checkpoint', () => {
  it('is of the tree as it is defined, however many entries came in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 4 }), async (steps) => {
        for (const count of steps) {
          await appendEntries(count);
          await integrate(services);
          const { size, root } = await signed();
          expect(root).toBe(await rootByHand(size));
        }
      }),
      { numRuns: 6 },
    );
    const { rows } = await services.store.client.execute('select count(*) from log_entries');
    expect((await signed()).size).toBe(Number(rows[0]?.[0]));
  }, 120_000);

  it('has nodes of the second level where there are 65,536 entries', async () => {
    await services.store.client.execute(
      `insert into log_entries (log_index, kind, entry, leaf_hash)
       with recursive n(i) as (select 0 union all select i + 1 from n where i < 65999)
       select i, 'invite', '', printf('%064x', i) from n`,
    );
    await integrate(services);
    const { rows } = await services.store.client.execute(
      'select level, count(*) as count from tree_nodes group by level order by level',
    );
    expect(rows.map(({ level, count }) => [Number(level), Number(count)])).toEqual([
      [1, 257],
      [2, 1],
    ]);
    const leaves = Array.from({ length: 66_000 }, (_, i) => fromHex(i.toString(16).padStart(64, '0')));
    expect(await signed()).toEqual({ size: 66_000, root: toHex(await rootOf(leaves)) });
  }, 120_000);

  it('is not signed again where nothing was appended', async () => {
    await appendEntries(3);
    await integrate(services);
    const { rows: before } = await services.store.client.execute('select * from checkpoints');
    await integrate(services);
    const { rows: after } = await services.store.client.execute('select * from checkpoints');
    expect(after.length).toBe(before.length);
  });
});

describe('the lease', () => {
  it('lets one work, and gives each holder a higher token', async () => {
    const { store } = services;
    const first = await takeLease(store, 'a', 1000, 500);
    expect(first).not.toBeNull();
    expect(await takeLease(store, 'b', 1200, 500)).toBeNull();
    expect(await takeLease(store, 'a', 1200, 500)).toBe(first);
    const second = await takeLease(store, 'b', 1700, 500);
    expect(second).toBe((first ?? 0) + 1);
    await giveLease(store, 'a', first ?? 0);
    expect(await takeLease(store, 'c', 1800, 500)).toBeNull();
    await giveLease(store, 'b', second ?? 0);
    expect(await takeLease(store, 'c', 1800, 500)).toBe((second ?? 0) + 1);
  });

  it('of a clock that was set back since is not waited for; one of a clock that is a little ahead is', async () => {
    const { store } = services;
    const first = await takeLease(store, 'a', 1_000_000, 500);
    expect(await takeLease(store, 'b', 999_700, 500)).toBeNull();
    const second = await takeLease(store, 'b', 1000, 500);
    expect(second).toBe((first ?? 0) + 1);
    expect(await takeLease(store, 'a', 1000, 500)).toBeNull();
  });

  it('is waited for where another holds it', async () => {
    await appendEntries(2);
    await takeLease(services.store, 'another', nowMs, 30_000);
    expect(await integrate(services)).toEqual({ state: 'busy' });
    nowMs += 30_001;
    expect(await integrate(services)).toMatchObject({ state: 'integrated' });
  });

  it('that was lost meanwhile lets nothing be stored', async () => {
    await appendEntries(5);
    const before = await signed();
    const { read, raise } = services.highWater;
    // A pause between the mark and the batch, long enough for another to take over.
    const slow: SequencerServices = {
      ...services,
      highWater: {
        read,
        raise: async (to) => {
          await raise(to);
          await takeLease(services.store, 'another', nowMs + 60_000, 30_000);
        },
      },
    };
    expect(await integrate(slow)).toEqual({ state: 'busy' });
    expect(await signed()).toEqual(before);
    nowMs += 120_000;
    expect(await integrate(services)).toMatchObject({ state: 'integrated' });
    const after = await signed();
    expect(after.root).toBe(await rootByHand(after.size));
  });

  it('lets ten that begin at once come to one tree', async () => {
    await appendEntries(300);
    const results = await Promise.all(Array.from({ length: 10 }, () => integrate(services)));
    expect(results.some(({ state }) => state === 'integrated')).toBe(true);
    const { size, root } = await signed();
    expect(root).toBe(await rootByHand(size));
    const { rows } = await services.store.client.execute(
      'select count(*) as all_, count(distinct size) as sizes from checkpoints',
    );
    expect(rows[0]?.all_).toBe(rows[0]?.sizes);
  });
});

describe('killed between two steps', () => {
  /** Fails at the n-th call of the store's client: as a process that ends there, but for its memory. */
  it('the next one comes to the same tree', async () => {
    for (let killedAt = 1; killedAt < 40; killedAt++) {
      await appendEntries(7);
      let calls = 0;
      const dying = new Proxy(services.store.client, {
        get(target, property, receiver) {
          const value = Reflect.get(target, property, receiver) as unknown;
          if (typeof value !== 'function') return value;
          return (...args: unknown[]) => {
            if (['execute', 'batch'].includes(String(property)) && ++calls >= killedAt)
              throw new Error('killed');
            return value.apply(target, args) as unknown;
          };
        },
      });
      const { drizzle } = await import('drizzle-orm/libsql');
      const store = { ...services.store, client: dying, db: drizzle(dying) };
      const state = await integrate({ ...services, store }).then(
        (result) => result.state,
        () => 'killed',
      );
      expect(['killed', 'integrated']).toContain(state);
      nowMs += 60_000;
      expect(await integrate(services)).toMatchObject({ state: 'integrated' });
      const { size, root } = await signed();
      expect(root).toBe(await rootByHand(size));
      if (state === 'integrated') return;
    }
    throw new Error('no run came to its end');
  });
});

describe('a store that is not what was signed', () => {
  async function isHalted(why: RegExp): Promise<void> {
    const integration = await integrate(services);
    expect(integration).toMatchObject({ state: 'halted', why: expect.stringMatching(why) });
    expect(await haltedWhy(services.store)).toMatch(why);
    expect(told).toContainEqual({ event: 'log-halted', why: expect.stringMatching(why) });
    // Nothing is appended, and nothing is signed, until an operator says so.
    await expect(appendEntries(1)).rejects.toMatchObject({ slug: 'log-halted' });
    const answer = await survey.fetch(new Request('http://survey.example/readyz'));
    expect(answer.status).toBe(503);
    expect(await integrate(services)).toMatchObject({ state: 'halted' });
  }

  it('because a backup was restored: it is shorter than the mark', async () => {
    await appendEntries(10);
    await integrate(services);
    await services.store.client.batch([
      'delete from log_entries where log_index >= 4',
      'delete from checkpoints where size > 4',
    ]);
    await isHalted(/older backup/);
  });

  it('because a backup was restored, and has grown since beyond the mark', async () => {
    await appendEntries(10);
    await integrate(services);
    await services.store.client.batch([
      'delete from log_entries where log_index >= 4',
      'delete from checkpoints where size > 4',
    ]);
    await appendEntries(20);
    await isHalted(/not those that were signed/);
  });

  it('because an entry was changed below the last checkpoint', async () => {
    await appendEntries(10);
    await integrate(services);
    await services.store.client.execute(
      "update log_entries set leaf_hash = replace(leaf_hash, substr(leaf_hash, 1, 4), '0bad') where log_index = 3",
    );
    await appendEntries(1);
    await isHalted(/not those that were signed/);
  });

  it('because an entry is gone in the middle', async () => {
    await appendEntries(300);
    await integrate(services);
    await services.store.client.execute('delete from log_entries where log_index = 290');
    await appendEntries(1);
    await isHalted(/has 44/);
  });

  it('goes on when it is whole again and the operator lets it', async () => {
    await appendEntries(10);
    await integrate(services);
    const { rows } = await services.store.client.execute(
      'select leaf_hash from log_entries where log_index = 3',
    );
    await services.store.client.execute("update log_entries set leaf_hash = '00' where log_index = 3");
    await appendEntries(1);
    expect(await integrate(services)).toMatchObject({ state: 'halted' });
    await services.store.client.execute({
      sql: 'update log_entries set leaf_hash = ? where log_index = 3',
      args: [rows[0]?.[0] ?? null],
    });
    expect(await integrate(services)).toMatchObject({ state: 'halted' });
    await setHalted(services.store, null);
    expect(await integrate(services)).toMatchObject({ state: 'integrated' });
    const { size, root } = await signed();
    expect(root).toBe(await rootByHand(size));
  });

  it('because the mark is of another log', async () => {
    await appendEntries(1);
    await services.highWater.raise({ origin: 'another.example/log', size: 0, root: '00'.repeat(32) });
    await isHalted(/another\.example|not those that were signed/);
  });
});

describe('the mark in a file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dumpsurvey-mark-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is there after a restart, and a file that is none is not taken for a new log', async () => {
    const path = join(folder, 'log.mark');
    expect(await highWaterIn(path).read()).toBeNull();
    const mark = { origin: 'survey.example/log', size: 7, root: 'ab'.repeat(32) };
    await highWaterIn(path).raise(mark);
    expect(await highWaterIn(path).read()).toEqual(mark);
    const { writeFile } = await import('node:fs/promises');
    for (const text of ['', '{}', '{"origin":"x","size":-1,"root":""}', 'null']) {
      await writeFile(path, text);
      await expect(highWaterIn(path).read()).rejects.toThrow(/Restore it from a backup/);
    }
  });
});
