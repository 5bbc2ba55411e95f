/** The way of a trial through the edge API, the same on every runtime. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concat, fromBase64, fromHex, utf8 } from '../../schema/bytes.ts';
import { type Envelope, payloadKinds } from '../../schema/envelope.ts';
import { type Checkpoint, parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseNote, parseVerifierKey } from '../../schema/log/note.ts';
import { leafHash, verifyInclusion } from '../../schema/log/tree.ts';
import { versionsOf } from '../../schema/payload-versions.ts';
import { scenarioSets } from '../../schema/scenario.ts';
import type { Receipt, Ticket } from '../../schema/wire.ts';
import {
  enrol,
  eventually,
  get,
  lasting,
  logIndices,
  post,
  readAnswer,
  receiptOf,
  rowCounts,
  statistics,
  takeTicket,
  takeTickets,
} from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { idsOf, keyPair, requestId, sampleMachine, sampleProfile, seal, simpleScenario } from './samples.ts';

/** The log's newest checkpoint. */
async function checkpointOf(url: string): Promise<Checkpoint> {
  return parseCheckpoint(parseNote((await get(url, '/log/checkpoint')).text).text);
}

/** The signed bytes of a report, as it is shown. */
async function signedOf(url: string, reportId: string) {
  const { envelope } = (await get(url, `/v1/reports/${reportId}`)).json as { envelope: Envelope };
  return {
    payload: fromBase64(envelope.payload),
    signature: fromBase64(envelope.signatures[0]?.sig ?? ''),
  };
}

const hourMs = 3600_000;

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;

  beforeAll(async () => {
    runtime = await startRuntime(name, {
      referenceOwners: ['owner', 'reference owner'].map((who) => keyPair(who).publicHex),
    });
    url = runtime.url;
  });
  afterAll(() => runtime.stop());

  describe('a survey that nobody has reported to', () => {
    it('answers queries from a first, empty edition', async () => {
      const answer = await statistics(url, 'by=driver&population=lab');
      expect(answer).toMatchObject({ edition: 1, population: 'lab', by: ['driver'], cells: [] });
      expect((await get(url, '/v1/editions/1')).json).toMatchObject({ number: 1 });
    });

    it('shows a home page', async () => {
      const page = await get(url, '/', 'text/html');
      expect(page.status).toBe(200);
      expect(page.text).toContain('<!doctype html>');
    });
  });

  describe('the way of one trial', () => {
    const machine = sampleMachine('way');
    let ticket: Ticket;
    let reportId: string;
    let first: Receipt;

    it('enrols a machine, and again without harm', async () => {
      const envelope = seal('enrol', machine.enrol(), machine.key);
      const first = await post(url, 'enrol', envelope);
      expect(first.status).toBe(201);
      expect(first.json).toEqual({
        machine: machine.key.publicHex,
        owner: machine.owner.publicHex,
        profile_sha256: machine.profileSha256,
        labels: ['enrolled', 'reference'],
        log_index: expect.any(Number),
        checkpoint: expect.stringContaining('survey.test/log\n'),
      });
      const again = await post(url, 'enrol', envelope);
      expect([again.status, lasting(again)]).toEqual([200, lasting(first)]);
    });

    it('adds the next profile of the same owner', async () => {
      const upgraded = sampleMachine('way', sampleProfile('virtio_blk', { memory_mib: 1024 }));
      const answer = await post(url, 'enrol', seal('enrol', upgraded.enrol(), upgraded.key));
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ profile_sha256: upgraded.profileSha256 });
    });

    it('issues tickets before the crash, the same ones for the same request', async () => {
      const ids = idsOf(scenarioSets['standard/1']);
      const envelope = seal('tickets', machine.tickets(requestId('way'), ids), machine.key);
      const first = await post(url, 'tickets', envelope);
      const again = await post(url, 'tickets', envelope);
      expect([first.status, again.status]).toEqual([201, 200]);
      expect(lasting(again)).toEqual(lasting(first));
      const { tickets } = first.json as { tickets: Ticket[] };
      expect(idsOf(tickets.map(({ scenario }) => scenario))).toEqual(ids);
      expect(new Set(tickets.map((t) => t.nonce)).size).toBe(ids.length);
      ticket = tickets[0] as Ticket;
      expect(Date.parse(ticket.arm_by) - Date.parse(ticket.issued_at)).toBe(24 * hourMs);
      expect(Date.parse(ticket.report_by) - Date.parse(ticket.issued_at)).toBe(48 * hourMs);
    });

    it('takes the armed note, once', async () => {
      const first = await post(url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
      const again = await post(
        url,
        'armed',
        seal('armed', machine.armed(ticket, Date.now() - 5), machine.key),
      );
      expect([first.status, again.status]).toEqual([201, 200]);
      expect(lasting(again)).toEqual(lasting(first));
    });

    it('admits the report, and gives the same report its first receipt', async () => {
      const envelope = seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
      const answer = await post(url, 'report', envelope);
      expect(answer.status).toBe(201);
      first = receiptOf(answer);
      reportId = first.report_id;
      expect(reportId).toBe(String(first.log_index));
      const before = await rowCounts(runtime);
      const again = await post(url, 'report', envelope);
      expect([again.status, lasting(again)]).toEqual([200, lasting(answer)]);
      expect(await rowCounts(runtime)).toEqual(before);
    });

    it('commits to the report in the log, and proves it', async () => {
      const { entry, row, row_salt, envelope_salt } = first;
      const stated = JSON.parse(entry) as { envelope: string; row: string };
      const hashed = (...parts: Uint8Array[]) =>
        createHash('sha256')
          .update(concat(...parts))
          .digest('hex');
      const { payload, signature } = await signedOf(url, reportId);
      const named = hashed(utf8('dumpsurvey/report/v1\n'), fromHex(machine.key.publicHex), payload);
      expect(stated.envelope).toBe(
        hashed(utf8('dumpsurvey/envelope/v1\n'), fromHex(envelope_salt ?? ''), fromHex(named), signature),
      );
      expect(stated.row).toBe(hashed(utf8('dumpsurvey/row/v1\n'), fromHex(row_salt), utf8(row)));
      await eventually(runtime, async () => {
        return (await checkpointOf(url)).size > first.log_index;
      });
      const { size, root } = await checkpointOf(url);
      const answer = await get(url, `/log/inclusion?index=${first.log_index}&size=${size}`);
      const proof = (answer.json as { proof: string[] }).proof.map(fromBase64);
      const leaf = await leafHash(utf8(entry));
      expect(await verifyInclusion({ leafHash: leaf, index: first.log_index, size, root, proof })).toBe(true);
    });

    it('counts it in the next edition, in JSON and CSV', async () => {
      const query = 'by=driver,crash_type&population=lab&role=dump_target';
      await eventually(runtime, async () => (await statistics(url, query)).cells.length === 1);
      expect(await statistics(url, query)).toMatchObject({
        by: ['driver', 'crash_type'],
        cells: [
          {
            driver: 'virtio_blk',
            crash_type: 'panic',
            machines: 1,
            trials: 1,
            captured: 1,
            no_reply: 0,
            inconclusive: 0,
            estimate: 1,
            low: 0.025,
            high: 1,
          },
        ],
      });
      const csv = await get(url, `/v1/statistics?${query}&format=csv`);
      expect(csv.headers.get('content-type')).toContain('text/csv');
      expect(csv.text).toContain('virtio_blk');
    });

    it('publishes no cell of real machines, and says why', async () => {
      const answer = await statistics(url, 'by=driver&population=metal');
      expect(answer.cells).toEqual([]);
      expect(answer.note).toContain('3 vouched owners');
    });

    it('shows the report to browsers as a page, and to everybody else as JSON', async () => {
      const page = await get(url, `/v1/reports/${reportId}`, 'text/html,application/xhtml+xml,*/*;q=0.8');
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.headers.get('vary')).toBe('Accept');
      for (const path of [`/v1/reports/${reportId}.json`, `/v1/reports/${reportId}?format=json`]) {
        expect((await get(url, path, 'text/html')).json).toMatchObject({
          report_id: reportId,
          labels: ['enrolled', 'reference'],
          body: { nonce: ticket.nonce },
          outcome: { result: 'captured', verdict: 'verified' },
          envelope: { signatures: [{ keyid: machine.key.publicHex }] },
        });
      }
      expect((await get(url, `/reports/${reportId}`, 'text/html')).status).toBe(200);
    });

    it('lists reports, newest first', async () => {
      const { reports } = (await get(url, '/v1/reports')).json as { reports: { report_id: string }[] };
      expect(reports[0]?.report_id).toBe(reportId);
      const { reports: older } = (await get(url, `/v1/reports?before=${reportId}`)).json as {
        reports: unknown[];
      };
      expect(older).toEqual([]);
    });
  });

  describe('a failure', () => {
    it('reaches the page and the feed of its driver, with the lines that show it', async () => {
      const machine = sampleMachine('failing', sampleProfile('am53c974'));
      await enrol(url, machine);
      const [ticket] = await takeTickets(url, machine, 'failing', ['timer/exception/disk/none']);
      const body = machine.report(ticket as Ticket, 'device', Date.now());
      expect((await post(url, 'report', seal('report', body, machine.key))).status).toBe(201);
      await eventually(runtime, async () => {
        const answer = await get(url, '/v1/drivers/am53c974');
        return (answer.json as { failures: unknown[] }).failures.length === 1;
      });
      expect((await get(url, '/v1/drivers/am53c974')).json).toMatchObject({
        driver: 'am53c974',
        total: { trials: 1, captured: 0, estimate: 0 },
        failures: [{ outcome: { result: 'failed', cause: 'device' }, lab_machine: 'q35-am53c974' }],
      });
      for (const path of ['/v1/drivers/am53c974', '/drivers/am53c974']) {
        const page = await get(url, path, 'text/html');
        expect(page.headers.get('content-type')).toContain('text/html');
        expect(page.text).toContain('esp_reset_cleanup');
      }
      for (const path of [
        '/v1/drivers/am53c974/failures.atom',
        '/drivers/am53c974/failures.atom',
        '/failures.atom',
      ]) {
        const feed = await get(url, path);
        expect(feed.headers.get('content-type')).toContain('application/atom+xml');
        expect(feed.text.match(/<entry>/g)).toHaveLength(1);
        expect(feed.text).toContain('esp_reset_cleanup');
      }
      expect((await get(url, '/drivers/virtio_blk/failures.atom')).text).not.toContain('<entry>');
    });
  });

  describe('labels', () => {
    it('say that the machine is one of the survey', async () => {
      const machine = sampleMachine('reference', sampleProfile(), 'reference owner');
      const answer = await post(url, 'enrol', seal('enrol', machine.enrol(), machine.key));
      expect(answer.json).toMatchObject({ labels: ['enrolled', 'reference'] });
      const ticket = await takeTicket(url, machine, 'reference');
      const body = machine.report(ticket, 'captured', Date.now());
      const admitted = receiptOf(await post(url, 'report', seal('report', body, machine.key)));
      const report = await get(url, `/v1/reports/${admitted.report_id}`);
      expect(report.json).toMatchObject({ labels: ['enrolled', 'reference'] });
    });

    it('say that the server derives another outcome, and count that one', async () => {
      const machine = sampleMachine('boaster', sampleProfile('boast'));
      await enrol(url, machine);
      const ticket = await takeTicket(url, machine, 'boaster');
      const honest = machine.report(ticket, 'hang', Date.now());
      const outcome = { ...honest.outcome, result: 'captured' as const };
      const answer = await post(url, 'report', seal('report', { ...honest, outcome }, machine.key));
      expect(answer.status).toBe(201);
      const report = await get(url, `/v1/reports/${receiptOf(answer).report_id}`);
      expect(report.json).toMatchObject({
        labels: ['enrolled', 'reference', 'outcome-differs'],
        outcome: { result: 'failed' },
      });
      const query = 'by=driver&population=lab&driver=boast';
      await eventually(runtime, async () => (await statistics(url, query)).cells.length === 1);
      expect((await statistics(url, query)).cells[0]).toMatchObject({ trials: 1, captured: 0 });
    });
  });

  describe('a machine that dies', () => {
    it('counts as no_reply after its deadline, until a late report replaces it', async () => {
      const machine = sampleMachine('silent', sampleProfile('silent_driver'));
      await enrol(url, machine);
      const ticket = await takeTicket(url, machine, 'silent');
      await post(url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
      const query = 'by=driver&population=lab&driver=silent_driver';
      await runtime.tick();
      expect((await statistics(url, query)).cells).toEqual([]);

      await runtime.setClock(49 * hourMs);
      await eventually(runtime, async () => (await statistics(url, query)).cells.length === 1);
      const silent = await statistics(url, query);
      expect(silent.cells[0]).toMatchObject({ trials: 1, captured: 0, no_reply: 1, estimate: 0 });

      const body = machine.report(ticket, 'captured', Date.now() + 49 * hourMs);
      const answer = await post(url, 'report', seal('report', body, machine.key));
      expect(answer.status).toBe(201);
      const report = await get(url, `/v1/reports/${receiptOf(answer).report_id}`);
      expect(report.json).toMatchObject({ labels: ['enrolled', 'reference', 'late'] });
      await eventually(runtime, async () => (await statistics(url, query)).cells[0]?.captured === 1);
      expect((await statistics(url, query)).cells[0]).toMatchObject({ trials: 1, captured: 1, no_reply: 0 });
      expect((await statistics(url, query)).edition).toBeGreaterThan(silent.edition);
      await runtime.setClock(0);
    });
  });

  describe('editions', () => {
    it('are numbered from 1 without gaps, and never change', async () => {
      const { editions } = (await get(url, '/v1/editions')).json as {
        editions: { number: number; log_size: number; statistics_sha256: string }[];
      };
      expect(editions.map((e) => e.number)).toEqual(editions.map((_, i) => editions.length - i));
      const sizes = editions.map((e) => e.log_size);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      for (const edition of editions) {
        const answer = await get(url, `/v1/editions/${edition.number}`);
        expect(answer.json).toEqual({ ...edition, withdrawn: 0 });
      }
    });
  });

  describe('many at once', () => {
    it('admits one of twenty equal reports, and answers all with one receipt', async () => {
      const machine = sampleMachine('twenty');
      await enrol(url, machine);
      const ticket = await takeTicket(url, machine, 'twenty');
      const envelope = seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
      const before = await rowCounts(runtime);
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, 'report', envelope)));
      expect(answers.map((a) => a.status).sort()).toEqual([...Array(19).fill(200), 201]);
      expect(new Set(answers.map((a) => JSON.stringify(lasting(a)))).size).toBe(1);
      const after = await rowCounts(runtime);
      expect((after.log_entries ?? 0) - (before.log_entries ?? 0)).toBe(1);
      expect((after.reports ?? 0) - (before.reports ?? 0)).toBe(1);
    });

    it('answers twenty equal requests for tickets with the same tickets', async () => {
      const machine = sampleMachine('twenty');
      const body = machine.tickets(requestId('many'), [simpleScenario, simpleScenario]);
      const envelope = seal('tickets', body, machine.key);
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, 'tickets', envelope)));
      expect(answers.map((a) => a.status).sort()).toEqual([...Array(19).fill(200), 201]);
      expect(new Set(answers.map((a) => JSON.stringify(lasting(a)))).size).toBe(1);
    });

    it('admits one of two different reports on one ticket', async () => {
      const machine = sampleMachine('twenty');
      const ticket = await takeTicket(url, machine, 'two');
      const reports = (['captured', 'hang'] as const).map((fate) =>
        seal('report', machine.report(ticket, fate, Date.now()), machine.key),
      );
      const answers = await Promise.all(reports.map((envelope) => post(url, 'report', envelope)));
      expect(answers.map((a) => a.status).sort()).toEqual([201, 409]);
    });

    it('keeps the log without gaps while twelve machines report', async () => {
      const machines = Array.from({ length: 12 }, (_, i) => sampleMachine(`crowd ${i}`));
      const receipts = await Promise.all(
        machines.map(async (machine, i) => {
          await enrol(url, machine);
          const tickets = await takeTickets(url, machine, `crowd ${i}`, [simpleScenario, simpleScenario]);
          return Promise.all(
            tickets.map(async (ticket) => {
              await post(url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
              const body = machine.report(ticket, 'captured', Date.now());
              return receiptOf(await post(url, 'report', seal('report', body, machine.key))).log_index;
            }),
          );
        }),
      );
      expect(new Set(receipts.flat()).size).toBe(24);
      const indices = await logIndices(runtime);
      expect(indices).toEqual(indices.map((_, i) => i));
    });
  });

  describe('the other addresses', () => {
    it('name the addresses, the versions of every payload and the scenario sets', async () => {
      const index = (await get(url, '/v1')).json as Record<string, unknown>;
      expect(index.report_versions).toEqual(['1.0', '1.1', '1.2']);
      expect(index.payload_versions).toMatchObject({
        report: ['1.0', '1.1', '1.2'],
        tickets: ['1.0', '1.1'],
      });
      expect(Object.keys(index.payload_versions as object)).toEqual(payloadKinds);
      expect(index.addresses).toContain('/v1/statistics');
      expect(Object.keys(index.scenario_sets as object)).toContain('standard/1');
    });

    it('name the key of the log, under which its checkpoints verify', async () => {
      const { log } = (await get(url, '/v1')).json as { log: { origin: string; verifier_key: string } };
      const key = await parseVerifierKey(log.verifier_key);
      const { text, verified } = await openNote((await get(url, '/log/checkpoint')).text, [key]);
      expect(verified.map(({ name }) => name)).toEqual([log.origin]);
      expect(parseCheckpoint(text).origin).toBe(log.origin);
    });

    it('describe themselves, each of them, with closed field lists', async () => {
      const api = (await get(url, '/openapi.json')).json as {
        paths: Record<string, object>;
        components: { schemas: Record<string, { oneOf?: { properties: object }[] }> };
      };
      const { addresses } = (await get(url, '/v1')).json as { addresses: string[] };
      const described = Object.keys(api.paths).map((path) => path.replace(/\{(\w+)\}/g, ':$1'));
      const plain = addresses.map((path) => path.replace(/\{[^}]*\}/g, ''));
      expect(described.sort()).toEqual(plain.sort());
      const versions = api.components.schemas.Report?.oneOf ?? [];
      expect(versions).toHaveLength(versionsOf('report').length);
      for (const version of versions) {
        expect(version).toMatchObject({ additionalProperties: false });
        expect(Object.keys(version.properties)).toContain('evidence');
      }
    });

    it('tell the status', async () => {
      const status = (await get(url, '/v1/status')).json as { campaign: Record<string, number> };
      expect(status).toMatchObject({ imported: 0, campaign: { planned: 0 } });
      const { done, captured, failed, inconclusive } = status.campaign;
      expect(done).toBe((captured ?? 0) + (failed ?? 0) + (inconclusive ?? 0));
      expect(done).toBeGreaterThan(20);
    });

    it('explain every problem on a page', async () => {
      const { problems } = (await get(url, '/v1')).json as { problems: string[] };
      for (const path of problems) {
        const page = await get(url, path, 'text/html');
        expect([path, page.status]).toEqual([path, 200]);
      }
    });

    it('wear strict headers and a request id, and can be read from other origins', async () => {
      for (const path of ['/', '/v1', '/v1/nothing', '/style.css']) {
        const { headers } = await get(url, path);
        expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{16}$/);
        expect(headers.get('content-security-policy')).toContain("default-src 'none'");
        expect(headers.get('content-security-policy')).not.toContain('script-src');
        expect(headers.get('x-content-type-options')).toBe('nosniff');
        expect(headers.get('access-control-allow-origin')).toBe('*');
      }
    });

    it('answer HEAD like GET, without a body', async () => {
      for (const path of ['/', '/v1/status', '/healthz']) {
        const answer = await readAnswer(await fetch(url + path, { method: 'HEAD' }));
        expect([answer.status, answer.text]).toEqual([200, '']);
      }
    });

    it('answer OPTIONS with the methods that there are', async () => {
      const answer = await fetch(`${url}/v1/statistics`, { method: 'OPTIONS' });
      expect(answer.status).toBe(204);
      expect(answer.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
      expect(answer.headers.get('access-control-allow-methods')).toBe('GET, HEAD');
    });
  });
});
