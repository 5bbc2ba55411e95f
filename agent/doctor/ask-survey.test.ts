/** A survey that answers, one that answers nonsense, and one that never does. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { apiIndex } from '../../worker/serve/index.ts';
import { askSurvey } from './ask-survey.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((settle) => server.once('listening', settle));
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((settle) => server.close(settle));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const index = JSON.stringify(apiIndex({ name: 'survey.test/log', verifierKey: 'k' }, ['/v1']));
const nowMs = Date.parse('2026-11-25T12:00:00Z');
const at = (date: string, body: string, status = 200): RequestListener => {
  return (_, response) => response.writeHead(status, { date }).end(body);
};

it('says which scenarios a survey knows, and how far the clocks are apart', async () => {
  const url = await serve(at('Wed, 25 Nov 2026 11:58:00 GMT', index));
  const seen = await askSurvey(url, () => nowMs);
  expect(seen).toMatchObject({ url, reached: true, clockAheadMs: 120_000 });
  expect(seen.reached && seen.sets).toEqual(expect.arrayContaining(['standard/1', 'metal/1']));
});

it('does not guess at a clock that the survey does not tell', async () => {
  const url = await serve(at('yesterday', index));
  expect(await askSurvey(url, () => nowMs)).toMatchObject({ reached: true, clockAheadMs: null });
});

it.each<[string, RequestListener, RegExp]>([
  ['an error', at('', index, 503), /answers 503/],
  ['a page', at('', '<html>'), /not as a survey/],
  ['another service', at('', '{"ok":true}'), /not as a survey/],
  ['an answer without an end', (_, r) => r.end(index.slice(0, -1).padEnd(2 << 20, ' ')), /not as a survey/],
  ['silence', () => {}, /timeout|aborted/],
  ['half an answer', (_, r) => r.write(index.slice(0, 20)), /timeout|aborted/],
  ['an end in the middle', (_, r) => r.write('{', () => r.destroy()), /\S/],
])('with %s there is no survey', async (_, listener, why) => {
  const url = await serve(listener);
  const seen = await askSurvey(url, () => nowMs, 500);
  expect(seen).toMatchObject({ url, reached: false, why: expect.stringMatching(why) });
});

it('says so where nobody listens, and where the address is none', async () => {
  const url = await serve(at('', index));
  for (const close of open.splice(0)) await close();
  expect(await askSurvey(url, () => nowMs)).toMatchObject({
    reached: false,
    why: expect.stringMatching(/ECONNREFUSED/),
  });
  expect(await askSurvey('nonsense', () => nowMs)).toMatchObject({ reached: false });
});
