/** Who the survey's own owners are is a setting: a decision against it would be undone by the next enrollment. */
import { expect, test } from 'vitest';
import type { DecisionAction } from '../../schema/vocabulary.ts';
import { origin, startInProcess } from './in-process.ts';
import { decision, keyPair, sampleMachine, seal } from './samples.ts';

const operator = keyPair('operator');
const machine = sampleMachine('reference', undefined, 'configured owner');

test.each<[DecisionAction, number]>([
  ['distrust', 422],
  ['vouch', 422],
  ['quarantine', 201],
])('%s of an owner who is configured as the survey’s own is answered %i', async (action, status) => {
  const survey = await startInProcess({
    now: () => Date.now(),
    random: (byteCount) => crypto.getRandomValues(new Uint8Array(byteCount)),
    referenceOwners: new Set([machine.owner.publicHex]),
    operators: new Set([operator.publicHex]),
  });
  const post = async (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json' };
    const request = new Request(origin + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const response = await survey.fetch(request);
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const enrollment = seal('enrol', machine.enrol(), machine.key);
  const first = await post('/v1/machines', enrollment);
  expect(first.json.labels).toEqual(['enrolled', 'reference']);
  const decided = await post('/v1/decisions', decision(operator, action, 'owner', machine.owner.publicHex));
  expect(decided.status).toBe(status);
  if (status === 422) {
    expect(decided.json).toMatchObject({
      type: '/problems/unacceptable-decision',
      detail: expect.stringContaining('configured'),
    });
  }
  const again = await post('/v1/machines', enrollment);
  expect(again.json.labels).toEqual(['enrolled', 'reference', ...(status === 201 ? ['quarantined'] : [])]);
  await survey.stop();
});
