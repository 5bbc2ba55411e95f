/** Lines that kernels print when something goes wrong, and those that they print on every boot. */
import { describe, expect, it, test } from 'vitest';
import { type Symptom, symptomOf, tellingLine, topFrames } from './symptom.ts';

test.each<[Symptom, string]>([
  ['out-of-memory', 'Out of memory: Killed process 77 (makedumpfile) total-vm:90000kB'],
  ['out-of-memory', 'makedumpfile invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE), order=0'],
  ['out-of-memory', 'Kernel panic - not syncing: System is deadlocked on memory'],
  ['no-space', 'dumpsurvey: writing to sda failed: dd: error writing /dev/sda: No space left on device'],
  ['module-missing', 'dumpsurvey: module nvme.ko refused'],
  ['null-dereference', 'BUG: kernel NULL pointer dereference, address: 0000000000000008'],
  ['bad-paging-request', 'BUG: unable to handle page fault for address: ffffc90000413000'],
  ['bad-paging-request', 'Unable to handle kernel paging request at virtual address 0000000000001000'],
  ['stack-guard-page', 'BUG: TASK stack guard page was hit at 00000000e2b1 (stack is 0000..0000)'],
  ['double-fault', 'traps: PANIC: double fault, error_code: 0x0'],
  ['bug', 'kernel BUG at drivers/scsi/scsi_lib.c:1234!'],
  ['bug', 'invalid opcode: 0000 [#1] PREEMPT SMP NOPTI'],
  [
    'general-protection-fault',
    'general protection fault, probably for non-canonical address 0x6b6b: 0000 [#1]',
  ],
  ['soft-lockup', 'watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [init:1]'],
  ['hard-lockup', 'NMI watchdog: Watchdog detected hard LOCKUP on cpu 0'],
  ['rcu-stall', 'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:'],
  ['rcu-stall', 'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 0-... } 5 jiffies'],
  ['rcu-stall', 'rcu: INFO: rcu_sched self-detected stall on CPU'],
  ['rcu-stall', 'Kernel panic - not syncing: RCU Stall'],
  ['hung-task', 'INFO: task dd:210 blocked for more than 120 seconds.'],
  ['irq-nobody-cared', 'irq 10: nobody cared (try booting with the "irqpoll" option)'],
  ['command-timeout', 'nvme nvme0: I/O 12 QID 1 timeout, aborting'],
  ['command-timeout', 'nvme nvme0: I/O 12 (Write) QID 1 timeout, completion polled'],
  ['command-timeout', 'nvme nvme0: Device not ready; aborting initialisation, CSTS=0x0'],
  ['command-timeout', 'ata1.00: qc timeout after 5000 msecs (cmd 0xec)'],
  ['command-timeout', 'ata1.00: qc timeout (cmd 0xec)'],
  ['command-timeout', 'sd 0:0:0:0: ABORT operation timed-out.'],
  ['command-timeout', 'sym0: CACHE TEST FAILED: timeout.'],
  ['command-timeout', 'scsi host0: Reconnect IRQ1 timeout'],
  [
    'command-timeout',
    'megaraid_sas 0000:00:03.0: DCMD(opcode: 0x1010000) is timed out, func:megasas_get_pd_list',
  ],
  ['command-timeout', 'mptscsih: ioc0: attempting task abort! (sc=000000003c2b7a11)'],
  ['command-timeout', 'vmw_pvscsi 0000:03:00.0: SCSI Host reset'],
  ['command-timeout', 'mmc0: Timeout waiting for hardware interrupt.'],
  ['io-error', 'I/O error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x8800 phys_seg 1 prio class 2'],
  ['io-error', 'Buffer I/O error on dev sda, logical block 0, async page read'],
  ['io-error', 'ata1.00: failed command: WRITE DMA'],
  ['io-error', 'dumpsurvey: target sda unreadable'],
  ['io-error', 'dumpsurvey: writing to sda failed: dd: error writing /dev/sda: Input/output error'],
  ['target-missing', 'dumpsurvey: target sda missing'],
  ['panic', 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)'],
])('%s: %s', (symptom, line) => {
  expect(symptomOf([line])).toBe(symptom);
  expect(symptomOf([`[    4.106571] ${line}`, 'reboot: Restarting system'])).toBe(symptom);
});

// From the kernel's own format strings, and from logs of runs that were captured.
test.each([
  'rcu: Hierarchical RCU implementation.',
  'rcu: Preemptible hierarchical RCU implementation.',
  'rcu: Adjusting geometry for rcu_fanout_leaf=16, nr_cpu_ids=1',
  '\tRCU CPU stall warnings timeout set to 21 (rcu_cpu_stall_timeout).',
  '\tRCU CPU stall warnings suppressed (rcu_cpu_stall_suppress).',
  'rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.',
  'Kernel command line: console=ttyS0 panic=5 sysctl.kernel.panic_on_rcu_stall=1 nvme_core.io_timeout=255 oops=panic',
  'Command line: elfcorehdr=0x14000000 rcupdate.rcu_cpu_stall_timeout=3 softlockup_panic=1 hung_task_panic=1',
  'nvme nvme0: Shutdown timeout set to 8 seconds',
  'megaraid_sas 0000:00:03.0: FW provided TM TaskAbort/Reset timeout\t: 0 secs/0 secs',
  'ahci 0000:00:1f.2: skipping global host reset',
  'sd 0:0:0:0: Power-on or device reset occurred',
  'sym0: SCSI BUS has been reset.',
  'AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is not a bug.',
  'PCI: Using host bridge windows from ACPI; if necessary, use "pci=nocrs" and report a bug',
  'NET: Registered PF_XDP protocol family',
  'io scheduler mq-deadline registered',
  'NMI watchdog: Perf NMI watchdog permanently disabled',
  'tsc: Detected 2445.443 MHz processor',
  'serial8250: too much work for irq4',
  'i6300ESB timer 0000:00:02.0: initialized. heartbeat=30 sec (nowayout=0)',
  'sd 0:0:0:0: [sda] Preferred minimum I/O size 512 bytes',
  'process_timeout+0x10/0x10',
  ' schedule_timeout+0x94/0x150',
  ' ? __pfx_process_timeout+0x10/0x10',
])('nothing: %s', (line) => {
  expect(symptomOf([line])).toBeNull();
});

test('the most telling symptom wins, wherever it stands', () => {
  const lines = [
    'nvme nvme0: I/O 1 QID 1 timeout, aborting',
    'Buffer I/O error on dev sda',
    'Kernel panic - x',
  ];
  expect(symptomOf(lines)).toBe('command-timeout');
  expect(symptomOf(lines.toReversed())).toBe('command-timeout');
  expect(symptomOf([...lines, 'Out of memory: Killed process 1 (init)'])).toBe('out-of-memory');
  expect(symptomOf([])).toBeNull();
});

/** An oops of the am53c974's driver as Debian's 6.1 prints it, cut to the lines that could be taken for frames. */
const oops = `[    4.106571] scsi host0: Unexpected event 0, resetting
[    4.107834] BUG: kernel NULL pointer dereference, address: 0000000000000000
[    4.109877] CPU: 0 PID: 92 Comm: insmod Not tainted 6.1.0-56-amd64 #1  Debian 6.1.192-2
[    4.110974] RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]
[    4.111625] Code: 00 00 00 00 0f 1f 44 00 00 41 57 48 8d 47 30 41 56 41 55 4c 8d 6f 70 <4d> 8b 27
[    4.112000] Call Trace:
[    4.112001]  <IRQ>
[    4.112002]  ? __die_body.cold+0x1a/0x1f
[    4.112003]  scsi_esp_intr+0x103/0x1d0 [esp_scsi]
[    4.112004]  ? rcu_core+0x1/0x10
[    4.112005]  __handle_irq_event_percpu+0x46/0x190
[    4.112006]  </IRQ>
[    4.112007]  <TASK>
[    4.112008]  asm_common_interrupt+0x22/0x40
[    4.112009] RIP: 0010:_raw_spin_unlock_irqrestore+0x19/0x40
[    4.112010]  __setup_irq+0x442/0x6d0
[    4.112011] ---[ end trace 0000000000000000 ]---
[    4.112012] RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]
[    4.112013] RIP: 0033:0x47b7a0`.split('\n');

describe('topFrames', () => {
  it('names function and module of the fault first', () => {
    expect(topFrames(oops)).toEqual([
      'esp_reset_cleanup [esp_scsi]',
      'scsi_esp_intr [esp_scsi]',
      '__handle_irq_event_percpu',
    ]);
  });

  it('ends with the interrupt: what it interrupted differs from run to run', () => {
    const short = oops.filter((line) => !/__handle_irq|rcu_core/.test(line));
    expect(topFrames(short)).toEqual(['esp_reset_cleanup [esp_scsi]', 'scsi_esp_intr [esp_scsi]']);
  });

  it('does not take an earlier warning for the fault', () => {
    const warning = [
      'WARNING: CPU: 0 PID: 1 at x.c:1',
      'RIP: 0010:innocent+0x1/0x2',
      ' innocent_too+0x1/0x2 [x]',
    ];
    expect(topFrames([...warning, ...oops])).toEqual(topFrames(oops));
    expect(topFrames(warning)).toEqual(['innocent', 'innocent_too [x]']);
  });

  it.each<[string, string[]]>([
    ['[   28.651324]  cp_hit.cold+0x104/0x113 [crashpoint]', ['cp_hit [crashpoint]']],
    ['[    1.0][    T1]  virtblk_prep_rq.isra.0+0x1/0x2 [virtio_blk]', ['virtblk_prep_rq [virtio_blk]']],
    ['[    1.0][   C12] RIP: 0010:native_safe_halt+0xb/0x10', ['native_safe_halt']],
    ['getname_flags.part.0+0x4b/0x1c0', ['getname_flags']],
    ['getname_flags.constprop.0.isra.1+0x4b/0x1c0', ['getname_flags']],
    [' blk_mq_run.llvm.12345678+0x4b/0x1c0', ['blk_mq_run']],
    [' ? guessed+0x1/0x2', []],
    ['RIP: 0033:0x47b7a0', []],
    ['Code: 0f 1f 44 00 00 <4d> 8b 27', []],
    ['R10: 0000000000000000 R11: ffffd5a100003ff8 R12: 0000000000000000', []],
    ['pci 0000:00:01.1: BAR 0 [io  0x01f0-0x01f7]: legacy IDE quirk', []],
    [' dump_stack_lvl+0x44/0x5c', []],
    [' panic+0x118/0x2ed', []],
    [' asm_sysvec_apic_timer_interrupt+0x16/0x20', []],
    [' do_syscall_64+0x5d/0xb0', []],
    [' kthread+0xda/0x100', []],
    [' kthread_worker_fn+0xda/0x100', ['kthread_worker_fn']],
  ])('%s', (line, frames) => {
    expect(topFrames([line])).toEqual(frames);
  });

  it('gives the handlers of an interrupt that nobody cared for, not what was interrupted', () => {
    // kernel/irq/spurious.c, __report_bad_irq().
    const lines = [
      'irq 10: nobody cared (try booting with the "irqpoll" option)',
      'CPU: 0 PID: 0 Comm: swapper/0 Not tainted 6.1.0-56-amd64 #1  Debian 6.1.192-2',
      'Call Trace:',
      ' <IRQ>',
      ' __report_bad_irq+0x35/0xa7',
      ' note_interrupt.cold+0xb/0x61',
      ' </IRQ>',
      'handlers:',
      '[<00000000f09f6dc1>] sym53c8xx_intr [sym53c8xx]',
      '[<00000000aa9f6dc1>] irq_default_primary_handler threaded [<00000000aa9f6dc2>] usb_thread [usbcore]',
      'Disabling IRQ #10',
    ];
    expect(topFrames(lines)).toEqual(['sym53c8xx_intr [sym53c8xx]', 'irq_default_primary_handler']);
    expect(topFrames(lines.map((line) => `[    4.106571] ${line}`))).toEqual(topFrames(lines));
  });

  it('gives no more than is asked for, and a repeat once', () => {
    const recursion = Array.from({ length: 50 }, () => ' recurse+0x10/0x20 [x]');
    expect(topFrames([...recursion, ' other+0x1/0x2'])).toEqual(['recurse [x]', 'other']);
    expect(topFrames(oops, 1)).toHaveLength(1);
    expect(topFrames(oops, 0)).toEqual([]);
  });
});

test('tellingLine is where the most telling symptom is, or the first frame, or nowhere', () => {
  expect(tellingLine(oops)).toBe(1);
  expect(tellingLine(['a', 'nvme nvme0: I/O 1 QID 1 timeout, aborting', ...oops])).toBe(3);
  expect(tellingLine(['a', 'b', ' foo+0x1/0x2'])).toBe(2);
  expect(tellingLine(['a', 'b'])).toBeNull();
  expect(tellingLine([])).toBeNull();
});

test('a long line takes no long time', () => {
  const lines = [
    'x'.repeat(400),
    ' '.repeat(400),
    `[${' 1.'.repeat(130)}`,
    `${'_a'.repeat(190)}+0x`,
    'module '.repeat(57),
  ];
  const started = performance.now();
  for (let i = 0; i < 200; i++) topFrames(lines);
  expect(performance.now() - started).toBeLessThan(1000);
});
