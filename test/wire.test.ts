/** The field lists are closed: a body with one field more, anywhere in it, is refused. */
import { describe, expect, it, test } from 'vitest';
import type * as z from 'zod';
import { toHex } from '../schema/bytes.ts';
import { classify } from '../schema/classify/classify.ts';
import { payloadKinds } from '../schema/envelope.ts';
import { watchedEvidence } from '../schema/evidence.ts';
import {
  type ArmedBody,
  armedBody,
  bodyMaxBytes,
  type DecisionBody,
  decisionBody,
  type EnrolBody,
  enrolBody,
  type InviteBody,
  inviteBody,
  type ReportBody,
  type RevokeBody,
  type RotateBody,
  receipt,
  reportBody,
  revokeBody,
  rotateBody,
  type TicketsBody,
  ticketsBody,
  type WithdrawBody,
  withdrawBody,
} from '../schema/wire.ts';
import { evidenceOf, type RunName, recordedRun, runNames } from './fixtures/runs/runs.ts';

const key = 'ab'.repeat(32);
const nonce = '57b7ff5c08a898a4faabdbd7e203eb8b';
const at = '2026-11-23T15:26:53.000Z';

const enrol: EnrolBody = {
  version: '1.0',
  machine: key,
  owner: key,
  owner_signature: 'cd'.repeat(64),
  profile: '{}',
  work: { counter: 65_000 },
  agent_version: '0.1.0',
  created_at: at,
};

const tickets: TicketsBody = {
  version: '1.0',
  machine: key,
  request: nonce,
  profile_sha256: key,
  set: 'standard/1',
  scenarios: ['direct/panic/idle/none'],
  mechanism: 'kdump',
  environment: 'instrumented',
  created_at: at,
};

const armed: ArmedBody = { version: '1.0', machine: key, nonce, armed_at: at };

/** The report of a recorded run. */
function reportOf(name: RunName): ReportBody & { version: '1.0' } {
  const run = recordedRun(name);
  const evidence = watchedEvidence.parse(evidenceOf(run));
  return {
    version: '1.0',
    machine: key,
    nonce: run.nonce,
    profile_sha256: key,
    population: 'lab',
    scenario: { set: 'standard/1', ...run.scenario },
    mechanism: 'kdump',
    environment: 'instrumented',
    triggered_by: 'crashpoint',
    sysctls: { 'kernel.panic_on_oops': 1 },
    agent_version: '0.1.0',
    emulator: run.emulator,
    armed_at: at,
    reported_at: at,
    evidence,
    outcome: classify(evidence, run.scenario, 'kdump'),
  };
}

const report = reportOf('am53c974');

/** Each object in a value, with the path to it; records with free names are left out. */
function* objectsIn(value: unknown, path: string): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && !path.endsWith('.sysctls')) yield path;
  for (const [name, inner] of Object.entries(value)) yield* objectsIn(inner, `${path}.${name}`);
}

/** The same with one field more in the object at this path. */
function withField(value: object, path: string): object {
  const copy = structuredClone(value);
  let at: Record<string, unknown> = { '': copy };
  for (const name of path.split('.')) at = at[name] as Record<string, unknown>;
  at.hostname = 'alice-laptop';
  return copy;
}

const newTickets: TicketsBody = { ...tickets, version: '1.1', controls: true, offline: false };
const firstReport: ReportBody & { version: '1.1' } = { ...report, version: '1.1', amends: null };
const amendment: ReportBody = {
  ...report,
  version: '1.1',
  amends: { report_hash: key, reason: 'dump-found' },
};

/** A report of a real machine whose dump went to another one, which vouches for it. */
const afterReboot: ReportBody = {
  ...firstReport,
  version: '1.2',
  evidence: {
    ...report.evidence,
    exit: 'restart',
    channel: { ...report.evidence.channel, name: 'ramoops' },
    after_reboot: {
      layout: 'debian',
      dump_state: 'elsewhere',
      watchdog_status: 'not-reported',
      reset_reason: 'software',
      pstore_records: 1,
      capture_log_found: false,
      receiver: { payload: 'e30=', payloadType: 't', signatures: [{ keyid: key, sig: 'QQ==' }] },
    },
  },
};
const watched: ReportBody = {
  ...firstReport,
  version: '1.2',
  evidence: { ...report.evidence, after_reboot: null },
};

const rotate: RotateBody = {
  version: '1.0',
  role: 'machine',
  key,
  next: 'ef'.repeat(32),
  next_signature: 'cd'.repeat(64),
  created_at: at,
};
const revoke: RevokeBody = {
  version: '1.0',
  owner: key,
  role: 'machine',
  key,
  from_index: 7,
  created_at: at,
};
const withdraw: WithdrawBody = { version: '1.0', signer: key, role: 'owner', key, created_at: at };
const invite: InviteBody = { version: '1.0', owner: key, invited: 'ef'.repeat(32), created_at: at };
const decision: DecisionBody = {
  version: '1.0',
  operator: key,
  action: 'quarantine',
  subject: { kind: 'agent_version', value: '0.1.0' },
  from_index: null,
  reason: 'a test',
  created_at: at,
};

/** Each body in each of its versions, and the fields that hold a key. */
const bodies: Record<string, { shape: z.ZodType; body: object; keys: readonly string[] }> = {
  enrol: { shape: enrolBody, body: enrol, keys: ['machine', 'owner'] },
  tickets: { shape: ticketsBody, body: tickets, keys: ['machine'] },
  'tickets 1.1': { shape: ticketsBody, body: newTickets, keys: ['machine'] },
  armed: { shape: armedBody, body: armed, keys: ['machine'] },
  report: { shape: reportBody, body: report, keys: ['machine'] },
  'report 1.1': { shape: reportBody, body: firstReport, keys: ['machine'] },
  'report 1.1 that amends': { shape: reportBody, body: amendment, keys: ['machine'] },
  'report 1.2': { shape: reportBody, body: watched, keys: ['machine'] },
  'report 1.2 after a reboot': { shape: reportBody, body: afterReboot, keys: ['machine'] },
  rotate: { shape: rotateBody, body: rotate, keys: ['key', 'next'] },
  revoke: { shape: revokeBody, body: revoke, keys: ['owner', 'key'] },
  withdraw: { shape: withdrawBody, body: withdraw, keys: ['signer', 'key'] },
  invite: { shape: inviteBody, body: invite, keys: ['owner', 'invited'] },
  decision: { shape: decisionBody, body: decision, keys: ['operator'] },
};

test('every kind of signed payload is here', () => {
  const kinds = new Set(Object.keys(bodies).map((name) => name.split(' ')[0]));
  expect([...kinds].sort()).toEqual([...payloadKinds].sort());
});

describe.each(Object.entries(bodies))('%s', (_, { shape, body, keys }) => {
  it('is taken as it is', () => {
    expect(shape.parse(body)).toEqual(body);
  });

  it('is refused with one field more, anywhere', () => {
    const places = [...objectsIn(body, '')];
    expect(places.length).toBeGreaterThan(0);
    for (const path of places) {
      const { success, error } = shape.safeParse(withField(body, path));
      expect([path, success]).toEqual([path, false]);
      expect(error?.issues[0]?.code).toBe('unrecognized_keys');
    }
  });

  it('is refused with one field less', () => {
    for (const name of Object.keys(body)) {
      const { [name]: __, ...less } = body as Record<string, unknown>;
      expect([name, shape.safeParse(less).success]).toEqual([name, false]);
    }
  });

  it('names keys in lower-case hexadecimal', () => {
    for (const field of keys) {
      for (const name of [key.toUpperCase(), key.slice(2), `${key}00`, `${key}\n`, ` ${key}`, '', null])
        expect([field, name, shape.safeParse({ ...body, [field]: name }).success]).toEqual([
          field,
          name,
          false,
        ]);
    }
  });

  it('is of a version that there is', () => {
    for (const version of ['0.9', '1.3', '2.0', '1', '1.0.0', '', 1, null])
      expect([version, shape.safeParse({ ...body, version }).success]).toEqual([version, false]);
  });
});

test('every place of a report is closed', () => {
  expect([...objectsIn(report, '')]).toEqual(
    expect.arrayContaining(['', '.scenario', '.evidence', '.evidence.channel', '.evidence.channel.saw.0']),
  );
  expect([...objectsIn(report, '')]).toEqual(
    expect.arrayContaining([
      '.evidence.trigger',
      '.evidence.dump',
      '.evidence.dump.pages',
      '.outcome.reached',
    ]),
  );
});

test.each(runNames)('the report of the recorded run %s is one that is admitted', (name) => {
  const body = reportOf(name);
  expect(reportBody.parse(body)).toEqual(body);
  expect(JSON.stringify(body).length * 2).toBeLessThan(bodyMaxBytes);
});

test.each<[string, boolean]>([
  ['2026-11-23T15:26:53.000Z', true],
  ['2024-02-29T00:00:00.999Z', true],
  ['2026-11-23T15:26:53Z', false],
  ['2026-11-23T15:26:53.000000Z', false],
  ['2026-11-23T15:26:53.000+00:00', false],
  ['2026-11-23T16:26:53.000+01:00', false],
  ['2026-11-23 15:26:53.000Z', false],
  ['2026-02-29T00:00:00.000Z', false],
  ['2026-13-01T00:00:00.000Z', false],
  ['1795447613000', false],
  ['', false],
])('the time %s: %s', (armed_at, good) => {
  expect(armedBody.safeParse({ ...armed, armed_at }).success).toBe(good);
});

test.each<[string, object]>([
  ['a sysctl with a path', { sysctls: { '../kernel': 1 } }],
  ['a sysctl with a text', { sysctls: { 'kernel.panic': '1' } }],
  ['a scenario of no set', { scenario: { ...report.scenario, set: 'standard/99' } }],
  ['a point of no catalogue', { scenario: { ...report.scenario, crash_point: 'rm -rf' } }],
  ['no population', { population: null }],
  ['a version whose fields are others', { version: '1.1' }],
  ['an amendment that this version does not have', { amends: null }],
  ['an end that this version does not have', { evidence: { ...report.evidence, exit: 'restart' } }],
  ['what this version does not ask after a reboot', { evidence: { ...report.evidence, after_reboot: null } }],
  ['a line that is too long', { evidence: { ...report.evidence, crash_log: ['x'.repeat(401)] } }],
  ['too many lines', { evidence: { ...report.evidence, crash_log: Array(61).fill('') } }],
  ['a negative duration', { evidence: { ...report.evidence, duration_ms: -1 } }],
  ['a count beyond 2^53', { evidence: { ...report.evidence, duration_ms: 2 ** 53 } }],
  ['a signature that is too long', { outcome: { ...report.outcome, signature: 'x'.repeat(401) } }],
])('a report with %s is refused', (_, change) => {
  expect(reportBody.safeParse({ ...report, ...change }).success).toBe(false);
});

test.each<[string, object]>([
  ['the fields of the next version', { ...tickets, controls: false, offline: false }],
  ['the next version without its fields', { ...tickets, version: '1.1' }],
  ['the next version with one of its fields', { ...tickets, version: '1.1', controls: true }],
  ['a control that is no yes or no', { ...newTickets, controls: 1 }],
  ['no scenario', { ...newTickets, scenarios: [] }],
  ['65 scenarios', { ...newTickets, scenarios: Array(65).fill('direct/panic/idle/none') }],
])('a request for tickets with %s is refused', (_, body) => {
  expect(ticketsBody.safeParse(body).success).toBe(false);
});

test.each<[string, object]>([
  ['of no report', { report_hash: null, reason: 'dump-found' }],
  ['without a reason', { report_hash: key }],
  ['for a reason that is not agreed', { report_hash: key, reason: 'better-result' }],
  ['by index', { report_hash: '7', reason: 'dump-found' }],
])('an amendment %s is refused', (_, amends) => {
  expect(reportBody.safeParse({ ...amendment, amends }).success).toBe(false);
});

test.each<[string, z.ZodType, object]>([
  ['a role that is none', rotateBody, { ...rotate, role: 'operator' }],
  ['a signature that is too short', rotateBody, { ...rotate, next_signature: 'cd'.repeat(63) }],
  ['an index below the first', revokeBody, { ...revoke, from_index: -1 }],
  ['a part of an index', revokeBody, { ...revoke, from_index: 1.5 }],
  ['no index', revokeBody, { ...revoke, from_index: null }],
  ['a role that is none', withdrawBody, { ...withdraw, role: 'operator' }],
  ['an action that is none', decisionBody, { ...decision, action: 'delete' }],
  ['a subject that is none', decisionBody, { ...decision, subject: { kind: 'report', value: '7' } }],
  ['a subject without a value', decisionBody, { ...decision, subject: { kind: 'machine', value: '' } }],
  [
    'a subject of 81 characters',
    decisionBody,
    { ...decision, subject: { kind: 'machine', value: 'x'.repeat(81) } },
  ],
  ['no reason', decisionBody, { ...decision, reason: '' }],
  ['a reason of 301 characters', decisionBody, { ...decision, reason: 'x'.repeat(301) }],
])('a change of keys or trust with %s is refused', (_, shape, body) => {
  expect(shape.safeParse(body).success).toBe(false);
});

test('a receipt names the report by its index in the log', () => {
  const whole = {
    report_id: '7',
    log_index: 7,
    admitted_at: at,
    entry: '{}',
    row: '{}',
    row_salt: nonce,
    envelope_salt: null,
    promise: { payload: 'e30=', payloadType: 't', signatures: [{ keyid: key, sig: 'QQ==' }] },
    checkpoint: '',
  };
  expect(receipt.safeParse(whole).success).toBe(true);
  for (const report_id of ['', '-1', '7a', toHex(new Uint8Array(8)).padStart(20, '0')]) {
    expect(receipt.safeParse({ ...whole, report_id }).success).toBe(false);
  }
});
