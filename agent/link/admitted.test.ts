import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { fromBase64, toHex } from '../../schema/bytes.ts';
import { payloadType } from '../../schema/envelope.ts';
import { type Changes, origin, sampleLog } from '../../test/agent/sample-log.ts';
import { faultOfAdmission, type LoggedKind } from './admitted.ts';
import { keyPairOf } from './keys.ts';
import { signBody } from './sign.ts';

const machine = keyPairOf(new Uint8Array(32).fill(1));
const sent = signBody('report', { a: 1 }, machine);
const kinds: readonly LoggedKind[] = ['armed', 'report', 'rotate', 'revoke', 'withdraw', 'invite'];

async function faultOf(changes: Changes = {}, request = sent) {
  const log = await sampleLog(7, ['an', 'earlier', 'entry']);
  const answer = await log.admit('report', request, changes);
  return faultOfAdmission('report', sent, answer, { name: origin, key: log.key });
}

test.each(kinds)('an honest answer to %s has no fault', async (kind) => {
  const log = await sampleLog();
  const signed = signBody(kind, { a: 1 }, machine);
  const answer = await log.admit(kind, signed);
  expect(await faultOfAdmission(kind, signed, answer, { name: origin, key: log.key })).toBeNull();
});

describe('an answer is refused', () => {
  const zeros = '00'.repeat(32);
  it.each<[string, Changes, RegExp]>([
    ['whose promise is for another index', { promise: { log_index: 4 } }, /for entry 4.*speaks of 3/],
    ['whose promise is for another entry', { promise: { leaf_hash: zeros } }, /another entry 3/],
    ['whose promise is of another log', { promise: { origin: 'other/log' } }, /of the log other\/log/],
    [
      'whose promise may be kept in a hundred years',
      { promise: { merge_by: '2126-01-01T00:00:00.000Z' } },
      /more than a day/,
    ],
    ['whose promise has a field more', { promise: { note: 1 } as object }, /not in its form/],
    [
      'whose entry says a thing twice, so that readers may disagree',
      { form: (entry) => entry.replace('{', '{"kind":"armed",') },
      /The entry is not in its form/,
    ],
    ['whose entry is of another kind', { entry: { kind: 'armed' } }, /of kind armed/],
    ['whose entry commits to another row', { entry: { row: zeros } }, /another row/],
    ['whose entry commits to another request', { entry: { envelope: zeros } }, /another signed request/],
    ['whose entry commits to no request', { entry: { envelope: null } }, /no signed request/],
    ['whose row was changed afterwards', { answer: { row: '{}' } }, /another row/],
    ['whose salts were changed afterwards', { answer: { row_salt: '11'.repeat(16) } }, /another row/],
    ['without what opens the commitment', { answer: { envelope_salt: null } }, /no signed request/],
    [
      'whose time is not that of the entry',
      { answer: { admitted_at: '2026-11-24T10:00:00.001Z' } },
      /was admitted at/,
    ],
    ['whose entry is no JSON', { answer: { entry: 'hello' } }, /The entry is not in its form/],
    ['whose index was changed afterwards', { answer: { log_index: 7 } }, /for entry 3.*speaks of 7/],
  ])('%s', async (_, changes, fault) => {
    expect(await faultOf(changes)).toMatch(fault);
  });

  it('whose entry commits to another report of the same machine', async () => {
    expect(await faultOf({}, signBody('report', { a: 2 }, machine))).toMatch(/another signed request/);
  });

  it('that calls the report by another name', async () => {
    const log = await sampleLog();
    const answer = { ...(await log.admit('report', sent)), report_id: '7' };
    const key = { name: origin, key: log.key };
    expect(await faultOfAdmission('report', sent, answer, key)).toMatch(/entry 0.*calls it 7/);
    expect(await faultOfAdmission('report', sent, { ...answer, report_id: '0' }, key)).toBeNull();
  });

  it('whose promise another key signed, under its own name or under that of the log', async () => {
    const [log, other] = [await sampleLog(7), await sampleLog(8)];
    const answer = await log.admit('report', sent);
    const { promise } = await other.admit('report', sent);
    const key = { name: origin, key: log.key };
    expect(await faultOfAdmission('report', sent, { ...answer, promise }, key)).toMatch(/not by the log's/);
    const signatures = promise.signatures.map(({ sig }) => ({ keyid: toHex(log.key), sig }));
    const forged = { ...answer, promise: { ...promise, signatures } };
    expect(await faultOfAdmission('report', sent, forged, key)).toMatch(/signature is not the log's/);
  });

  it('whose promise is signed as something else', async () => {
    const log = await sampleLog();
    const answer = await log.admit('report', sent);
    const text = new TextDecoder().decode(fromBase64(answer.promise.payload));
    const key = { name: origin, key: log.key };
    const asReport = { ...answer, promise: await log.signText(text, payloadType('report')) };
    expect(await faultOfAdmission('report', sent, asReport, key)).toMatch(/of type .*report/);
    const renamed = {
      ...asReport,
      promise: { ...asReport.promise, payloadType: answer.promise.payloadType },
    };
    expect(await faultOfAdmission('report', sent, renamed, key)).toMatch(/signature is not the log's/);
  });

  it('whose promise says a thing twice, so that readers may disagree', async () => {
    const log = await sampleLog();
    const answer = await log.admit('report', sent);
    const text = new TextDecoder().decode(fromBase64(answer.promise.payload));
    const promise = await log.signText(text.replace('{', '{"log_index":9,'));
    const key = { name: origin, key: log.key };
    expect(await faultOfAdmission('report', sent, { ...answer, promise }, key)).toMatch(/not in its form/);
  });
});

it('sees a change of any single character of what it checks', async () => {
  const log = await sampleLog();
  const answer = await log.admit('report', sent);
  const [signature] = answer.promise.signatures;
  const texts = {
    entry: answer.entry,
    row: answer.row,
    row_salt: answer.row_salt,
    envelope_salt: answer.envelope_salt ?? '',
    payload: answer.promise.payload,
    sig: signature?.sig ?? '',
    keyid: signature?.keyid ?? '',
  };
  const fields = Object.keys(texts) as (keyof typeof texts)[];
  const changed = (text: string, at: number) => {
    const i = at % text.length;
    return text.slice(0, i) + (text[i] === '0' ? '1' : '0') + text.slice(i + 1);
  };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...fields), fc.nat(), async (field, at) => {
      const { payload, sig, keyid, ...rest } = { ...texts, [field]: changed(texts[field], at) };
      const forged = {
        ...answer,
        ...rest,
        promise: { ...answer.promise, payload, signatures: [{ keyid, sig }] },
      };
      expect(await faultOfAdmission('report', sent, forged, { name: origin, key: log.key })).not.toBeNull();
    }),
    { numRuns: 300 },
  );
});
