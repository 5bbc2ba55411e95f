/** What may leave a machine: words of our own and frames, and the same judgement from them as from the whole log. */
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { symptomOf, topFrames } from '../../../schema/classify/symptom.ts';
import { allowedLines } from './log-lines.ts';

it.each([
  ['Out of memory: Killed process 77 (alice-job)'],
  ['tar: /home/alice/x: No space left on device'],
  ['[    4.1] BUG: kernel NULL pointer dereference, address: 0000000000000008'],
  ['BUG: unable to handle page fault for address: ffff888012345678'],
  ['stack guard page was hit at 00000000'],
  ['traps: PANIC: double fault, error_code: 0x0'],
  ['kernel BUG at drivers/scsi/esp_scsi.c:1!'],
  ['general protection fault, probably for non-canonical address'],
  ['watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [alice:99]'],
  ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 1'],
  ['rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:'],
  ['INFO: task alice:99 blocked for more than 120 seconds.'],
  ['irq 10: nobody cared (try booting with the "irqpoll" option)'],
  ['nvme nvme0: I/O 12 QID 1 timeout, aborting'],
  ['Buffer I/O error on dev dm-3, logical block 0'],
  ['<0>[   21.0] Kernel panic - not syncing: alice'],
])('%s: keeps its symptom and nothing of its text', (line) => {
  const [kept = '', ...more] = allowedLines([line], 10);
  expect(more).toEqual([]);
  expect(symptomOf([kept])).toBe(symptomOf([line]));
  expect(kept).not.toMatch(/alice|nvme0|dm-3|\d{4}/);
});

it.each([
  [
    '[    4.1] RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]',
    ' RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]',
  ],
  [
    '<4>[    4.1]  scsi_esp_intr.isra.0+0x9c1/0x1d70 [esp_scsi]',
    ' scsi_esp_intr.isra.0+0x9c1/0x1d70 [esp_scsi]',
  ],
  ['[<00000000f09f6dc1>] sym53c8xx_intr [sym53c8xx]', '[<0>] sym53c8xx_intr [sym53c8xx]'],
  ['[   21.0]  </IRQ>', '</IRQ>'],
])('the frame in %s', (line, kept) => {
  expect(allowedLines([line], 10)).toEqual([kept]);
  expect(topFrames([kept])).toEqual(topFrames([line.replace(/^<\d>/, '')]));
});

it.each([
  ['[    0.0] Linux version 6.1.0 (builder@secret)'],
  ['[    0.0] Command line: root=UUID=1234 ip=10.0.0.7'],
  ['[    1.0] e1000 eth0: (PCI:33MHz:32-bit) 52:54:00:12:34:56'],
  ['[    2.0]  ? guessed+0x1/0x2'],
  ['EXT4-fs (dm-0): mounted filesystem /home/alice'],
  [''],
])('%s stays', (line) => {
  expect(allowedLines([line], 10)).toEqual([]);
});

test('no more than is asked for, and a repeat once', () => {
  const lines = Array.from({ length: 50 }, (_, i) => ` f${i % 2}+0x1/0x2`);
  expect(allowedLines(lines, 7)).toHaveLength(7);
  expect(allowedLines(Array(9).fill('Kernel panic'), 7)).toHaveLength(1);
});

const grammar =
  /^(?:[A-Z][A-Za-z /:-]{2,60}|kernel BUG at a line|dumpsurvey: [a-z ]{5,60}|hard LOCKUP|double fault|general protection fault|rcu: detected stalls|task blocked for more than 120 seconds|irq: nobody cared|command timed out|I\/O error| (?:RIP: [\da-f]{4}:)?[\w.]+\+0x[\da-f]+\/0x[\da-f]+(?: \[\w+\])?|\[<0>\] [\w.]+(?: \[\w+\])?|<\/IRQ>|---\[ end trace)$/;

test('whatever a log says, only lines of the grammar come out', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'panic',
      'alice@host',
      '10.0.0.7',
      'timeout,',
      ' f+0x1/0x2 [m]',
      '[<00ff>] h [m]',
      'Kernel panic - ',
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.array(word).map((words) => words.join(' '))), (lines) => {
      for (const line of allowedLines(lines, 100)) expect(line).toMatch(grammar);
    }),
  );
});
