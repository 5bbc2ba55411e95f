/** Every way to be wrong: a problem document that says what to do, nothing stored, and the server goes on. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { toHex, utf8 } from '../../schema/bytes.ts';
import { type Envelope, type PayloadKind, payloadKinds } from '../../schema/envelope.ts';
import { type ProblemSlug, problems } from '../../schema/problem.ts';
import type { ArmedBody, EnrolBody, ReportBody, Ticket, TicketsBody } from '../../schema/wire.ts';
import { operationList } from '../../worker/openapi/operations.ts';
import { type Answer, enrol, get, paths, post, postRaw, problemOf, rowCounts, takeTicket } from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  decision,
  invitation,
  keyPair,
  requestId,
  revocation,
  rotation,
  sampleMachine,
  sampleProfile,
  seal,
  sealBytes,
  simpleScenario,
  withdrawal,
} from './samples.ts';
import {
  flip,
  identityKey,
  identitySignature,
  malleate,
  nonCanonicalKey,
  payloadText,
  shorten,
  signedBy,
} from './spoil.ts';

const dayMs = 24 * 3600_000;

const machine = sampleMachine('refused');
const stranger = sampleMachine('stranger');
const other = sampleMachine('other');
const metal = sampleMachine('metal', sampleProfile('nvme', { population: 'metal', lab_machine: null }));
/** Withdrawn at the end. */
const gone = sampleMachine('gone');
const operator = keyPair('operator');
/** Never enrolled by the set-up. */
const newcomer = sampleMachine('newcomer');

/** What the set-up of a runtime leaves: valid envelopes to spoil. */
interface Ground {
  readonly ticket: Ticket;
  readonly reported: Ticket;
  readonly envelopes: Readonly<Record<PayloadKind, Envelope>>;
}

/** One way to be wrong. `at` sets the server's clock ahead for this request only. */
interface Case {
  readonly what: string;
  readonly kind: PayloadKind;
  readonly body: (ground: Ground) => BodyInit;
  readonly slug: ProblemSlug;
  /** What the detail must name. */
  readonly names?: RegExp;
  readonly atMs?: number;
}

const text = (value: unknown) => JSON.stringify(value);

/** A body signed by the machine, which differs from a valid one in some fields. */
function report(change: (body: ReportBody) => object, signer = machine): (ground: Ground) => string {
  return ({ ticket }) =>
    text(seal('report', { ...change(machine.report(ticket, 'captured', Date.now())) }, signer.key));
}
function enrolment(change: (body: EnrolBody) => object, who = newcomer): () => string {
  return () => text(seal('enrol', change(who.enrol()), who.key));
}
function request(change: (body: TicketsBody) => object, who = machine): () => string {
  return () => text(seal('tickets', change(who.tickets(requestId('refused'), [simpleScenario])), who.key));
}
function armedNote(change: (body: ArmedBody) => object, who = machine): (ground: Ground) => string {
  return ({ ticket }) => text(seal('armed', change(who.armed(ticket, Date.now())), who.key));
}

/** Cases that every address has alike. */
const common: readonly Case[] = payloadKinds.flatMap((kind): Case[] => {
  const spoilt = (
    what: string,
    slug: ProblemSlug,
    spoil: (e: Envelope) => unknown,
    names?: RegExp,
  ): Case => ({
    what: `${kind}: ${what}`,
    kind,
    slug,
    body: (ground) => text(spoil(ground.envelopes[kind])),
    ...(names ? { names } : {}),
  });
  const raw = (what: string, slug: ProblemSlug, body: () => BodyInit): Case => ({
    what: `${kind}: ${what}`,
    kind,
    slug,
    body,
  });
  const otherKind = kind === 'report' ? 'armed' : 'report';
  return [
    raw('no body', 'not-json', () => ''),
    raw('words', 'not-json', () => 'hello'),
    raw('half a JSON text', 'not-json', () => '{"payload":"'),
    raw('bytes that are not UTF-8', 'not-json', () => new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])),
    raw('NUL bytes', 'not-json', () => new Uint8Array(1000)),
    raw('100,000 open brackets', 'not-an-envelope', () => '['.repeat(100_000)),
    raw('10 MB of JSON', 'too-large', () => text({ payload: 'A'.repeat(10_000_000) })),
    raw('10 MB without a length', 'too-large', () => streamOf(10_000_000)),
    raw('200,000 nested arrays', 'not-an-envelope', () => '['.repeat(200_000) + ']'.repeat(200_000)),
    raw('null', 'not-an-envelope', () => 'null'),
    raw('an empty object', 'not-an-envelope', () => '{}'),
    spoilt('an unknown field of the envelope', 'not-an-envelope', (e) => ({ ...e, extra: 1 }), /extra/),
    spoilt('no signature', 'not-an-envelope', (e) => ({ ...e, signatures: [] }), /signatures/),
    spoilt('two signatures', 'not-an-envelope', (e) => ({
      ...e,
      signatures: [e.signatures[0], e.signatures[0]],
    })),
    spoilt('a payload that is not base64', 'not-an-envelope', (e) => ({ ...e, payload: '%%%' }), /payload/),
    spoilt('a payload in URL-safe base64', 'not-an-envelope', (e) => ({ ...e, payload: '_-8=' }), /payload/),
    spoilt('a key in upper case', 'not-an-envelope', (e) =>
      signedBy(e, machine.key.publicHex.toUpperCase(), new Uint8Array(64)),
    ),
    spoilt(
      'another payload type',
      'wrong-payload-type',
      (e) => ({ ...e, payloadType: 'text/plain' }),
      /text\/plain/,
    ),
    {
      what: `${kind}: the envelope of another address`,
      kind,
      slug: 'wrong-payload-type',
      body: ({ envelopes }) => text(envelopes[otherKind]),
    },
    spoilt('a payload that names another signer', 'key-mismatch', (e) =>
      seal(kind, JSON.parse(payloadText(e)), stranger.key),
    ),
    spoilt('a wrong signature', 'wrong-signature', flip),
    spoilt('a signature of 63 bytes', 'wrong-signature', shorten, /63 bytes/),
    spoilt('a signature with S + L', 'malleable-signature', malleate),
    spoilt('the key of another machine', 'wrong-signature', (e) => ({
      ...e,
      signatures: [{ ...e.signatures[0], keyid: stranger.key.publicHex }],
    })),
    spoilt(
      'a small-order key',
      'unacceptable-key',
      (e) => signedBy(e, identityKey, identitySignature),
      /small order/,
    ),
    spoilt('a key that is not canonical', 'unacceptable-key', (e) =>
      signedBy(e, nonCanonicalKey, identitySignature),
    ),
    raw('a signed payload that is no JSON', 'invalid-payload', () =>
      text(sealBytes(kind, utf8('{"version":'), machine.key)),
    ),
    raw('a signed payload that is not UTF-8', 'invalid-payload', () =>
      text(sealBytes(kind, new Uint8Array([0xff, 0xfe]), machine.key)),
    ),
    raw('a signed payload of 100,000 brackets', 'invalid-payload', () =>
      text(sealBytes(kind, utf8('['.repeat(100_000) + ']'.repeat(100_000)), machine.key)),
    ),
    raw('a signed payload that names the machine twice', 'invalid-payload', () =>
      text(sealBytes(kind, utf8(`{"machine":"${machine.key.publicHex}","machine":"x"}`), machine.key)),
    ),
  ];
});

function streamOf(byteCount: number): ReadableStream<Uint8Array> {
  let left = byteCount;
  return new ReadableStream({
    pull: (controller) => {
      const chunk = new Uint8Array(Math.min(left, 65_536)).fill(0x20);
      left -= chunk.length;
      if (chunk.length > 0) controller.enqueue(chunk);
      if (left === 0) controller.close();
    },
  });
}

const enrolments: readonly Case[] = [
  {
    what: 'an unknown field',
    slug: 'invalid-payload',
    body: enrolment((b) => ({ ...b, name: 'me' })),
    names: /name/,
  },
  {
    what: 'too little work',
    slug: 'insufficient-work',
    body: enrolment((b) => ({ ...b, work: { counter: 1 } })),
    names: /counter 1/,
  },
  {
    what: 'an owner of small order',
    slug: 'unacceptable-key',
    body: enrolment((b) => ({ ...b, owner: identityKey })),
    names: /owner/,
  },
  {
    what: "another owner's signature",
    slug: 'wrong-owner-signature',
    body: enrolment((b) => ({ ...b, owner: keyPair('x').publicHex })),
  },
  {
    what: "the owner's signature with S + L",
    slug: 'malleable-signature',
    body: enrolment((b) => ({
      ...b,
      owner_signature: `${b.owner_signature.slice(0, 64)}${'ff'.repeat(32)}`,
    })),
    names: /owner_signature/,
  },
  {
    what: 'a profile that is no JSON',
    slug: 'invalid-payload',
    body: enrolment((b) => ({ ...b, profile: '{"version"' })),
    names: /profile/,
  },
  {
    what: 'a profile with a serial number',
    slug: 'invalid-payload',
    body: enrolment((b) => ({ ...b, profile: text({ ...sampleProfile(), serial: 'X1' }) })),
    names: /serial/,
  },
  {
    what: 'a profile with a name twice',
    slug: 'invalid-payload',
    body: enrolment((b) => ({ ...b, profile: b.profile.replace('{', '{"iommu":true,') })),
    names: /iommu/,
  },
  {
    what: 'a profile of 100,000 brackets',
    slug: 'invalid-payload',
    body: enrolment((b) => ({ ...b, profile: '['.repeat(60_000) + ']'.repeat(60_000) })),
    names: /profile/,
  },
  {
    what: 'another owner for an enrolled machine',
    slug: 'owner-mismatch',
    body: () => {
      const thief = sampleMachine('refused', sampleProfile(), 'thief');
      return text(seal('enrol', thief.enrol(), thief.key));
    },
  },
  {
    what: 'the key of another machine in the payload',
    slug: 'key-mismatch',
    body: enrolment((b) => ({ ...b, machine: machine.key.publicHex })),
  },
].map((c): Case => ({ ...c, slug: c.slug as ProblemSlug, kind: 'enrol', what: `enrol: ${c.what}` }));

const requests: readonly Case[] = [
  { what: 'a machine that is not enrolled', slug: 'unknown-machine', body: request((b) => b, stranger) },
  {
    what: 'a profile that it has not told',
    slug: 'unknown-profile',
    body: request((b) => ({ ...b, profile_sha256: '00'.repeat(32) })),
  },
  {
    what: 'an entry that the set has not',
    slug: 'unknown-scenario',
    body: request((b) => ({ ...b, scenarios: ['nmi/panic/idle/none'] })),
    names: /nmi/,
  },
  {
    what: 'a set that there is not',
    slug: 'invalid-payload',
    body: request((b) => ({ ...b, set: 'standard/99' })),
    names: /set/,
  },
  { what: 'no scenario', slug: 'invalid-payload', body: request((b) => ({ ...b, scenarios: [] })) },
  {
    what: '65 scenarios',
    slug: 'invalid-payload',
    body: request((b) => ({ ...b, scenarios: Array(65).fill(simpleScenario) })),
  },
  {
    what: 'a lab scenario on a real machine',
    slug: 'unknown-scenario',
    body: request((b) => ({ ...b, set: 'lab/1', scenarios: ['direct/stack-overflow/disk/none'] }), metal),
    names: /emulated/,
  },
].map((c): Case => ({ ...c, slug: c.slug as ProblemSlug, kind: 'tickets', what: `tickets: ${c.what}` }));

const notes: readonly Case[] = [
  {
    what: 'a machine that is not enrolled',
    slug: 'unknown-machine',
    body: armedNote((b) => ({ ...b, machine: stranger.key.publicHex }), stranger),
  },
  {
    what: 'a ticket that there is not',
    slug: 'unknown-ticket',
    body: armedNote((b) => ({ ...b, nonce: '00'.repeat(16) })),
  },
  {
    what: "another machine's ticket",
    slug: 'foreign-ticket',
    body: armedNote((b) => ({ ...b, machine: other.key.publicHex }), other),
  },
  {
    what: 'arming after arm_by',
    slug: 'arm-too-late',
    body: armedNote((b) => ({ ...b, armed_at: new Date(Date.now() + 25 * 3600_000).toISOString() })),
    atMs: 25 * 3600_000,
  },
  {
    what: 'arming in the future',
    slug: 'report-from-future',
    body: armedNote((b) => ({ ...b, armed_at: new Date(Date.now() + 11 * 60_000).toISOString() })),
  },
].map((c): Case => ({ ...c, slug: c.slug as ProblemSlug, kind: 'armed', what: `armed: ${c.what}` }));

const future = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();

const reports: readonly Case[] = [
  {
    what: 'an unknown field',
    slug: 'invalid-payload',
    body: report((b) => ({ ...b, hostname: 'x' })),
    names: /hostname/,
  },
  {
    what: 'an unknown field deep inside',
    slug: 'invalid-payload',
    body: report((b) => ({
      ...b,
      evidence: { ...b.evidence, channel: { ...b.evidence.channel, ip: '::1' } },
    })),
    names: /evidence\.channel/,
  },
  {
    what: 'a missing field',
    slug: 'invalid-payload',
    body: report(({ sysctls: _, ...b }) => b),
    names: /sysctls/,
  },
  {
    what: 'a version that is not admitted',
    slug: 'invalid-payload',
    body: report((b) => ({ ...b, version: '9.0' })),
    names: /version/,
  },
  {
    what: 'a number that no double holds',
    slug: 'invalid-payload',
    body: report((b) => ({ ...b, evidence: { ...b.evidence, duration_ms: 2 ** 53 } })),
    names: /duration_ms/,
  },
  {
    what: 'a line longer than lines are',
    slug: 'invalid-payload',
    body: report((b) => ({ ...b, evidence: { ...b.evidence, crash_log: ['x'.repeat(401)] } })),
    names: /crash_log/,
  },
  {
    what: '__proto__ among the sysctls',
    slug: 'invalid-payload',
    body: ({ ticket }: Ground) =>
      text(
        sealBytes(
          'report',
          utf8(
            text(machine.report(ticket, 'captured', Date.now())).replace(
              '"sysctls":{',
              '"sysctls":{"__proto__":1,',
            ),
          ),
          machine.key,
        ),
      ),
    names: /__proto__/,
  },
  {
    what: 'a machine that is not enrolled',
    slug: 'unknown-machine',
    body: report((b) => ({ ...b, machine: stranger.key.publicHex }), stranger),
  },
  {
    what: 'another machine than the signer',
    slug: 'key-mismatch',
    body: report((b) => ({ ...b, machine: other.key.publicHex })),
  },
  {
    what: 'a ticket that there is not',
    slug: 'unknown-ticket',
    body: report((b) => ({ ...b, nonce: 'ab'.repeat(16) })),
  },
  {
    what: "another machine's ticket",
    slug: 'foreign-ticket',
    body: report((b) => ({ ...b, machine: other.key.publicHex }), other),
  },
  {
    what: 'another crash type',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, scenario: { ...b.scenario, crash_type: 'bug' } })),
    names: /crash_type is bug/,
  },
  {
    what: 'another load',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, scenario: { ...b.scenario, load: 'disk' } })),
    names: /load/,
  },
  {
    what: 'another number in flight',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, scenario: { ...b.scenario, in_flight_min: 9 } })),
    names: /in_flight_min/,
  },
  {
    what: 'another mechanism',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, mechanism: 'pstore' })),
    names: /mechanism/,
  },
  {
    what: 'another environment',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, environment: 'stock' })),
    names: /environment/,
  },
  {
    what: 'another population',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, population: 'metal' })),
    names: /population/,
  },
  {
    what: 'another profile',
    slug: 'ticket-mismatch',
    body: report((b) => ({ ...b, profile_sha256: '00'.repeat(32) })),
    names: /profile/,
  },
  {
    what: 'the future',
    slug: 'report-from-future',
    body: report((b) => ({ ...b, reported_at: future(11) })),
    names: /reported_at/,
  },
  {
    what: '91 days after the deadline',
    slug: 'report-too-late',
    body: report((b) => ({ ...b, reported_at: future(93 * 24 * 60 - 1) })),
    atMs: 93 * dayMs,
  },
  {
    what: 'a second, different report',
    slug: 'different-report',
    body: ({ reported }: Ground) =>
      text(seal('report', machine.report(reported, 'hang', Date.now()), machine.key)),
    names: /has report \d+/,
  },
].map((c): Case => ({ ...c, slug: c.slug as ProblemSlug, kind: 'report', what: `report: ${c.what}` }));

function expectProblem(answer: Answer, slug: ProblemSlug): void {
  expect([answer.text.slice(0, 300), answer.status]).toEqual([
    answer.text.slice(0, 300),
    problems[slug].status,
  ]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(problemOf(answer)).toEqual({
    type: `/problems/${slug}`,
    title: problems[slug].title,
    status: problems[slug].status,
    detail: expect.stringMatching(/.{10}/),
    action: problems[slug].action,
  });
  expect(answer.text.length).toBeLessThan(3000);
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d|SQLITE|\\n +at /);
}

test('the table of operations names every problem that a request is refused with here', () => {
  for (const { kind, slug, what } of [...common, ...enrolments, ...requests, ...notes, ...reports]) {
    const rows = operationList.filter(([, operation]) => operation.takes?.kind === kind);
    expect([what, rows.flatMap(([, operation]) => operation.problems)]).toEqual([
      what,
      expect.arrayContaining([slug]),
    ]);
  }
});

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let ground: Ground;

  beforeAll(async () => {
    runtime = await startRuntime(name, { operators: [operator.publicHex] });
    const { url } = runtime;
    for (const m of [machine, other, metal, gone]) await enrol(url, m);
    const ticket = await takeTicket(url, machine, 'ticket');
    const reported = await takeTicket(url, machine, 'reported');
    const done = machine.report(reported, 'captured', Date.now());
    await post(url, 'report', seal('report', done, machine.key));
    const envelopes = {
      enrol: seal('enrol', newcomer.enrol(), newcomer.key),
      tickets: seal('tickets', machine.tickets(requestId('valid'), [simpleScenario]), machine.key),
      armed: seal('armed', machine.armed(ticket, Date.now()), machine.key),
      report: seal('report', machine.report(ticket, 'captured', Date.now()), machine.key),
      rotate: rotation('machine', other.key, keyPair('the next of other')),
      revoke: revocation(metal.owner, 'machine', metal.key.publicHex, 0),
      withdraw: withdrawal(gone.key, 'machine', gone.key.publicHex),
      invite: invitation(machine.owner, keyPair('invited').publicHex),
      decision: decision(operator, 'quarantine', 'agent_version', '9.9.9'),
    };
    ground = { ticket, reported, envelopes };
  });
  afterAll(() => runtime.stop());

  it.each([...common, ...enrolments, ...requests, ...notes, ...reports])(
    '$what is refused as $slug',
    async ({ kind, body, slug, names, atMs }) => {
      const before = await rowCounts(runtime);
      if (atMs !== undefined) await runtime.setClock(atMs);
      const answer = await postRaw(runtime.url, paths[kind], body(ground));
      if (atMs !== undefined) await runtime.setClock(0);
      expectProblem(answer, slug);
      if (names) expect(problemOf(answer).detail).toMatch(names);
      expect(await rowCounts(runtime)).toEqual(before);
      expect((await get(runtime.url, '/healthz')).text).toBe('ok\n');
    },
  );

  it.each([
    ['/v1/statistics', 'invalid-query'],
    ['/v1/statistics?by=driver', 'invalid-query'],
    ['/v1/statistics?by=driver&population=all', 'invalid-query'],
    ['/v1/statistics?by=driver,driver&population=lab', 'invalid-query'],
    ['/v1/statistics?by=driver,role,chipset,load&population=lab', 'invalid-query'],
    ['/v1/statistics?by=&population=lab', 'invalid-query'],
    ['/v1/statistics?by=driver&population=lab&drivr=x', 'invalid-query'],
    ['/v1/statistics?by=driver&population=lab&population=metal', 'invalid-query'],
    ['/v1/statistics?by=driver&population=lab&__proto__=x', 'invalid-query'],
    ["/v1/statistics?by=driver'--&population=lab", 'invalid-query'],
    ['/v1/editions/0', 'not-found'],
    ['/v1/editions/one', 'not-found'],
    ['/v1/editions?before=x', 'invalid-query'],
    ['/v1/reports?before=-1', 'invalid-query'],
    ['/v1/reports?befor=3', 'invalid-query'],
    ['/v1/reports?before=3&before=4', 'invalid-query'],
    ['/v1/editions?page=2', 'invalid-query'],
    ['/v1/reports/0?format=xml', 'invalid-query'],
    ['/v1/drivers/ahci?format=', 'invalid-query'],
    ['/v1/reports/0', 'not-found'],
    ['/v1/reports/1e3', 'not-found'],
    ['/v1/reports/%00', 'not-found'],
    ['/v1/reports/99999999999999999999', 'not-found'],
    [`/v1/drivers/${'x'.repeat(81)}`, 'not-found'],
    ['/problems/constructor', 'not-found'],
    ['/problems/nothing', 'not-found'],
    ['/%ff%fe', 'not-found'],
    ['/..%2f..%2fetc%2fpasswd', 'not-found'],
    ['/v2', 'not-found'],
  ] as const)('GET %s is refused as %s', async (path, slug) => {
    expectProblem(await get(runtime.url, path), slug);
  });

  it.each([
    ['DELETE', '/v1/reports'],
    ['PUT', '/v1/machines'],
    ['POST', '/v1/statistics'],
    ['PATCH', '/'],
  ])('%s %s is refused with the methods that there are', async (method, path) => {
    const response = await fetch(runtime.url + path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toMatch(/GET|POST/);
    expect(response.headers.get('content-type')).toContain('application/problem+json');
  });

  it('a driver of any name has a page, and no name leads elsewhere', async () => {
    for (const driver of ['<script>alert(1)</script>', '..', '%2E%2E', 'a/b', '\u202e', "' or 1=1"]) {
      const page = await get(runtime.url, `/drivers/${encodeURIComponent(driver)}`, 'text/html');
      expect(page.text).not.toContain('<script');
      expect([200, 404]).toContain(page.status);
    }
  });

  it('random bytes are refused, all of them', async () => {
    const before = await rowCounts(runtime);
    for (let i = 0; i < 40; i++) {
      const bytes = crypto.getRandomValues(new Uint8Array(1 + i * 37));
      const answer = await postRaw(runtime.url, paths.report, bytes);
      expect([answer.status, toHex(bytes)]).toEqual([400, toHex(bytes)]);
    }
    expect(await rowCounts(runtime)).toEqual(before);
  });

  it('after all that, the valid requests are still admitted', async () => {
    for (const kind of payloadKinds) {
      expect([kind, (await post(runtime.url, kind, ground.envelopes[kind])).status]).toEqual([kind, 201]);
    }
  });
});
