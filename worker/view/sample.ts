/** Made-up data for the tests of this folder. Nothing here was measured. */

import type { DriverAnswer, FailureEntry, FunnelCounts } from '../../schema/answer/driver.ts';
import type { Manifest } from '../../schema/answer/edition.ts';
import type { LabReport } from '../../schema/answer/report.ts';
import type { Outcome } from '../../schema/outcome.ts';
import type { Cell, KeyedCell } from '../../schema/statistics.ts';
import type { ScenarioFields } from '../../schema/wire.ts';
import type { HomeData } from './data.ts';
import type { LogData } from './log.ts';

/** P(X ≥ x) of a binomial distribution. */
function tail(x: number, n: number, p: number): number {
  let sum = 0;
  let term = (1 - p) ** n;
  for (let k = 0; k <= n; k++) {
    if (k >= x) sum += term;
    term *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
  return sum;
}

/** The p at which a falling test becomes false, by bisection. */
function root(holds: (p: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return Number(low.toPrecision(4));
}

/** A cell with its Clopper–Pearson interval. */
export function cell(captured: number, trials: number, inconclusive = 0, no_reply = 0): Cell {
  const counts = { machines: 2, trials, captured, no_reply, inconclusive };
  if (trials === 0) return { ...counts, estimate: null, low: null, high: null };
  return {
    ...counts,
    estimate: Number((captured / trials).toPrecision(4)),
    low: captured === 0 ? 0 : root((p) => tail(captured, trials, p) < 0.025),
    high: captured === trials ? 1 : root((p) => 1 - tail(captured + 1, trials, p) > 0.025),
  };
}

export const edition: Manifest = {
  number: 3,
  log_size: 1412,
  cut_off: '2026-11-23T14:40:00.000Z',
  published_at: '2026-11-23T14:41:02.118Z',
  checkpoint: null,
  statistics_version: 2,
  statistics_sha256: '9f2c1b7e4d5a60838f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978',
};

export const scenario: ScenarioFields = {
  set: 'standard/1',
  crash_point: 'timer',
  crash_type: 'exception',
  load: 'disk',
  mitigation: 'none',
  set_up: 'panic',
  in_flight_min: 1,
};

export const failedOutcome: Outcome = {
  result: 'failed',
  reached: { proven: 'capture_booted', excluded: 'target_ready' },
  verdict: null,
  verdict_reason: null,
  recovery: 'self',
  cause: 'device',
  signature: 'capture_booted timer esp_reset_cleanup[esp_scsi] esp_intr[esp_scsi] scsi_esp_intr',
};

const captureLog = [
  '[    1.402133] am53c974 0000:00:04.0: enabling device (0000 -> 0003)',
  '[    1.431118] BUG: kernel NULL pointer dereference, address: 0000000000000008',
  '[    1.431201] #PF: supervisor read access in kernel mode',
  '[    1.431288] Oops: 0000 [#1] PREEMPT SMP NOPTI',
  '[    1.431377] CPU: 0 PID: 61 Comm: modprobe Not tainted 6.1.0-41-amd64 #1 Debian 6.1.158-1',
  '[    1.431461] RIP: 0010:esp_reset_cleanup+0x4d/0x140 [esp_scsi]',
  '[    1.431555] Call Trace:',
  '[    1.431640]  <IRQ>',
  '[    1.431722]  scsi_esp_intr+0x9c1/0x1d70 [esp_scsi]',
  '[    1.431809]  __handle_irq_event_percpu+0x46/0x190',
  '[    1.431891]  </IRQ>',
  '[    1.431977] Kernel panic - not syncing: Fatal exception in interrupt',
];

export const failure: FailureEntry = {
  report_id: '1377',
  admitted_at: '2026-11-23T14:38:12.004Z',
  population: 'lab',
  driver: 'am53c974',
  chipset: 'i440FX',
  kernel_release: '6.1.0-41-amd64',
  lab_machine: 'i440fx-am53c974',
  scenario,
  mechanism: 'kdump',
  outcome: failedOutcome,
  evidence: captureLog,
};

const failures: FailureEntry[] = [
  failure,
  { ...failure, report_id: '1360', admitted_at: '2026-11-23T14:30:44.000Z' },
  {
    ...failure,
    report_id: '1351',
    admitted_at: '2026-11-23T14:28:09.500Z',
    driver: 'sym53c8xx',
    lab_machine: 'i440fx-lsi53c895a',
    scenario: { ...scenario, crash_point: 'block-dispatch', in_flight_min: 2 },
    outcome: {
      ...failedOutcome,
      reached: { proven: 'target_ready', excluded: 'dump_written' },
      signature: 'target_ready block-dispatch irq 10: nobody cared',
    },
    evidence: ['[    2.104411] irq 10: nobody cared (try booting with the "irqpoll" option)'],
  },
  {
    ...failure,
    report_id: '1349',
    admitted_at: '2026-11-23T14:27:00.500Z',
    scenario: { ...scenario, crash_point: 'direct', crash_type: 'loop-irqoff' },
    outcome: {
      ...failedOutcome,
      reached: { proven: 'fired', excluded: 'detected' },
      cause: 'detection',
      signature: null,
    },
    evidence: [],
  },
];

const drivers = ['ahci', 'am53c974', 'ata_piix', 'megaraid_sas', 'mptsas', 'nvme', 'sym53c8xx', 'virtio_blk'];
const types = ['panic', 'bug', 'exception', 'loop', 'loop-irqoff', 'stack-overflow'] as const;

function captureCount(driver: string, type: string): number {
  if (driver === 'am53c974') return type === 'panic' ? 3 : 1;
  if (driver === 'sym53c8xx') return 5;
  return type === 'stack-overflow' ? 7 : 8;
}

const heatmap: KeyedCell[] = drivers.flatMap((driver) =>
  types
    .filter((type) => !(driver === 'mptsas' && type === 'loop'))
    .map((crash_type) => ({
      driver,
      role: 'dump_target',
      crash_type,
      ...(driver === 'nvme' && crash_type === 'loop-irqoff'
        ? cell(0, 0, 2)
        : cell(captureCount(driver, crash_type), 8, crash_type === 'bug' ? 1 : 0)),
    })),
);

const funnel: FunnelCounts = {
  mechanism: 'kdump',
  ended: [
    { stage: 'armed', trials: 3 },
    { stage: 'fired', trials: 12 },
    { stage: 'detected', trials: 4 },
    { stage: 'handed_over', trials: 2 },
    { stage: 'capture_booted', trials: 31 },
    { stage: 'target_ready', trials: 20 },
    { stage: 'dump_written', trials: 304 },
  ],
  captured: 300,
};

const note =
  'Population lab: driver against QEMU’s device model. Exact (Clopper–Pearson) 95 % intervals, conditional on the named configurations.';

export const home: HomeData = {
  edition,
  campaign: { running: true, planned: 432, done: 388, captured: 300, failed: 76, inconclusive: 12 },
  heatmap,
  by_driver: drivers.map((driver) => ({
    driver,
    ...cell(
      types.reduce((sum, type) => sum + captureCount(driver, type), 0),
      48,
    ),
  })),
  by_chipset: [
    { chipset: 'i440FX', ...cell(171, 220, 7, 1) },
    { chipset: 'Q35', ...cell(121, 148, 5) },
    { chipset: 'microvm', ...cell(8, 8) },
  ],
  funnel,
  failures,
  note,
};

export const driver: DriverAnswer = {
  driver: 'am53c974',
  edition,
  total: cell(8, 48, 1, 1),
  by_crash_type: heatmap.filter((c) => c.driver === 'am53c974'),
  by_crash_point: [
    { crash_point: 'direct', ...cell(5, 24) },
    { crash_point: 'timer', ...cell(1, 12, 0, 1) },
    { crash_point: 'block-dispatch', ...cell(0, 12) },
  ],
  by_chipset: [{ chipset: 'i440FX', ...cell(8, 48) }],
  funnel: {
    ...funnel,
    ended: [
      { stage: 'capture_booted', trials: 40 },
      { stage: 'dump_written', trials: 8 },
    ],
    captured: 8,
  },
  failures: failures.filter((f) => f.driver === 'am53c974'),
  note,
};

const reportOutcome: Outcome = {
  ...failedOutcome,
  reached: { proven: 'target_ready', excluded: 'dump_written' },
  verdict: 'incomplete',
  verdict_reason: 'truncated',
};

export const report: LabReport = {
  report_id: '1377',
  admitted_at: failure.admitted_at,
  labels: ['enrolled', 'reference', 'outcome-differs'],
  outcome: reportOutcome,
  body: {
    version: '1.0',
    machine: 'a3'.repeat(32),
    nonce: '5c'.repeat(16),
    profile_sha256: '7e'.repeat(32),
    population: 'lab',
    scenario,
    mechanism: 'kdump',
    environment: 'instrumented',
    triggered_by: 'crashpoint',
    sysctls: { panic_on_oops: 1 },
    agent_version: '0.1.0',
    emulator: 'QEMU 7.2.19 (tcg)',
    armed_at: '2026-11-23T14:37:51.204Z',
    reported_at: '2026-11-23T14:38:11.660Z',
    evidence: {
      channel: {
        name: 'serial',
        could_see: ['armed', 'fired', 'detected', 'handed_over', 'capture_booted', 'target_ready'],
        saw: [
          { stage: 'armed', at_ms: 0, line: 'dumpsurvey: armed timer exception' },
          {
            stage: 'fired',
            at_ms: 1210,
            line: 'dumpsurvey: fired timer exception nmi=0 hardirq=0 softirq=1 in_flight=2',
          },
          {
            stage: 'detected',
            at_ms: 1288,
            line: 'BUG: kernel NULL pointer dereference, address: 0000000000000000',
          },
          {
            stage: 'handed_over',
            at_ms: 3104,
            line: 'Linux version 6.1.0-41-amd64 (debian-kernel@lists.debian.org)',
          },
          { stage: 'capture_booted', at_ms: 4873, line: 'dumpsurvey: capture user space' },
        ],
      },
      trigger: {
        crash_point: 'timer',
        crash_type: 'exception',
        in_nmi: false,
        in_hardirq: false,
        in_softirq: true,
        irqs_off: false,
        preempt: 257,
        task: 'idle',
        cpu: 0,
        in_flight: 2,
      },
      at_crash: { irqs_off: false, preempt: 257, lock_held: false },
      survived: null,
      dump: {
        format: 'kdump-compressed',
        fault: 'the bitmap ends at byte 1052672 of 2097152',
        byte_count: 1052672,
        truncated: true,
        incomplete_flag: false,
        pages: { promised: 25165, present: 18211, undecodable: 0 },
        armed: 'present',
        fired: 'missing',
        canaries: { planted: 24, good: 20, changed: 0, missing: 4 },
        kernel_release: '6.1.0-41-amd64',
        vmcoreinfo: 'resolved',
        log_lines: null,
      },
      watchdog: { present: true, fired: false, timeout_ms: 60000 },
      exit: 'reboot',
      harness_fault: null,
      crash_log: [
        '[   11.10] BUG: kernel NULL pointer dereference, address: 0000000000000000',
        '[   11.11] Oops: 0002',
      ],
      capture_log: captureLog,
      duration_ms: 20456,
    },
    outcome: { ...reportOutcome, cause: 'unknown', reached: { proven: 'capture_booted', excluded: null } },
  },
  envelope: {
    payload: 'e30=',
    payloadType: 'application/vnd.dumpsurvey.report.v1+json',
    signatures: [{ keyid: 'a3'.repeat(32), sig: `${'Zm9v'.repeat(21)}Zg==` }],
  },
  profile: {
    version: '1.0',
    population: 'lab',
    lab_machine: 'i440fx-am53c974',
    kernel: { release: '6.1.0-41-amd64', series: '6.1', preemption: 'voluntary' },
    chipset: 'i440FX',
    firmware: 'bios',
    cpu: { vendor: 'AuthenticAMD', family: 15, model: 107, count: 2 },
    memory_mib: 768,
    iommu: false,
    crash_kernel_mib: 192,
    tools: { kexec: '2.0.25', makedumpfile: '1.7.2' },
    devices: [
      {
        bus: 'pci',
        address: '0000:00:04.0',
        vendor: '0x1022',
        device: '0x2020',
        subsystem_vendor: null,
        subsystem_device: null,
        class: '0x010000',
        revision: '0x00',
        driver: 'am53c974',
        build_id: null,
      },
    ],
    dump_target: ['0000:00:04.0'],
  },
};

const key = (digit: string) => digit.repeat(64);

export const log: LogData = {
  edition,
  origin: 'survey.example/log',
  verifier_key: 'survey.example/log+8b1ab9fd+AbdBVEwxVnGJ7ZzG0kgTBvvNwVVvM2xNvhQ2tJkuvG6e',
  checkpoint: {
    note: 'survey.example/log\n1412\nA0kzzpTYVjMnYNPlARBpcDB3jLd1IPuQ8fGcaPE+gfw=\n\n— survey.example/log ixa8ufTn9mhlZOpalgJQ9jXJyoam9E/AEaTkLi9v2YQYW2zlB8jFY3b4+CSZbmPEOC86Byfd/NHSjfyVUt5ryC5yygg=\n',
    signed_at: '2026-11-23T14:41:01.000Z',
    cosigners: ['one.example/w', 'two.example/w'],
  },
  entries: 1420,
  is_halted: false,
  decisions: [
    {
      log_index: 1400,
      admitted_at: '2026-11-23T14:00:00.000Z',
      kind: 'withdraw',
      row: {
        role: 'machine',
        key: key('a'),
        entries: [
          [3, 9],
          [12, 12],
        ],
      },
    },
    {
      log_index: 1300,
      admitted_at: '2026-11-23T13:00:00.000Z',
      kind: 'revoke',
      row: { role: 'machine', key: key('b'), from_index: 1200 },
    },
    {
      log_index: 900,
      admitted_at: '2026-11-22T13:00:00.000Z',
      kind: 'invite',
      row: { owner: key('c'), invited: key('d') },
    },
    {
      log_index: 800,
      admitted_at: '2026-11-21T13:00:00.000Z',
      kind: 'decision',
      by: 'operator',
      row: {
        action: 'quarantine',
        subject: { kind: 'agent_version', value: '0.0.9' },
        from_index: null,
        reason: 'its verifier takes truncated dumps for whole ones',
      },
    },
    {
      log_index: 0,
      admitted_at: '2026-11-20T13:00:00.000Z',
      kind: 'decision',
      by: 'rule',
      row: {
        action: 'reference',
        subject: { kind: 'owner', value: key('e') },
        from_index: null,
        reason: "configured as the survey's own",
      },
    },
  ],
  next: '/v1/decisions?before=0',
};
