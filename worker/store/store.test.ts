/** What the store is trusted for: durable pragmas, batches that are all or nothing, honesty after SQLITE_BUSY. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { armedNotes, machines } from '../../schema/tables.ts';
import { aboutNobody, draftEntry } from '../log/draft.ts';
import { Refusal } from '../refusal.ts';
import { append, lastIndex, logSize } from './log.ts';
import { applyMigrations } from './migrations.ts';
import { closeStore, isConflict, openStore, type Store, write } from './open.ts';

let folder: string;
let url: string;
let store: Store;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dumpsurvey-store-'));
  url = pathToFileURL(join(folder, 'survey.db')).href;
  store = await openStore({ url });
  await applyMigrations(store);
});

afterEach(async () => {
  closeStore(store);
  await rm(folder, { recursive: true, force: true });
});

async function pragma(name: string): Promise<unknown> {
  return (await store.client.execute(`PRAGMA ${name}`)).rows[0]?.[0];
}

function machine(name: string) {
  return { machine: name, owner: 'o', root: name, successor: null, enrolled_at_ms: 0 };
}

/** How many machines somebody else sees. */
async function committedMachines(): Promise<number> {
  const other = createClient({ url });
  const { rows } = await other.execute('select count(*) from machines');
  other.close();
  return Number(rows[0]?.[0]);
}

/** Appends an armed note's entry for each nonce, in one batch, and the note itself, whose nonce is unique. */
async function appendAll(...nonces: string[]): Promise<void> {
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const drafts = await Promise.all(
    nonces.map((nonce) => draftEntry({ random }, 'armed', { nonce, armed_at: '' }, null, aboutNobody, 0)),
  );
  await write(
    store,
    drafts.flatMap((draft, i) => [
      ...append(store.db, draft),
      store.db
        .insert(armedNotes)
        .values({ nonce: nonces[i] ?? '', log_index: lastIndex, armed_at_ms: 0, admitted_at_ms: 0 }),
    ]),
  );
}

describe('the store', () => {
  it('writes ahead and syncs fully', async () => {
    expect(await pragma('journal_mode')).toBe('wal');
    expect(await pragma('synchronous')).toBe(2);
  });

  it('migrates again without a change', async () => {
    await applyMigrations(store);
    expect(await logSize(store)).toBe(0);
  });

  it('numbers the log without gaps, also after a batch that failed', async () => {
    await appendAll('aa', 'bb');
    await expect(appendAll('cc', 'aa')).rejects.toSatisfy(isConflict);
    await appendAll('dd');
    const { rows } = await store.client.execute('select log_index from log_entries order by log_index');
    expect(rows.map((row) => row[0])).toEqual([0, 1, 2]);
  });

  it('says that it is busy, and afterwards commits what it acknowledges', async () => {
    const blocker = createClient({ url, concurrency: 1 });
    const held = await blocker.transaction('write');
    const refused = write(store, [store.db.insert(machines).values(machine('a'))]);
    await expect(refused).rejects.toSatisfy((e) => e instanceof Refusal && e.slug === 'store-busy');
    await held.rollback();
    await write(store, [store.db.insert(machines).values(machine('b'))]);
    await store.db.insert(machines).values(machine('c'));
    expect(await committedMachines()).toBe(2);
    expect(await pragma('synchronous')).toBe(2);
    blocker.close();
  });

  it('waits for a store that is busy for a short time', async () => {
    const blocker = createClient({ url, concurrency: 1 });
    const held = await blocker.transaction('write');
    const written = write(store, [store.db.insert(machines).values(machine('a'))]);
    setTimeout(() => held.rollback(), 150);
    await written;
    expect(await committedMachines()).toBe(1);
    blocker.close();
  });
});
