/** `/readyz` holds the log to its promise: an entry may wait for a checkpoint, but not for long. */
import { expect, test } from 'vitest';
import { limits } from '../../schema/wire.ts';
import { sentAtMs } from './examples.ts';
import { origin, startInProcess } from './in-process.ts';
import { sampleMachine, seal } from './samples.ts';

test('the log is behind when an entry has waited, and not when the last checkpoint is old', async () => {
  let nowMs = sentAtMs;
  const survey = await startInProcess({
    now: () => nowMs,
    random: (byteCount) => crypto.getRandomValues(new Uint8Array(byteCount)),
  });
  const readiness = async () => {
    const response = await survey.fetch(new Request(`${origin}/readyz`));
    const { checks } = (await response.json()) as { checks: { name: string; ok: boolean }[] };
    return [response.status, checks.filter(({ ok }) => !ok).map(({ name }) => name)];
  };
  const enroll = async (name: string) => {
    const machine = sampleMachine(name);
    const body = JSON.stringify(seal('enrol', machine.enrol(), machine.key));
    const headers = { 'content-type': 'application/json' };
    const response = await survey.fetch(
      new Request(`${origin}/v1/machines`, { method: 'POST', headers, body }),
    );
    expect(response.status).toBe(201);
  };
  await enroll('early');
  await survey.publish();
  nowMs += 24 * 3600_000;
  expect(await readiness()).toEqual([200, []]);
  await enroll('after a quiet day');
  expect(await readiness()).toEqual([200, []]);
  nowMs += limits.mergeWithinMs;
  expect(await readiness()).toEqual([200, []]);
  nowMs += 1;
  expect(await readiness()).toEqual([503, ['log']]);
  await survey.publish();
  expect(await readiness()).toEqual([200, []]);
  await survey.stop();
});
