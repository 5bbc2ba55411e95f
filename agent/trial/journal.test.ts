import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ticket } from '../../schema/wire.ts';
import { foldJournal, type JournalEntry, openJournal, parseJournal } from './journal.ts';

const ticket = (nonce: string): Ticket => ({
  nonce: nonce.padStart(32, '0'),
  machine: 'ab'.repeat(32),
  profile_sha256: 'cd'.repeat(32),
  scenario: {
    set: 'standard/1',
    crash_point: 'direct',
    crash_type: 'panic',
    load: 'idle',
    mitigation: 'none',
    set_up: 'panic',
    in_flight_min: 0,
  },
  mechanism: 'kdump',
  environment: 'instrumented',
  control: false,
  issued_at: '2026-11-24T10:00:00.000Z',
  arm_by: '2026-11-25T10:00:00.000Z',
  report_by: '2026-11-26T10:00:00.000Z',
  log_index: 3,
});
const ordinal = 4;
const steps: JournalEntry[] = [
  { step: 'ticket', ordinal, ticket: ticket('1') },
  { step: 'noted', ordinal, nonce: ticket('1').nonce, payload: 'e30=' },
  { step: 'arming', ordinal, armed_at: '2026-11-24T10:01:00.000Z', sysctls: {}, listing: '{}' },
  { step: 'report', ordinal, payload: 'e30=' },
];

describe('what a journal comes to', () => {
  it('is the last entry of each step, for each trial', () => {
    const other: JournalEntry = { step: 'ticket', ordinal: 5, ticket: ticket('2') };
    const state = foldJournal([...steps, other]);
    expect(state.get(ordinal)).toMatchObject({
      ticket: ticket('1'),
      note: { payload: 'e30=' },
      arming: { armed_at: '2026-11-24T10:01:00.000Z' },
      payload: 'e30=',
      closed: false,
      controls: 0,
    });
    expect(state.get(5)).toEqual({ ticket: ticket('2'), closed: false, controls: 0 });
    expect(foldJournal([...steps, { step: 'closed', ordinal }]).get(ordinal)?.closed).toBe(true);
  });

  it('begins anew after a control, which is counted', () => {
    const control: JournalEntry = { step: 'control', ordinal };
    expect(foldJournal([...steps, control]).get(ordinal)).toEqual({
      closed: false,
      controls: 1,
      controlsArmed: ['2026-11-24T10:01:00.000Z'],
      formerNonces: [ticket('1').nonce],
    });
    const again = foldJournal([...steps, control, ...steps, { step: 'closed', ordinal }]);
    expect(again.get(ordinal)).toMatchObject({ closed: true, controls: 1, ticket: ticket('1') });
  });
});

describe('the file', () => {
  let path: string;
  beforeEach(() => {
    path = join(mkdtempSync(join(tmpdir(), 'journal-')), 'deep/journal.jsonl');
  });
  afterEach(() => rmSync(join(path, '../..'), { recursive: true }));

  it('is read again as it was written, and a torn last line is cut off', async () => {
    const journal = await openJournal(path);
    for (const step of steps) await journal.append(step);
    const whole = readFileSync(path, 'utf8');
    appendFileSync(path, '{"step":"closed","ordi');
    const again = await openJournal(path);
    expect(again.trials()).toEqual(journal.trials());
    expect(readFileSync(path, 'utf8')).toBe(whole);
    await again.append({ step: 'closed', ordinal });
    expect((await openJournal(path)).trials().get(ordinal)?.closed).toBe(true);
  });

  it('with a damaged line in the middle is not read: nothing may be run twice', () => {
    const lines = steps.map((step) => JSON.stringify(step));
    lines[1] = '{"step":"noted"';
    expect(() => parseJournal(`${lines.join('\n')}\n`)).toThrow('line 2 of the journal is damaged');
  });
});
