import { describe, expect, it, test } from 'vitest';
import { payloadKinds } from './envelope.ts';
import { newestCommon, payloadBodies, versionsOf } from './payload-versions.ts';

test.each(payloadKinds)('the versions of %s are those that its schema takes, oldest first', (kind) => {
  const versions: readonly string[] = versionsOf(kind);
  expect(versions.length).toBeGreaterThan(0);
  expect(versions.toSorted((a, b) => Number(a) - Number(b))).toEqual(versions);
  expect(new Set(versions).size).toBe(versions.length);
  // Every other field is missing: only a version that is known gets so far as to be told that.
  const complaints = (version: string) => {
    const { error } = payloadBodies[kind].safeParse({ version });
    return error?.issues.map(({ path }) => path.join('.')) ?? [];
  };
  for (const version of versions) expect(complaints(version)).not.toContain('version');
  expect(complaints('9.9')).toContain('version');
});

test('reports have three versions, requests for tickets two', () => {
  expect(versionsOf('report')).toEqual(['1.0', '1.1', '1.2']);
  expect(versionsOf('tickets')).toEqual(['1.0', '1.1']);
  expect(versionsOf('enrol')).toEqual(['1.0']);
});

describe('newestCommon', () => {
  it.each<[string, readonly string[], string | null]>([
    ['both know all', ['1.0', '1.1', '1.2'], '1.2'],
    ['the other side is older', ['1.0'], '1.0'],
    ['the other side is newer', ['1.0', '1.1', '1.2', '1.3', '2.0'], '1.2'],
    ['the other side lists them in another order', ['1.2', '1.1', '1.0'], '1.2'],
    ['the other side has dropped the old ones', ['1.2', '2.0'], '1.2'],
    ['nothing is common', ['2.0'], null],
    ['nothing is offered', [], null],
  ])('%s', (_, offered, version) => {
    expect(newestCommon('report', offered)).toBe(version);
  });
});
