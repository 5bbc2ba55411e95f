import { afterAll, beforeAll, expect, it } from 'vitest';
import { applyMigrations } from './migrations.ts';
import { closeStore, openStore, type Store } from './open.ts';
import { migrations, schemaOf, schemaState } from './schema-version.ts';

const ours = [
  { tag: '0000_a', when: 10 },
  { tag: '0001_b', when: 20 },
];

it.each<[readonly number[], object]>([
  [[], { state: 'foreign', applied: 0 }],
  [[10], { state: 'behind', applied: 1, missing: 1 }],
  [[10, 20], { state: 'current', applied: 2 }],
  [[10, 20, 30], { state: 'ahead', applied: 3 }],
  [[11], { state: 'foreign', applied: 1 }],
  [[10, 21], { state: 'foreign', applied: 2 }],
  [[20, 10], { state: 'foreign', applied: 2 }],
])('migrations of the times %j: %j', (applied, state) => {
  expect(schemaState(applied, ours)).toEqual(state);
});

let store: Store;
beforeAll(async () => {
  store = await openStore({ url: 'file::memory:' });
});
afterAll(() => closeStore(store));

it('knows an empty store, and one that this code has migrated', async () => {
  expect(await schemaOf(store)).toEqual({ state: 'foreign', applied: 0 });
  await applyMigrations(store);
  expect(await schemaOf(store)).toEqual({ state: 'current', applied: migrations.length });
  expect(migrations.length).toBeGreaterThan(1);
});
