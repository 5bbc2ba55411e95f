/**
 * Machines that are broken, each in a way of its own. Each runs a trial; then it is looked what the survey was told, and
 * whether the machine is back in service with the next trial going on, or was stopped with a message that says what is wrong.
 */
import type { Outcome } from '../../../schema/outcome.ts';
import type { Stage } from '../../../schema/vocabulary.ts';

/** What a broken machine came to. */
export interface Ending {
  /** What the survey has of the first trial; null where none was run. */
  readonly outcome: Outcome | null;
  /** The stages that beacons told of in that trial; none where it has no channel for them. */
  readonly seen: readonly Stage[];
  /** What the agent says comes next. */
  readonly next: string;
  /** Whether the machine is up, and answers. */
  readonly isUp: boolean;
}

export interface BrokenMachine {
  readonly name: string;
  /** How it is broken. The commands are run on a machine that is set up and idle. */
  readonly commands: readonly string[];
  /** It has a second disk, on another controller, that the capture kernel's beacons go to. */
  readonly beacons?: boolean;
  /** What is waited for: a report, or that the agent stops. */
  readonly until: 'report' | 'stop';
  /** The scenario that is to come second; without one the first decides. */
  readonly second?: string;
  /** In what the ending is not what the evidence allows to say. Empty where it is. */
  readonly judge: (ending: Ending) => readonly string[];
}

/** Adds words to the capture kernel's command line, and loads it again. */
const captureWords = (words: string) => [
  `echo 'KDUMP_CMDLINE_APPEND="reset_devices systemd.unit=kdump-tools-dump.service nr_cpus=1 irqpoll usbcore.nousb ${words}"' >> /etc/default/kdump-tools`,
  'kdump-config unload && kdump-config load',
];

/** A failure that was not captured, at a stage that is left open exactly between these two. */
function failedBetween(
  { outcome, isUp }: Ending,
  proven: readonly Outcome['reached']['proven'][],
  excluded: readonly Outcome['reached']['excluded'][],
): string[] {
  if (outcome === null) return ['no report'];
  const { reached, result } = outcome;
  return [
    ...(result === 'failed' ? [] : [`${result}, not failed`]),
    ...(proven.includes(reached.proven) ? [] : [`${reached.proven} is said to be proven`]),
    ...(excluded.includes(reached.excluded) ? [] : [`${reached.excluded} is said to be excluded`]),
    ...(isUp ? [] : ['the machine is not back']),
  ];
}

const saysWhy = ({ next, outcome, isUp }: Ending, why: RegExp): string[] => [
  ...(why.test(next) ? [] : [`it does not say why it stopped: ${next}`]),
  ...(outcome === null ? [] : ['a trial was run all the same']),
  ...(isUp ? [] : ['the machine is not up']),
];

export const brokenMachines: readonly BrokenMachine[] = [
  {
    name: 'kdump is not loaded',
    commands: ['systemctl disable kdump-tools', 'kdump-config unload'],
    until: 'stop',
    judge: (ending) => saysWhy(ending, /no capture kernel is loaded/i),
  },
  {
    name: 'the dump target is full',
    // It fills up between the arming and the dump: what is full before is refused. 8 MiB are left, and the 16 MiB that ext4
    // counts as free and gives to nobody.
    commands: [
      `cat >> /etc/default/kdump-tools <<'END'
if [ -s /proc/vmcore ]; then fallocate -l "$(($(stat -f -c %f /var/crash) * 4 - 24576))K" /var/crash/ballast; fi
END`,
      'kdump-config unload && kdump-config load',
    ],
    until: 'report',
    judge: (ending) => [
      ...failedBetween(ending, ['target_ready'], ['dump_written']),
      ...(ending.outcome?.cause === 'resource' ? [] : [`cause ${ending.outcome?.cause}, not resource`]),
    ],
  },
  {
    name: 'the dump target is missing',
    // The capture kernel has no driver for the disk.
    commands: captureWords('modprobe.blacklist=virtio_blk panic=10'),
    until: 'report',
    judge: (ending) => failedBetween(ending, [null, 'armed'], ['dump_written']),
  },
  {
    name: 'nothing: a second disk is told of a capture',
    commands: [],
    beacons: true,
    until: 'report',
    judge: ({ outcome, seen, isUp }) => [
      ...(outcome?.result === 'captured' ? [] : [`${outcome?.result ?? 'no report'}, not captured`]),
      ...(String(seen) === 'capture_booted,target_ready' ? [] : [`the beacons told of ${seen}`]),
      ...(isUp ? [] : ['the machine is not back']),
    ],
  },
  {
    name: 'the dump target is missing, and a second disk is told of it',
    commands: captureWords('modprobe.blacklist=virtio_blk panic=10'),
    beacons: true,
    until: 'report',
    judge: (ending) => failedBetween(ending, ['capture_booted'], ['target_ready']),
  },
  {
    name: 'the capture kernel runs out of memory',
    // Of 128 MiB, 88 are huge pages before anything else has begun.
    commands: captureWords('hugepages=44 panic=10'),
    until: 'report',
    judge: (ending) => failedBetween(ending, [null, 'armed', 'target_ready'], ['dump_written']),
  },
  {
    name: 'the boot loops',
    commands: [
      `cat > /etc/systemd/system/loop.service <<'END'
[Service]
ExecStart=/bin/sh -c 'sleep 20; test -e /root/cured || reboot -f'
[Install]
WantedBy=multi-user.target
END
systemctl enable loop.service`,
      'sync; (sleep 2; reboot -f) &',
    ],
    until: 'stop',
    judge: (ending) => saysWhy(ending, /started \d+ times/),
  },
  {
    name: 'the capture kernel hangs',
    // The first program of its user space waits for a key, for ever.
    commands: captureWords('rdinit=/usr/bin/cat'),
    until: 'report',
    judge: (ending) => [
      ...failedBetween(ending, [null, 'armed'], ['dump_written']),
      ...(ending.outcome?.recovery === 'watchdog' ? [] : [`recovery ${ending.outcome?.recovery}`]),
    ],
  },
  {
    name: 'the crash is never detected',
    commands: [],
    until: 'report',
    second: 'direct/loop-irqoff/disk/distribution',
    judge: (ending) => [
      ...failedBetween(ending, [null, 'armed', 'fired'], ['detected', 'dump_written']),
      ...(ending.outcome?.recovery === 'watchdog' ? [] : [`recovery ${ending.outcome?.recovery}`]),
    ],
  },
];
