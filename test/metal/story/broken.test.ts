import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../schema/outcome.ts';
import type { Stage } from '../../../schema/vocabulary.ts';
import { brokenMachines } from './broken.ts';

const failed: Outcome = {
  result: 'failed',
  reached: { proven: 'armed', excluded: 'dump_written' },
  verdict: null,
  verdict_reason: null,
  recovery: 'self',
  cause: 'unknown',
  signature: null,
};
const captured: Outcome = {
  ...failed,
  result: 'captured',
  reached: { proven: 'dump_written', excluded: null },
  verdict: 'verified',
  verdict_reason: 'verified',
  cause: null,
};
const judge = (
  name: string,
  outcome: Outcome | null,
  next = 'wait',
  isUp = true,
  seen: readonly Stage[] = [],
) => {
  const machine = brokenMachines.find((m) => m.name === name);
  if (!machine) throw new Error(`there is no broken machine ${name}`);
  return machine.judge({ outcome, seen, next, isUp });
};

describe('a broken machine is judged', () => {
  it('none may be captured, or have no report where a trial is run', () => {
    for (const { name, until } of brokenMachines) {
      expect(judge(name, captured), name).not.toEqual([]);
      if (until === 'report') expect(judge(name, null), name).not.toEqual([]);
    }
  });

  it('a hang is ended by the watchdog', () => {
    expect(judge('the capture kernel hangs', { ...failed, recovery: 'watchdog' })).toEqual([]);
    expect(judge('the capture kernel hangs', failed)).toEqual(['recovery self']);
  });

  it('no more is claimed than could be seen', () => {
    const missing = 'the dump target is missing';
    expect(judge(missing, failed)).toEqual([]);
    expect(
      judge(missing, { ...failed, reached: { proven: 'target_ready', excluded: 'dump_written' } }),
    ).toEqual(['target_ready is said to be proven']);
    expect(judge(missing, { ...failed, reached: { proven: 'armed', excluded: 'handed_over' } })).toEqual([
      'handed_over is said to be excluded',
    ]);
  });

  it('beacons tell of what was reached', () => {
    const whole = 'nothing: a second disk is told of a capture';
    expect(judge(whole, captured, 'wait', true, ['capture_booted', 'target_ready'])).toEqual([]);
    expect(judge(whole, captured)).toEqual(['the beacons told of ']);
    const missing = 'the dump target is missing, and a second disk is told of it';
    const told = { proven: 'capture_booted', excluded: 'target_ready' } as const;
    expect(judge(missing, { ...failed, reached: told })).toEqual([]);
    expect(judge(missing, failed)).toHaveLength(2);
  });

  it('one that stops says why', () => {
    expect(judge('kdump is not loaded', null, 'nothing: No capture kernel is loaded.')).toEqual([]);
    expect(judge('kdump is not loaded', null, 'nothing: it is Wednesday')).toHaveLength(1);
    expect(judge('the boot loops', null, 'nothing: this machine started 3 times in a row')).toEqual([]);
  });

  it('the machine must be back', () => {
    expect(judge('the dump target is missing', failed, 'wait', false)).toEqual(['the machine is not back']);
  });

  it('a full target is told from a missing one', () => {
    const begun = { proven: 'target_ready', excluded: 'dump_written' } as const;
    expect(judge('the dump target is full', { ...failed, reached: begun, cause: 'resource' })).toEqual([]);
    expect(judge('the dump target is full', failed)).toEqual([
      'armed is said to be proven',
      'cause unknown, not resource',
    ]);
  });
});
