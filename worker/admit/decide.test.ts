/** Which action is about what. */
import { describe, expect, it } from 'vitest';
import { decisionActions, decisionSubjects, namesOf } from '../../schema/vocabulary.ts';
import { faultOfForm, subjectsOf } from './decide.ts';

const key = 'ab'.repeat(32);
const values = { owner: key, machine: key, agent_version: '0.1.0', scenario_set: 'standard/1' } as const;

/** A decision on a log of 10 entries. */
function formOf(
  action: keyof typeof decisionActions,
  kind: keyof typeof decisionSubjects,
  value: string,
  from_index: number | null,
) {
  return faultOfForm({ action, subject: { kind, value }, from_index }, 10);
}

describe.each(namesOf(decisionActions))('%s', (action) => {
  const index = action === 'revoke' ? 3 : null;

  it.each(namesOf(decisionSubjects))('is about the right subjects, whether %s is one or not', (kind) => {
    const fault = formOf(action, kind, values[kind], index);
    expect(fault === null).toBe(subjectsOf[action].includes(kind));
    if (fault !== null) expect(fault).toMatchObject({ slug: 'unacceptable-decision' });
  });

  it('has an index where it revokes, and nowhere else', () => {
    expect(formOf(action, 'owner', key, action === 'revoke' ? null : 3)?.detail).toContain('from_index');
  });

  it('names keys as keys', () => {
    for (const value of ['alice', key.toUpperCase(), key.slice(1), `${key}\n`])
      expect(formOf(action, 'owner', value, index)?.detail).toContain('no public key');
  });
});

it.each([
  [0, true],
  [10, true],
  [11, false],
])('a revocation from index %i of a log of 10 entries makes sense: %s', (from, good) => {
  expect(formOf('revoke', 'machine', key, from) === null).toBe(good);
});
