import { expect, it } from 'vitest';
import { completeProfile, completeReport } from './earlier.ts';

it.each([null, 7, 'x', [], {}, { scenario: 1 }, { kernel: [] }])('leaves %j as it is', (value) => {
  expect(completeReport(value)).toBe(value);
  expect(completeProfile(value)).toBe(value);
});

it('leaves alone what was signed under the field list of today', () => {
  const report = { scenario: { set_up: 'defaults' }, triggered_by: 'sysrq', evidence: { trigger: null } };
  expect(completeReport(report)).toBe(report);
  const profile = { kernel: { preemption: 'rt' } };
  expect(completeProfile(profile)).toBe(profile);
});

it('says of an earlier report what is known, and makes up no task', () => {
  const earlier = {
    nonce: 'n',
    scenario: { load: 'idle' },
    evidence: { trigger: { cpu: 0, in_flight: 4 }, survived: false, exit: 'reboot' },
  };
  expect(completeReport(earlier)).toEqual({
    nonce: 'n',
    scenario: { load: 'idle', set_up: 'panic' },
    triggered_by: 'crashpoint',
    evidence: { trigger: null, at_crash: null, survived: null, exit: 'reboot' },
  });
  const went = { scenario: {}, evidence: { trigger: null, survived: true } };
  expect(completeReport(went)).toMatchObject({ evidence: { survived: 'the system went on' } });
  expect(completeProfile({ kernel: { release: '6.1' } })).toEqual({
    kernel: { release: '6.1', preemption: 'unknown' },
  });
});
