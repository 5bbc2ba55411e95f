/** Long logs and broken ones, as files in memory: what takes a server hours to tell takes a test moments. */
import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from '../../schema/bytes.ts';
import { auditFiles, type Files, foundIn, sourceOf } from '../../test/audit/files.ts';
import {
  armedNote,
  beginsMs,
  enrolment,
  log,
  requestOf,
  surveyOf,
  type Told,
  tickets,
} from '../../test/audit/sample-survey.ts';
import { sampleMachine, sampleProfile, withdrawal } from '../../test/http/samples.ts';

const machine = sampleMachine('long', sampleProfile('ahci'));
let entries: Told[];
let files: Map<string, Uint8Array>;

beforeAll(async () => {
  entries = [await enrolment(machine, beginsMs)];
  for (let i = 0; entries.length < 600; i++)
    entries.push(...(await tickets(machine, `ticket ${i}`, beginsMs + i)));
  files = await surveyOf(entries);
});

const changed = (name: string, change: (bytes: Uint8Array) => Uint8Array): Files => {
  const before = files.get(name);
  if (before === undefined) throw new Error(`there is no ${name}`);
  return new Map([...files, [name, change(new Uint8Array(before))]]);
};

const flipped = (at: number) => (bytes: Uint8Array) => {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

const claims99 = (bytes: Uint8Array) =>
  utf8(new TextDecoder().decode(bytes).replace(/"statistics_version":\d+/, '"statistics_version":99'));

describe('a log of 600 entries', () => {
  it('is walked in three bundles', async () => {
    const seen: number[] = [];
    const report = await auditFiles(files, null, { progress: (done) => seen.push(done) });
    expect({ found: foundIn(report), lacking: report.lacking }).toEqual({ found: [], lacking: [] });
    expect(report.tally.counts().entries.ok).toBe(600);
    // Three tiles of leaves and one above them.
    expect(report.tally.counts().tiles.ok).toBe(4);
    expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => i + 1));
  });

  it.each([
    ['a tile above the leaves', 'log/tile/1/000.p/2', flipped(3), ['tiles']],
    ['a tile of leaves', 'log/tile/0/001', flipped(32 * 7 + 3), ['tiles 263']],
    ['an entry', 'log/tile/entries/001', flipped(100), ['entries 256']],
    [
      'a bundle that is cut short',
      'log/tile/entries/002.p/88',
      (b: Uint8Array) => b.slice(0, -9),
      ['entries 512'],
    ],
    ['a tile that is cut short', 'log/tile/0/001', (b: Uint8Array) => b.slice(0, -32), ['tiles 256']],
    [
      'contents that are cut short',
      'log/rows/1',
      (b: Uint8Array) => b.slice(0, b.lastIndexOf(10, b.length - 2) + 1),
      ['rows 511'],
    ],
    ['a newest edition of another version of the code', 'v1/editions/1', claims99, ['editions']],
    ['contents in disorder', 'log/rows/2', swapLines, ['rows 512', 'rows 513']],
  ])('finds %s', async (_, name, change, found) => {
    const report = await auditFiles(changed(name, change), log.verifierKey);
    expect(foundIn(report)).toEqual(found);
    expect(report.tally.notes().length).toBe(
      found.some((one) => /rows|entries 2|tiles 263/.test(one)) ? 1 : 0,
    );
  });

  it('stops at contents of too many entries', async () => {
    const twice = changed('log/rows/0', (bytes) => utf8(new TextDecoder().decode(bytes).repeat(2)));
    const report = await auditFiles(twice, log.verifierKey);
    expect(foundIn(report)).toEqual(['rows 0']);
    expect(report.isTreeRight).toBe(false);
  });

  it('lacks what is not there, and accuses nobody', async () => {
    for (const name of files.keys()) {
      const without = new Map([...files].filter(([other]) => other !== name));
      const report = await auditFiles(without, null);
      expect(report.tally.findings()).toEqual([]);
      expect(report.lacking).toEqual([expect.stringContaining('is not there')]);
    }
  });
});

describe('hostile contents', () => {
  const lineWith = (value: unknown) => (bytes: Uint8Array) => {
    const [, ...rest] = new TextDecoder().decode(bytes).split('\n');
    return utf8([typeof value === 'string' ? value : JSON.stringify(value), ...rest].join('\n'));
  };
  const depth = 200_000;
  it.each<[string, unknown]>([
    ['nothing', ''],
    ['no JSON', '{"log_index":0,'],
    ['nesting without end', '['.repeat(depth) + ']'.repeat(depth)],
    [
      'an envelope of nesting',
      `{"log_index":0,"row":null,"row_salt":null,"envelope":${'['.repeat(depth)}${']'.repeat(depth)},"envelope_salt":null}`,
    ],
    [
      'two values of one name',
      '{"log_index":0,"log_index":0,"row":null,"row_salt":null,"envelope":null,"envelope_salt":null}',
    ],
    ['a prototype', '{"__proto__":{"log_index":0}}'],
    [
      'a number that is none',
      '{"log_index":1e999,"row":null,"row_salt":null,"envelope":null,"envelope_salt":null}',
    ],
    [
      'a salt without its row',
      { log_index: 0, row: null, row_salt: '00'.repeat(16), envelope: null, envelope_salt: null },
    ],
    [
      'a row without its salt',
      { log_index: 0, row: '{}', row_salt: null, envelope: null, envelope_salt: null },
    ],
  ])('are found: %s', async (_, value) => {
    const report = await auditFiles(changed('log/rows/0', lineWith(value)), log.verifierKey);
    expect(foundIn(report)[0]).toBe('rows 0');
    expect(report.isTreeRight).toBe(true);
  });

  it.each<[string, (told: Told) => Told, string[]]>([
    ['half a surrogate pair, and a zero', (t) => withRow(t, { chipset: '\ud800\u0000' }), ['derivation 1']],
    [
      'twenty thousand drivers',
      (t) =>
        withRow(t, {
          parts: Array.from({ length: 20_000 }, (_, i) => ({ driver: `d${i}`, role: 'present' })),
        }),
      ['derivation 1'],
    ],
    [
      'a driver twice',
      (t) => withRow(t, { parts: [1, 2].map(() => ({ driver: 'ahci', role: 'present' })) }),
      ['protocol 1', 'derivation 1'],
    ],
    [
      'a time beyond all times',
      (t) => withRow(t, { report_by: '9999-12-31T23:59:59.999Z' }),
      ['protocol 1', 'derivation 1'],
    ],
  ])('are found in rows that the log has signed: %s', async (_, change, found) => {
    const [enrolled, ticket] = entries;
    const told = change(ticket as Told);
    const note = await armedNote(machine, told, beginsMs + 1);
    const report = await auditFiles(await surveyOf([enrolled as Told, told, note]), log.verifierKey);
    expect(foundIn(report)).toEqual(found);
  });

  it('are found in a withdrawal of all indices that there can be', async () => {
    const row = { role: 'machine', key: machine.key.publicHex, entries: [[0, Number.MAX_SAFE_INTEGER]] };
    const request = await requestOf(
      'withdraw',
      withdrawal(machine.key, 'machine', machine.key.publicHex, new Date(beginsMs).toISOString()),
    );
    const told = { kind: 'withdraw', row, request, atMs: beginsMs } as Told;
    const report = await auditFiles(await surveyOf([entries[0] as Told, told]), log.verifierKey);
    expect(foundIn(report)).toEqual(['withdrawals 1']);
  });
});

function withRow(told: Told, change: object): Told {
  return { ...told, row: { ...told.row, ...change } } as Told;
}

function swapLines(bytes: Uint8Array): Uint8Array {
  const [one, two, ...rest] = new TextDecoder().decode(bytes).split('\n');
  return utf8([two, one, ...rest].join('\n'));
}

describe('a log that grows while it is audited', () => {
  it('is followed until what a witness has seen is there', async () => {
    const [ticket] = await tickets(machine, 'ticket 0', beginsMs);
    const grown = await surveyOf([...entries, await armedNote(machine, ticket as Told, beginsMs + 10_000)]);
    const note = new TextDecoder().decode(grown.get('log/checkpoint'));
    const source = sourceOf(files);
    let waited = 0;
    const report = await auditFiles(new Map(), log.verifierKey, {
      source: {
        ...source,
        isLive: true,
        open: (address) => (waited > 1 ? sourceOf(grown) : source).open(address),
      },
      lastNote: note,
      sleep: async () => {
        waited++;
      },
    });
    expect({ found: foundIn(report), waited }).toEqual({ found: [], waited: 2 });
    expect(report.tally.counts()).toMatchObject({
      checkpoint: { ok: 3 },
      // The newest one is that of the witness; the first one was walked to, and the edition's.
      consistency: { ok: 3 },
      entries: { ok: 601 },
      rows: { ok: 601 },
    });
  });

  it('is behind where that never comes', async () => {
    const [ticket] = await tickets(machine, 'ticket 0', beginsMs);
    const grown = await surveyOf([...entries, await armedNote(machine, ticket as Told, beginsMs + 10_000)]);
    const report = await auditFiles(files, log.verifierKey, {
      lastNote: new TextDecoder().decode(grown.get('log/checkpoint')),
    });
    expect(foundIn(report)).toEqual(['consistency']);
  });
});

describe('the empty log', () => {
  it('is in order', async () => {
    const report = await auditFiles(await surveyOf([]), null);
    expect({ found: foundIn(report), lacking: report.lacking }).toEqual({ found: [], lacking: [] });
    expect(report.head?.checkpoint.size).toBe(0);
  });
});
