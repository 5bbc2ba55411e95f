import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armedLine, canaryLines, findInLog, type LogPlan } from './log-canary.ts';

const nonce = '57b7ff5c08a898a4faabdbd7e203eb8b';
const plan: LogPlan = { nonce, triggeredBy: 'sysrq' };
const stamped = (lines: readonly string[]) => lines.map((line, i) => `[   ${i}.123456] ${line}`);
const whole = stamped([armedLine(nonce), ...canaryLines(nonce), 'sysrq: Trigger a crash']);
const good = canaryLines(nonce).length;

describe('lines in the log', () => {
  it('follow from the nonce, differ from one another, and fit a record of the log', () => {
    const lines = canaryLines(nonce);
    expect(lines).toEqual(canaryLines(nonce));
    expect(new Set(lines).size).toBe(8);
    expect(new Set([...lines, ...canaryLines('0'.repeat(32))]).size).toBe(16);
    for (const line of [armedLine(nonce), ...lines]) expect(line.length).toBeLessThan(900);
  });

  it.each<[string, string[], ReturnType<typeof findInLog>]>([
    ['a whole log', whole, { armed: true, fired: true, otherTrial: false, good, changed: 0, missing: 0 }],
    [
      'an empty log',
      [],
      { armed: false, fired: false, otherTrial: false, good: 0, changed: 0, missing: good },
    ],
    [
      'not fired',
      whole.slice(0, -1),
      { armed: true, fired: false, otherTrial: false, good, changed: 0, missing: 0 },
    ],
    [
      'a trigger before the arming',
      [whole.at(-1) ?? '', ...whole.slice(0, -1)],
      { armed: true, fired: false, otherTrial: false, good, changed: 0, missing: 0 },
    ],
    [
      "LKDTM's trigger",
      whole.map((line) => line.replace('sysrq: Trigger a crash', 'lkdtm: Performing direct entry PANIC')),
      { armed: true, fired: false, otherTrial: false, good, changed: 0, missing: 0 },
    ],
    [
      'another trial',
      stamped([armedLine('0'.repeat(32)), ...canaryLines('0'.repeat(32)), 'sysrq: Trigger a crash']),
      { armed: false, fired: false, otherTrial: true, good: 0, changed: good, missing: 0 },
    ],
  ])('%s', (_, lines, finding) => {
    expect(findInLog(lines, plan)).toEqual(finding);
  });

  it('a digit that changed is found, and so is a line that is cut', () => {
    fc.assert(
      fc.property(fc.nat(good - 1), fc.nat(383), fc.boolean(), (line, digit, cut) => {
        const lines = [...whole];
        const text = lines[1 + line] ?? '';
        const at = text.length - 384 + digit;
        lines[1 + line] = cut
          ? text.slice(0, at)
          : text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
        expect(findInLog(lines, plan)).toMatchObject({
          armed: true,
          fired: true,
          good: good - 1,
          changed: 1,
        });
      }),
      { numRuns: 200 },
    );
  });
});
