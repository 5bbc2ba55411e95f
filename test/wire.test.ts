/** The field lists are closed: a body with one field more, anywhere in it, is refused. */
import { describe, expect, it, test } from 'vitest';
import type * as z from 'zod';
import { toHex } from '../schema/bytes.ts';
import { classify } from '../schema/classify/classify.ts';
import {
  type ArmedBody,
  armedBody,
  bodyMaxBytes,
  type EnrolBody,
  enrolBody,
  type ReportBody,
  receipt,
  reportBody,
  type TicketsBody,
  ticketsBody,
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
function reportOf(name: RunName): ReportBody {
  const run = recordedRun(name);
  const evidence = evidenceOf(run);
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

const bodies: Record<string, { shape: z.ZodType; body: object }> = {
  enrol: { shape: enrolBody, body: enrol },
  tickets: { shape: ticketsBody, body: tickets },
  armed: { shape: armedBody, body: armed },
  report: { shape: reportBody, body: report },
};

describe.each(Object.entries(bodies))('%s', (_, { shape, body }) => {
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

  it('names its machine and itself in lower-case hexadecimal', () => {
    for (const machine of [key.toUpperCase(), key.slice(2), `${key}00`, `${key}\n`, ` ${key}`, '']) {
      expect(shape.safeParse({ ...body, machine }).success).toBe(false);
    }
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
  ['a version of tomorrow', { version: '1.1' }],
  ['a line that is too long', { evidence: { ...report.evidence, crash_log: ['x'.repeat(401)] } }],
  ['too many lines', { evidence: { ...report.evidence, crash_log: Array(61).fill('') } }],
  ['a negative duration', { evidence: { ...report.evidence, duration_ms: -1 } }],
  ['a count beyond 2^53', { evidence: { ...report.evidence, duration_ms: 2 ** 53 } }],
  ['a signature that is too long', { outcome: { ...report.outcome, signature: 'x'.repeat(401) } }],
])('a report with %s is refused', (_, change) => {
  expect(reportBody.safeParse({ ...report, ...change }).success).toBe(false);
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
