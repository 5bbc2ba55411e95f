/**
 * Attacks over HTTP on both runtimes: paths that want to lead elsewhere, a Host that is not ours, and strings that
 * want to be SQL, HTML or a formula. What is oversized, deep, slow or compressed is in limits.test.ts, what is wrongly
 * signed in refusals.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ticket } from '../../schema/wire.ts';
import {
  type Answer,
  enrol,
  eventually,
  get,
  paths,
  post,
  postRaw,
  problemOf,
  rowCounts,
  takeTickets,
} from './client.ts';
import { askRaw, type RawAnswer } from './raw.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { requestId, sampleMachine, sampleProfile, seal, simpleScenario } from './samples.ts';

const hostile = {
  html: '"><script>alert(1)</script><img src=x onerror=alert(1)>',
  sql: "x'; DROP TABLE reports; --",
  or: "' OR 1=1 --",
  formula: '=HYPERLINK("http://evil.example","x")',
  controls: 'a\u0000b\u001b[31m\u202ec\u2028',
} as const;

/** The parts of a value that are strings, by path. */
function* stringsIn(value: unknown, path: readonly (string | number)[] = []): Generator<(string | number)[]> {
  if (typeof value === 'string') yield [...path];
  else if (Array.isArray(value))
    for (const [i, item] of value.entries()) yield* stringsIn(item, [...path, i]);
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) yield* stringsIn(item, [...path, name]);
}

/** The same with another string at a path. */
function withString<T>(value: T, path: readonly (string | number)[], text: string): T {
  const copy = structuredClone(value);
  let at = copy as Record<string | number, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string | number, unknown>;
  at[path.at(-1) ?? ''] = text;
  return copy;
}

/** Nothing of a page or feed can act: no element that acts, no attribute that does. */
function expectInert(text: string): void {
  const acting = [
    /<(?:script|img|iframe|object|embed|form|input)\b[^>]*/i,
    /<[^>]*\son\w+\s*=/i,
    /(?:href|src)\s*=\s*["']?\s*(?:javascript|data|vbscript):/i,
  ];
  // What stands in the quotes of an attribute is a value, and no tag.
  const tags = text.replaceAll(/="[^"]*"/g, (value) => (/^="\s*\w+:/.test(value) ? value : '=""'));
  expect(acting.map((pattern) => pattern.exec(tags)?.[0])).toEqual([undefined, undefined, undefined]);
}

function expectQuiet(answer: Pick<Answer, 'status' | 'text'>): void {
  expect([answer.text.slice(0, 200), answer.status < 500]).toEqual([answer.text.slice(0, 200), true]);
  expect(answer.text).not.toMatch(/SQLITE|no such (?:table|column)|syntax error|node_modules|\.ts:\d/);
}

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  const machine = sampleMachine('attacked', sampleProfile('am53c974'));
  const tickets: Ticket[] = [];
  beforeAll(async () => {
    runtime = await startRuntime(name);
    url = runtime.url;
    await enrol(url, machine);
    for (const batch of ['a', 'b']) {
      tickets.push(...(await takeTickets(url, machine, `attacked ${batch}`, Array(64).fill(simpleScenario))));
    }
    const first = tickets.pop();
    if (first === undefined) throw new Error('no ticket');
    const report = machine.report(first, 'device', Date.now());
    expect((await post(url, 'report', seal('report', report, machine.key))).status).toBe(201);
    await eventually(runtime, async () => (await get(url, '/failures.atom')).text.includes('<entry>'));
  });
  afterAll(() => runtime.stop());

  describe('a path', () => {
    it.each([
      '/..%2f..%2fetc%2fpasswd',
      '/../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/v1/..%5c..%5cwindows',
      '/.env',
      '/.git/config',
      '/data/survey.db',
      '/survey.db',
      '/log.key',
      '/v1/reports/..%2f..%2fmetrics',
      '/v1/reports/0%00.json',
      '/v1/reports/0%0d%0aSet-Cookie:%20x',
      '/v1/reports/-1',
      '/v1/reports/0x1',
      "/v1/reports/0'%20OR%201=1",
      '/v1/reports/0;drop',
      '/v1/editions/1%20union%20select%201',
      '/log/tile/../../../survey.db',
      '/log/tile/0/..%2f..%2fsurvey.db',
      '/log/rows/..%2f0',
      '/problems/..%2f..%2fhealthz',
      '/problems/__proto__',
      '/V1/STATUS',
      '/v1//status',
      '/v1/status/',
      '//evil.example/%2f..',
      '/%c0%ae%c0%ae/',
      '/%',
    ])('%s leads nowhere', async (path) => {
      const { status, body, headers } = await askRaw(
        url,
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        3000,
      );
      expect([path, [400, 404].includes(status)]).toEqual([path, true]);
      expectQuiet({ status, text: body });
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('location')).toBeNull();
    });

    it('that goes up and down again is the one that it comes to, with the rights of that one', async () => {
      const ask = (path: string): Promise<RawAnswer> =>
        askRaw(url, `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`, 3000);
      expect((await ask('/v1/reports/../status')).status).toBe(200);
      expect((await ask('/v1/%2e%2e/metrics')).status).toBe(401);
    });

    it('cannot put a header into an answer, nor HTML into a page', async () => {
      for (const text of [...Object.values(hostile), 'x\r\nSet-Cookie: a=b', '..', '../..', 'a'.repeat(80)]) {
        for (const path of [
          `/drivers/${encodeURIComponent(text)}`,
          `/drivers/${encodeURIComponent(text)}/failures.atom`,
        ]) {
          const page = await get(url, path, 'text/html');
          expectQuiet(page);
          expectInert(page.text);
          expect(page.headers.get('set-cookie')).toBeNull();
        }
      }
    });
  });

  describe('a Host that is not ours', () => {
    it.each([
      ['in the header', 'GET /failures.atom HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n'],
      [
        'in the address',
        'GET http://evil.example/failures.atom HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
      ],
      [
        'said by a proxy',
        'GET /failures.atom HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\nConnection: close\r\n\r\n',
      ],
    ])('%s gets into no feed', async (_, bytes) => {
      const { status, body } = await askRaw(url, bytes, 3000);
      expect(status).toBe(200);
      expect(body).toContain('<entry>');
      expect(body).not.toContain('evil.example');
      const ids = [...body.matchAll(/<id>([^<]*)<\/id>/g)].map((match) => match[1] ?? '');
      expect(ids.length).toBeGreaterThanOrEqual(2);
      const base = name === 'node' ? url : 'https://survey.test/log';
      for (const id of ids) expect(id.startsWith(`${base}/`)).toBe(true);
    });

    it('gets into no page and no other answer', async () => {
      for (const path of [
        '/',
        '/v1',
        '/v1/status',
        '/drivers/am53c974',
        '/v1/reports',
        '/openapi.json',
        '/problems/not-found',
      ]) {
        const head = `Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nAccept: text/html\r\nConnection: close`;
        const { status, body } = await askRaw(url, `GET ${path} HTTP/1.1\r\n${head}\r\n\r\n`, 3000);
        expect([path, status, body.includes('evil.example')]).toEqual([path, 200, false]);
      }
    });
  });

  describe('a hostile string', () => {
    it('in any field of any request is refused, or is stored as it is, and nothing fails', async () => {
      const before = await rowCounts(runtime);
      const [ticket] = tickets;
      if (ticket === undefined) throw new Error('no ticket');
      const bodies = {
        enrol: machine.enrol(),
        tickets: machine.tickets(requestId('hostile'), [simpleScenario]),
        armed: machine.armed(ticket, Date.now()),
        report: machine.report(ticket, 'device', Date.now()),
      };
      let refusedCount = 0;
      const admitted: string[] = [];
      for (const kind of ['enrol', 'tickets', 'armed', 'report'] as const) {
        for (const path of stringsIn(bodies[kind])) {
          for (const text of [hostile.html, hostile.sql, hostile.controls]) {
            // A report that is admitted uses up its ticket, so each may have one of its own.
            const fresh = kind === 'report' ? tickets.at(-1) : ticket;
            if (fresh === undefined) throw new Error('too few tickets');
            const body = kind === 'report' ? machine.report(fresh, 'device', Date.now()) : bodies[kind];
            const answer = await post(url, kind, seal(kind, withString(body, path, text), machine.key));
            expectQuiet(answer);
            if (answer.status >= 400) refusedCount += 1;
            else {
              admitted.push(`${kind} ${path.join('.')}`);
              if (kind === 'report') tickets.pop();
            }
          }
        }
      }
      // Free text is what a console said, what emulated the machine, and why a harness failed: nothing else.
      const free = new Set(admitted.map((at) => at.replace(/\d+/g, 'N')));
      const freeText = [
        'report emulator',
        'report evidence.capture_log.N',
        'report evidence.channel.saw.N.line',
        'report evidence.crash_log.N',
        'report evidence.dump.kernel_release',
        'report outcome.signature',
        'report outcome.verdict_reason',
      ];
      expect([...free].filter((at) => !freeText.includes(at))).toEqual([]);
      expect(free.size).toBeGreaterThanOrEqual(4);
      expect(refusedCount).toBeGreaterThan(150);
      const after = await rowCounts(runtime);
      expect((after.reports ?? 0) - (before.reports ?? 0)).toBe(
        admitted.filter((at) => at.startsWith('report')).length,
      );
      expect(after.machines).toBe(before.machines);
    }, 240_000);

    it('is shown escaped by pages and feeds, is itself in JSON, and starts no formula in CSV', async () => {
      const lines = Object.values(hostile).filter((text) => text !== hostile.controls);
      const ticket = tickets.pop();
      if (ticket === undefined) throw new Error('no ticket');
      const body = machine.report(ticket, 'device', Date.now());
      const evidence = {
        ...body.evidence,
        crash_log: [...lines],
        capture_log: [...body.evidence.capture_log, ...lines],
        channel: {
          ...body.evidence.channel,
          saw: body.evidence.channel.saw.map((seen, i) => ({ ...seen, line: lines[i % lines.length] ?? '' })),
        },
      };
      const answer = await post(
        url,
        'report',
        seal('report', { ...body, emulator: hostile.html, evidence }, machine.key),
      );
      expect([answer.text.slice(0, 300), answer.status]).toEqual([answer.text.slice(0, 300), 201]);
      const { report_id } = answer.json as { report_id: string };
      await eventually(runtime, async () =>
        (await get(url, '/failures.atom')).text.includes(`reports/${report_id}<`),
      );

      const page = await get(url, `/reports/${report_id}`, 'text/html');
      expectInert(page.text);
      expect(page.text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
      const json = (await get(url, `/v1/reports/${report_id}`)).json as {
        body: { emulator: string; evidence: object };
      };
      expect(json.body.emulator).toBe(hostile.html);
      expect(json.body.evidence).toMatchObject({ crash_log: lines });
      for (const path of ['/', '/drivers/am53c974', '/failures.atom', '/drivers/am53c974/failures.atom']) {
        const shown = await get(url, path, 'text/html');
        expectQuiet(shown);
        expectInert(shown.text);
      }
      const csv = await get(url, '/v1/statistics?by=driver,chipset&population=lab&format=csv');
      for (const cell of csv.text.split(/\r\n|,/)) expect(cell).not.toMatch(/^["\s]*[=+\-@]/);
    });

    it('in a profile is refused, but for names that only begin like a formula: CSV defuses them', async () => {
      const profile = sampleProfile('am53c974');
      let refusedCount = 0;
      for (const path of stringsIn(profile)) {
        for (const text of [hostile.html, hostile.or, hostile.formula]) {
          const spoilt = JSON.stringify(withString(profile, path, text));
          const answer = await post(
            url,
            'enrol',
            seal('enrol', machine.enrol({ profile: spoilt }), machine.key),
          );
          expect([path, problemOf(answer).type]).toEqual([path, '/problems/invalid-payload']);
          refusedCount += 1;
        }
      }
      expect(refusedCount).toBeGreaterThan(50);
      const formula = '+1 -1';
      const named = sampleMachine('formula', sampleProfile(formula, { chipset: '-2+3' }));
      await enrol(url, named);
      const [ticket] = await takeTickets(url, named, 'formula');
      if (ticket === undefined) throw new Error('no ticket');
      await post(url, 'report', seal('report', named.report(ticket, 'device', Date.now()), named.key));
      const query = '/v1/statistics?by=driver,chipset&population=lab&role=dump_target&format=csv';
      await eventually(runtime, async () => (await get(url, query)).text.includes(formula));
      const row = (await get(url, query)).text.split('\r\n').find((line) => line.includes(formula)) ?? '';
      expect(row).toMatch(/^\d+,lab,'\+1 -1,'-2\+3,/);
    });

    it('in a query is an unknown word, and never SQL', async () => {
      for (const text of Object.values(hostile)) {
        const encoded = encodeURIComponent(text);
        for (const query of [
          `by=${encoded}&population=lab`,
          `by=driver&population=${encoded}`,
          `by=driver&population=lab&driver=${encoded}`,
          `by=driver&population=lab&format=${encoded}`,
          `by=driver&population=lab&${encoded}=1`,
        ]) {
          const answer = await get(url, `/v1/statistics?${query}`);
          expectQuiet(answer);
          const isFilter = query.includes('&driver=');
          expect([query, answer.status]).toEqual([query, isFilter && answer.status === 200 ? 200 : 400]);
          if (answer.status === 200) expect(answer.json).toMatchObject({ cells: [] });
        }
        for (const path of [
          `/v1/reports?before=${encoded}`,
          `/v1/editions?before=${encoded}`,
          `/log/inclusion?index=${encoded}&size=1`,
        ]) {
          expect([path, (await get(url, path)).status]).toEqual([path, 400]);
        }
      }
    });
  });

  it('after all that everything is still there', async () => {
    const { rows } = await runtime.database.execute("select name from sqlite_master where type = 'table'");
    expect(rows.map((row) => row.name)).toEqual(
      expect.arrayContaining(['reports', 'log_entries', 'facts', 'machines']),
    );
    expect((await get(url, '/readyz')).status).toBe(200);
    expect((await postRaw(url, paths.report, '{}')).status).toBe(400);
  });
});
