/** One row for each reason of a verdict: a dump that is verified, with one thing changed. */
import { describe, expect, it, test } from 'vitest';
import type { AfterReboot } from '../after-reboot.ts';
import type { DumpFinding } from '../evidence.ts';
import { namesOf, type VerdictReason, verdictReasons } from '../vocabulary.ts';
import { judgeDump, judgeEvidence } from './judge.ts';

const whole: DumpFinding = {
  format: 'flattened',
  fault: null,
  byte_count: 64_482_396,
  truncated: false,
  incomplete_flag: false,
  pages: { promised: 21_244, present: 21_244, undecodable: 0 },
  armed: 'present',
  fired: 'present',
  canaries: { planted: 11, good: 11, changed: 0, missing: 0 },
  kernel_release: '6.1.0-56-amd64',
  vmcoreinfo: 'resolved',
  log_lines: 486,
};

const rows: readonly (readonly [VerdictReason, Partial<DumpFinding>])[] = [
  ['verified', {}],
  ['verified', { format: 'elf', kernel_release: null }],
  ['empty', { format: 'empty' }],
  ['no-dump-magic', { format: 'unknown' }],
  ['unsupported-format', { format: 'diskdump' }],
  ['unsupported-format', { format: 'lkcd' }],
  ['unsupported-format', { format: 'netdump' }],
  ['unsupported-format', { format: 'mkdump' }],
  ['other-trial', { armed: 'other-trial' }],
  ['other-trial', { fired: 'other-trial' }],
  ['other-trial', { armed: 'absent' }],
  ['other-trial', { fired: 'absent' }],
  ['armed-not-fired', { fired: 'unfired' }],
  ['truncated', { truncated: true }],
  ['malformed', { fault: 'page descriptor 7 lies outside of the file' }],
  ['incomplete-flag', { incomplete_flag: true }],
  ['pages-missing', { pages: { promised: 21_244, present: 21_243, undecodable: 0 } }],
  ['pages-missing', { pages: { promised: 0, present: 0, undecodable: 0 } }],
  ['records-missing', { armed: 'missing' }],
  ['records-missing', { fired: 'missing' }],
  ['canaries-missing', { canaries: { planted: 11, good: 10, changed: 0, missing: 1 } }],
  ['canaries-missing', { canaries: { planted: 0, good: 0, changed: 0, missing: 0 } }],
  ['pages-undecodable', { pages: { promised: 21_244, present: 21_244, undecodable: 1 } }],
  ['record-changed', { armed: 'changed' }],
  ['record-changed', { fired: 'changed' }],
  ['canaries-changed', { canaries: { planted: 11, good: 10, changed: 1, missing: 0 } }],
  ['canaries-changed', { canaries: { planted: 11, good: 10, changed: 0, missing: 0 } }],
  ['vmcoreinfo-unresolved', { vmcoreinfo: 'unresolved' }],
  ['vmcoreinfo-unresolved', { vmcoreinfo: 'absent' }],
  ['log-unresolved', { log_lines: 0 }],
  ['log-unresolved', { log_lines: null }],
];

test.each(rows)('%s: %j', (reason, change) => {
  expect(judgeDump({ ...whole, ...change })).toEqual({ reason, verdict: verdictReasons[reason] });
});

test('every reason that a dump can have has a row', () => {
  const ofDumps = namesOf(verdictReasons).filter((reason) => reason !== 'elsewhere');
  expect(new Set(rows.map(([reason]) => reason))).toEqual(new Set(ofDumps));
});

describe('a dump that another machine received', () => {
  const receiver = { payload: 'e30=', payloadType: 't', signatures: [] };
  const after_reboot: AfterReboot = {
    layout: 'debian',
    dump_state: 'elsewhere',
    watchdog_status: 'not-reported',
    reset_reason: null,
    pstore_records: 0,
    capture_log_found: false,
    receiver: null,
  };

  it.each([null, whole])('is unverifiable where nobody there vouches for it', (dump) => {
    expect(judgeEvidence({ dump, after_reboot })).toEqual({ reason: 'elsewhere', verdict: 'unverifiable' });
  });

  it('is judged by what was found there', () => {
    const found = { after_reboot: { ...after_reboot, receiver } };
    expect(judgeEvidence({ ...found, dump: whole })?.verdict).toBe('verified');
    expect(judgeEvidence({ ...found, dump: { ...whole, truncated: true } })?.reason).toBe('truncated');
    expect(judgeEvidence({ ...found, dump: null })).toBeNull();
  });
});

describe('the order of the rules', () => {
  it.each<[string, VerdictReason, Partial<DumpFinding>]>([
    ['a cut dump of another crash is foreign', 'other-trial', { armed: 'other-trial', truncated: true }],
    [
      'a cut dump of a crash before the trigger too',
      'armed-not-fired',
      { fired: 'unfired', truncated: true },
    ],
    ['what is cut is incomplete before it is unreadable', 'truncated', { truncated: true, fault: 'ends' }],
    [
      'pages that are not there come before wrong ones',
      'pages-missing',
      {
        pages: { promised: 9, present: 8, undecodable: 1 },
        canaries: { planted: 2, good: 0, changed: 2, missing: 0 },
      },
    ],
    [
      'zeros are empty, whatever else is said',
      'empty',
      { format: 'empty', truncated: true, armed: 'other-trial' },
    ],
  ])('%s', (_, reason, change) => {
    expect(judgeDump({ ...whole, ...change }).reason).toBe(reason);
  });
});
