/** A copy of a real survey, of which any byte is changed: the auditor finds it, or it is where nothing commits to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseVerifierKey } from '../../schema/log/note.ts';
import { auditFiles, filesIn, sourceOf } from '../../test/audit/files.ts';
import { audited, log, openSurvey, openWitness, toldSurvey } from '../../test/http/audited.ts';
import { statusOf } from './print.ts';

let files: Map<string, Uint8Array>;
let witness: string;
let cleanUp: () => Promise<unknown>;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'dumpsurvey-any-byte-'));
  const watching = await openWitness(join(directory, 'witness'), 'any-byte');
  witness = watching.vkey;
  const told = await toldSurvey({ witnesses: [`${witness}=${watching.url}`] });
  const survey = await openSurvey(await told.copy());
  const keep = join(directory, 'copy');
  const { status, found } = await audited({ url: survey.url, keep, witness: [`${witness}=${watching.url}`] });
  expect({ status, found }).toEqual({ status: 0, found: [] });
  files = await filesIn(keep);
  await survey.stop();
  await watching.close();
  cleanUp = async () => {
    await told.forget();
    await rm(directory, { recursive: true, force: true });
  };
});
afterAll(() => cleanUp());

/** Fields of the API's answers to which nothing commits (docs/verifying.md). */
const uncovered = new Set(['published_at', 'withdrawn', 'note']);

/** What an answer of the API says, without those. Its spacing says nothing. Undefined where it is not JSON. */
function saidIn(bytes: Uint8Array): string | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return JSON.stringify(value, (name, inner: unknown) => (uncovered.has(name) ? undefined : inner));
  } catch {
    return undefined;
  }
}

/** Whether a changed file says something else that the auditor must notice. */
function mustBeFound(name: string, before: Uint8Array, after: Uint8Array): boolean {
  if (!name.startsWith('v1/')) return true;
  return saidIn(before) !== saidIn(after);
}

async function auditWith(name: string, bytes: Uint8Array) {
  const changed = new Map([...files, [name, bytes]]);
  const folder = `witness/${encodeURIComponent('any-byte')}/`;
  const held = new Map(
    [...changed]
      .filter(([path]) => path.startsWith(folder))
      .map(([path, body]) => [path.slice(folder.length), body]),
  );
  // The key as a copy names it, where it is not the key that is changed.
  return auditFiles(changed, name === 'log/key' ? null : log.verifierKey, {
    witnesses: [{ verifier: await parseVerifierKey(witness), source: sourceOf(held) }],
    witnessesNeeded: 1,
  });
}

it('is found, whichever it is', async () => {
  const names = [...files.keys()].sort();
  expect(names).toContain('log/rows/0');
  expect(names.some((name) => name.startsWith('witness/'))).toBe(true);
  expect(statusOf(await auditWith('log/key', files.get('log/key') ?? new Uint8Array()))).toBe(0);
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...names),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.integer({ min: 1, max: 255 }),
      async (name, place, mask) => {
        const before = files.get(name) ?? new Uint8Array();
        const after = new Uint8Array(before);
        const at = Math.floor(place * after.length);
        after[at] = (after[at] ?? 0) ^ mask;
        if (!mustBeFound(name, before, after)) return;
        tried++;
        const report = await auditWith(name, after);
        expect(statusOf(report), `${name}, byte ${at} ^ ${mask}`).not.toBe(0);
      },
    ),
    { numRuns: 250 },
  );
  // What is not covered is the exception.
  expect(tried).toBeGreaterThan(150);
});

it('is not found where nothing commits to it', async () => {
  const name = [...files.keys()].find((path) => path.startsWith('v1/editions/')) ?? '';
  const text = new TextDecoder().decode(files.get(name));
  const changed = text.replace(/"published_at":"20/, '"published_at":"19');
  expect(changed).not.toBe(text);
  expect(statusOf(await auditWith(name, new TextEncoder().encode(changed)))).toBe(0);
});
