/** Reports of 1.2, with what a real machine found once it was up again. On every runtime. */

import nacl from 'tweetnacl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AfterReboot } from '../../schema/after-reboot.ts';
import { toBase64, utf8 } from '../../schema/bytes.ts';
import { classify } from '../../schema/classify/classify.ts';
import { type Envelope, preAuthEncoding } from '../../schema/envelope.ts';
import { type FindingBody, findingBody } from '../../schema/finding.ts';
import type { Receipt, ReportBody, Ticket } from '../../schema/wire.ts';
import { openSigned } from '../../worker/audit/bodies.ts';
import { admit, enrol, get, post, problemOf, rowCounts, shortly, takeTicket } from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  keyPair,
  type SampleMachine,
  sampleEvidence,
  sampleMachine,
  sampleProfile,
  seal,
} from './samples.ts';

const receiver = keyPair('receiver');
const wordType = 'application/vnd.dumpsurvey.finding.v1+json';

/** What a receiving machine signs of a trial's dump. */
function wordOn(ticket: Ticket, change: Partial<FindingBody> = {}): Envelope {
  const { dump, trigger } = sampleEvidence('captured', ticket.scenario);
  const body = findingBody.parse({
    version: '1.0',
    receiver: receiver.publicHex,
    nonce: ticket.nonce,
    dump,
    trigger,
    at_crash: null,
    crash_log: [],
    created_at: new Date().toISOString(),
    ...change,
  });
  const payload = utf8(JSON.stringify(body));
  const sig = nacl.sign.detached(preAuthEncoding(wordType, payload), receiver.secretKey);
  return {
    payload: toBase64(payload),
    payloadType: wordType,
    signatures: [{ keyid: receiver.publicHex, sig: toBase64(sig) }],
  };
}

const found: AfterReboot = {
  layout: 'debian',
  dump_state: 'none',
  watchdog_status: 'reset',
  reset_reason: null,
  pstore_records: 0,
  capture_log_found: false,
  receiver: null,
};

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  let machine: SampleMachine;
  beforeAll(async () => {
    runtime = await startRuntime(name);
    ({ url } = runtime);
    machine = sampleMachine('metal', { ...sampleProfile(), population: 'metal', lab_machine: null });
    await enrol(url, machine);
  });
  afterAll(() => runtime.stop());

  /** A report on a trial that nobody watched. */
  function reportOn(ticket: Ticket, after_reboot: AfterReboot): ReportBody {
    const evidence = {
      ...sampleEvidence('captured', ticket.scenario),
      channel: { name: 'disk' as const, could_see: [], saw: [] },
      dump: after_reboot.receiver === null ? null : sampleEvidence('captured', ticket.scenario).dump,
      trigger: null,
      exit: 'watchdog' as const,
      after_reboot,
    };
    return {
      ...machine.report(ticket, 'captured', Date.now(), { population: 'metal', emulator: null }),
      version: '1.2',
      evidence,
      outcome: classify(evidence, ticket.scenario, ticket.mechanism),
      amends: null,
    };
  }
  const stored = async ({ report_id }: Receipt) => {
    const { rows } = await runtime.database.execute({
      sql: 'select labels, outcome from reports where log_index = ?',
      args: [report_id],
    });
    return [JSON.parse(String(rows[0]?.labels)), JSON.parse(String(rows[0]?.outcome))];
  };

  it('are admitted, and the server derives the same outcome', async () => {
    const ticket = await takeTicket(url, machine, 'nothing left');
    const receipt = await admit<Receipt>(url, 'report', seal('report', reportOn(ticket, found), machine.key));
    const [labels, outcome] = await stored(receipt);
    expect(labels).toEqual([]);
    expect(outcome).toMatchObject({
      result: 'failed',
      reached: { proven: null, excluded: 'dump_written' },
      recovery: 'watchdog',
    });
    const shown = (await get(url, `/v1/reports/${receipt.report_id}.json`)).json as object;
    expect(shown).not.toHaveProperty('body');
  });

  it('with the word of a receiving machine are admitted as verified', async () => {
    const ticket = await takeTicket(url, machine, 'elsewhere');
    const report = reportOn(ticket, { ...found, dump_state: 'elsewhere', receiver: wordOn(ticket) });
    const [labels, outcome] = await stored(await admit(url, 'report', seal('report', report, machine.key)));
    expect([labels, outcome.result]).toEqual([[], 'captured']);
  });

  it('with a word that is not whole, or not of this trial, are refused, and nothing is stored', async () => {
    const ticket = await takeTicket(url, machine, 'refused');
    const words: readonly (readonly [Envelope, RegExp])[] = [
      [wordOn(ticket, { nonce: '0'.repeat(32) }), /it is of trial/],
      [{ ...wordOn(ticket), payload: wordOn(ticket, { crash_log: ['x'] }).payload }, /not signed by key/],
      [wordOn(ticket, { receiver: machine.key.publicHex }), /it names receiver/],
    ];
    const before = await rowCounts(runtime);
    for (const [receiverWord, fault] of words) {
      const report = reportOn(ticket, { ...found, dump_state: 'elsewhere', receiver: receiverWord });
      const answer = await post(url, 'report', seal('report', report, machine.key));
      expect(shortly(answer)).toBe('422 invalid-payload');
      expect(problemOf(answer).detail).toMatch(fault);
    }
    expect(await rowCounts(runtime)).toEqual(before);
  });

  it('with such a word are no entry of an honest log', async () => {
    const ticket = await takeTicket(url, machine, 'audited');
    const signedWith = (receiverWord: Envelope) =>
      seal(
        'report',
        reportOn(ticket, { ...found, dump_state: 'elsewhere', receiver: receiverWord }),
        machine.key,
      );
    await expect(openSigned('report', signedWith(wordOn(ticket)))).resolves.toHaveProperty('body.nonce');
    const other = wordOn(ticket, { nonce: '0'.repeat(32) });
    await expect(openSigned('report', signedWith(other))).rejects.toThrow('it is of trial');
  });

  it('are refused in an earlier version', async () => {
    const ticket = await takeTicket(url, machine, 'earlier');
    const answer = await post(
      url,
      'report',
      seal('report', { ...reportOn(ticket, found), version: '1.1' }, machine.key),
    );
    expect(shortly(answer)).toBe('422 invalid-payload');
  });
});
