import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Envelope } from '../../schema/envelope.ts';
import type { Receipt } from '../../schema/wire.ts';
import { Refused } from './api.ts';
import { type Outbox, outboxIn } from './outbox.ts';

let dir: string;
let outbox: Outbox;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outbox-'));
  outbox = await outboxIn(dir);
});
afterEach(() => rmSync(dir, { recursive: true }));

const nonce = (n: number) => n.toString(16).padStart(32, '0');
const signed = (payload: string): Envelope => ({
  payload,
  payloadType: 'application/vnd.dumpsurvey.report.v1+json',
  signatures: [{ keyid: 'ab'.repeat(32), sig: 'QQ==' }],
});
const receipt: Receipt = {
  report_id: '7',
  log_index: 7,
  admitted_at: '2026-11-23T15:26:53.000Z',
  entry: '{}',
  row: '{}',
  row_salt: 'ab'.repeat(16),
  envelope_salt: 'cd'.repeat(16),
  promise: signed('e30='),
  checkpoint: 'a note',
};
const accept = async () => receipt;
const unreachable = () => Promise.reject(new Error('connect ECONNREFUSED'));
const read = (path: string) => readFileSync(join(dir, path), 'utf8');
const files = () =>
  ['waiting', 'sent', 'refused'].flatMap((f) => readdirSync(join(dir, f)).map((name) => `${f}/${name}`));

describe('a report', () => {
  it('waits, is sent with the bytes that were put in, and lies beside its receipt', async () => {
    await outbox.put(nonce(1), signed('e30='));
    expect(await outbox.count()).toEqual({ waiting: 1, sent: 0, refused: 0 });
    const stored = read(`waiting/${nonce(1)}.json`);
    const sent: Envelope[] = [];
    const result = await outbox.flush(async (e) => {
      sent.push(e);
      return receipt;
    });
    expect(result).toEqual([{ nonce: nonce(1), receipt }]);
    expect(sent).toEqual([signed('e30=')]);
    expect(files()).toEqual([`sent/${nonce(1)}.json`, `sent/${nonce(1)}.note`]);
    expect(read(`sent/${nonce(1)}.json`)).toBe(stored);
    expect(JSON.parse(read(`sent/${nonce(1)}.note`))).toEqual(receipt);
    expect(await outbox.flush(unreachable)).toEqual([]);
  });

  it('that is refused lies beside the reason, and the next one is sent', async () => {
    await outbox.put(nonce(2), signed('Mg=='));
    await outbox.put(nonce(1), signed('MQ=='));
    const result = await outbox.flush(async (e) => {
      if (e.payload === 'MQ==')
        throw new Refused(410, '/problems/report-too-late', 'It is late.', 'Nothing.');
      return receipt;
    });
    expect(result).toEqual([
      { nonce: nonce(1), refused: expect.stringContaining('/problems/report-too-late') },
      { nonce: nonce(2), receipt },
    ]);
    expect(read(`refused/${nonce(1)}.note`)).toContain('It is late.');
    expect(await outbox.count()).toEqual({ waiting: 0, sent: 1, refused: 1 });
  });

  it('keeps waiting while the survey cannot be reached, over restarts', async () => {
    for (const n of [1, 2, 3]) await outbox.put(nonce(n), signed('e30='));
    let sends = 0;
    const second = () => (++sends === 2 ? unreachable() : accept());
    await expect(outbox.flush(second)).rejects.toThrow('ECONNREFUSED');
    expect(await outbox.count()).toEqual({ waiting: 2, sent: 1, refused: 0 });
    const again = await outboxIn(dir);
    expect(await again.flush(accept)).toEqual([2, 3].map((n) => ({ nonce: nonce(n), receipt })));
  });

  it('keeps its first bytes, wherever it lies', async () => {
    await outbox.put(nonce(1), signed('MQ=='));
    await outbox.put(nonce(1), signed('Mg=='));
    expect(read(`waiting/${nonce(1)}.json`)).toContain('MQ==');
    await outbox.flush(accept);
    await outbox.put(nonce(1), signed('Mg=='));
    expect(await outbox.count()).toEqual({ waiting: 0, sent: 1, refused: 0 });
    expect(read(`sent/${nonce(1)}.json`)).toContain('MQ==');
  });
});

describe('after a power cut', () => {
  it('what was half written is left alone, and not sent', async () => {
    await outbox.put(nonce(1), signed('e30='));
    writeFileSync(join(dir, 'waiting', `${nonce(2)}.json.4711.tmp`), '{"payload":"e30=","payl');
    expect(await outbox.count()).toMatchObject({ waiting: 1 });
    expect(await outbox.flush(accept)).toEqual([{ nonce: nonce(1), receipt }]);
    expect(files()).toContain(`waiting/${nonce(2)}.json.4711.tmp`);
  });

  it.each([
    ['cut', '{"payload":"e30=","payl'],
    ['empty', ''],
    ['zeros', '\0'.repeat(64)],
    ['no envelope', '{"payload":"e30="}'],
    ['an envelope with a field more', JSON.stringify({ ...signed('e30='), note: 1 })],
  ])('a torn file (%s) is set aside with the reason, and stops nothing', async (_, contents) => {
    mkdirSync(join(dir, 'waiting'));
    writeFileSync(join(dir, 'waiting', `${nonce(1)}.json`), contents);
    await outbox.put(nonce(2), signed('e30='));
    const result = await outbox.flush(accept);
    expect(result).toEqual([
      { nonce: nonce(1), refused: expect.stringContaining('does not hold a signed report') },
      { nonce: nonce(2), receipt },
    ]);
    expect(read(`refused/${nonce(1)}.json`)).toBe(contents);
    expect(read(`refused/${nonce(1)}.note`)).toContain('torn');
  });

  it('between receipt and move, the report is sent again and ends as sent', async () => {
    await outbox.put(nonce(1), signed('e30='));
    writeFileSync(join(dir, 'sent', `${nonce(1)}.note`), JSON.stringify(receipt));
    expect(await outbox.flush(accept)).toEqual([{ nonce: nonce(1), receipt }]);
    expect(await outbox.count()).toEqual({ waiting: 0, sent: 1, refused: 0 });
  });
});
