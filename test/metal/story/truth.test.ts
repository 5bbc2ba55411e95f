import { describe, expect, it } from 'vitest';
import { type Claimed, faultsOf, seenOn, together } from './truth.ts';

const [a, b] = ['a', 'b'].map((digit) => digit.repeat(32)) as [string, string];
const fires = (nonce: string) =>
  `[   90.1] crashpoint: v=2 nonce=${nonce} point=direct type=panic in_nmi=0 in_hardirq=0`;
const handedOver =
  '[    0.0] Command line: BOOT_IMAGE=/vmlinuz root=LABEL=x reset_devices systemd.unit=kdump-tools-dump.service';
const captured = [
  handedOver,
  '[   20.3] kdump-tools[195]: Starting kdump-tools:',
  '[   21.0] kdump-tools[200]: running makedumpfile -F -c -d 31 /proc/vmcore | compress > /var/crash/x/dump-incomplete.',
  '[   25.0] kdump-tools[220]: kdump-tools: saved vmcore in /var/crash/x.',
];

describe('what the console shows', () => {
  it.each([
    ['nothing of a trial that did not fire', captured, undefined],
    ['that it fired', [fires(a)], 'fired'],
    ['that the capture kernel started', [fires(a), handedOver], 'handed_over'],
    ['that its user space ran', [fires(a), ...captured.slice(0, 2)], 'capture_booted'],
    ['that writing began', [fires(a), ...captured.slice(0, 3)], 'target_ready'],
    ['that the dump was written', [fires(a), ...captured], 'dump_written'],
    ['nothing after the firmware started', [fires(a), 'SeaBIOS (version 1.16)', ...captured], 'fired'],
    [
      'nothing after an ordinary start',
      [fires(a), '[    0.0] Command line: BOOT_IMAGE=/vmlinuz ro', ...captured.slice(1)],
      'fired',
    ],
  ])('%s', (_, lines, stage) => {
    expect(seenOn(lines).reached.get(a)).toBe(stage);
  });

  it('over several power-ons, each firing is counted', () => {
    const { firings, reached } = together([seenOn([fires(a), fires(b)]), seenOn([fires(a), ...captured])]);
    expect([...firings]).toEqual([
      [a, 2],
      [b, 1],
    ]);
    expect(reached.get(a)).toBe('dump_written');
  });
});

describe('a report is held against it', () => {
  const good = seenOn([fires(a), ...captured]);
  const cut = seenOn([fires(a), handedOver]);
  const report = (
    result: string,
    proven: 'armed' | 'fired' | 'dump_written' | null,
    excluded: 'fired' | 'handed_over' | 'dump_written' | null,
  ) => ({
    result,
    reached: { proven, excluded },
  });
  const claim = (...reports: Claimed['reports'][number][]): Claimed => ({ nonce: a, isArmed: true, reports });
  it.each([
    ['a capture', claim(report('captured', 'dump_written', null)), good, []],
    ['no dump where the power was cut', claim(report('failed', null, 'dump_written')), cut, []],
    ['not fired, and it did not', claim(report('inconclusive', 'armed', 'fired')), seenOn([]), []],
    ['never armed, never reported', { ...claim(), isArmed: false }, seenOn([]), []],
    ['lost', claim(), good, ['lost: armed, and never reported']],
    [
      'lost before it was journaled',
      { ...claim(), isArmed: false },
      good,
      ['lost: armed, and never reported'],
    ],
    [
      'doubled',
      claim(report('captured', 'dump_written', null), report('captured', 'dump_written', null)),
      good,
      ['reported 2 times'],
    ],
    ['run twice', claim(report('captured', 'dump_written', null)), together([good, good]), ['run 2 times']],
    [
      'a capture that was none',
      claim(report('captured', 'dump_written', null)),
      cut,
      ['said to be captured, and the console shows handed_over'],
    ],
    [
      'fired, and it did not',
      claim(report('failed', 'fired', null)),
      seenOn([]),
      ['said to have fired, and it never did'],
    ],
    [
      'less than it reached',
      claim(report('failed', 'fired', 'handed_over')),
      good,
      ['said not to have reached handed_over, and the console shows dump_written'],
    ],
  ])('%s', (_, claimed, truth, faults) => {
    expect(faultsOf(claimed, truth)).toEqual(faults);
  });
});
