import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { isConfined } from './confine.ts';

/** The capability lines of /proc/PID/status, as Linux 6 prints them, between others. */
function status(permitted: string, effective: string, bounding: string): string {
  return [
    'Name:\tnode',
    'NoNewPrivs:\t0',
    'CapInh:\t0000000000000000',
    `CapPrm:\t${permitted}`,
    `CapEff:\t${effective}`,
    `CapBnd:\t${bounding}`,
    'CapAmb:\t0000000000000000',
    'Seccomp:\t0\n',
  ].join('\n');
}

const all = '000001ffffffffff';
/** All but bit 16 (CAP_SYS_MODULE) and bit 22 (CAP_SYS_BOOT). */
const without = '000001ffffbeffff';
const none = '0000000000000000';
/** What Docker leaves to root by default. */
const docker = '00000000a80425fb';

describe('isConfined', () => {
  it.each<[string, boolean, [string, string, string]]>([
    ['root', false, [all, all, all]],
    ['root after setpriv', true, [without, without, without]],
    ['root in a container', true, [docker, docker, docker]],
    ['nobody without anything', true, [none, none, none]],
    ['a user, who could regain them through a setuid program', false, [none, none, all]],
    ['permitted, though not in effect', false, [all, without, without]],
    ['module loading only', false, ['000001ffffbfffff', without, without]],
    ['reboot only', false, [without, without, '000001fffffeffff']],
  ])('%s: %s', (_, confined, sets) => {
    expect(isConfined(status(...sets))).toBe(confined);
  });

  it('is not known to be so where a set is not told', () => {
    const told = status(without, without, without);
    for (const set of ['CapPrm', 'CapEff', 'CapBnd']) {
      expect(isConfined(told.replace(new RegExp(`^${set}.*\n`, 'm'), ''))).toBe(false);
      expect(isConfined(told.replace(`${set}:\t${without}`, `${set}:\tnone`))).toBe(false);
    }
    expect(isConfined('')).toBe(false);
  });
});

test('this process is told apart as the kernel describes it', () => {
  const text = readFileSync('/proc/self/status', 'utf8');
  const bits = (set: string) =>
    BigInt(`0x${new RegExp(`^${set}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? 'f'.repeat(16)}`);
  const dangerous = (1n << 16n) | (1n << 22n);
  expect(isConfined(text)).toBe(
    ['CapPrm', 'CapEff', 'CapBnd'].every((set) => (bits(set) & dangerous) === 0n),
  );
});
