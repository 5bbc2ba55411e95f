/**
 * What the agent refuses to crash, and why: one table, for `run` and for `doctor`. Pure. A machine that nothing is known
 * of is refused, never crashed on a guess.
 */
import { crashTypes } from '../../../schema/crash-type.ts';
import type { Mitigation, Scenario } from '../../../schema/scenario.ts';
import type { Mechanism } from '../../../schema/vocabulary.ts';
import type { Family } from '../../machine/distribution.ts';
import { offWord } from '../boot.ts';
import type { SafetyFacts, SafetyHistory } from './facts.ts';

export interface Refusal {
  readonly id: RefusalId;
  /** What is so, of this machine, in one sentence. */
  readonly why: string;
  /** Commands, or what to do in words. Empty where nothing but another scenario or another machine helps. */
  readonly fix: readonly string[];
}

/** What is about to be run. */
export interface PlannedTrial {
  readonly scenario: Pick<Scenario, 'crash_type' | 'load' | 'mitigation'>;
  readonly mechanism: Mechanism;
  /** The mechanism is disabled on purpose. */
  readonly control: boolean;
}

interface Found {
  readonly why: string;
  readonly fix: readonly string[];
}

interface Rule {
  readonly title: string;
  /** Whether `doctor` shows it, too: what depends on a scenario or on the moment is judged by `run` alone. */
  readonly scope: 'machine' | 'trial';
  /** Null where it has nothing against it. A rule about the machine does not look at the trial. */
  readonly find: (facts: SafetyFacts, trial: PlannedTrial, history: SafetyHistory) => Found | null;
}

/** No trial began before this: a clock that says so was never set. */
const clockFloorMs = Date.parse('2026-01-01T00:00:00Z');

const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
const list = (words: readonly string[]) => words.join(', ');

/** How dumps get to another place. Where that is, only the owner can say. */
const elsewhereOn: Readonly<Record<Family, readonly string[]>> = {
  debian: [
    'Let dumps go to a plain partition of a local disk: mount one, name a directory on it as KDUMP_COREDIR in /etc/default/kdump-tools, and leave NFS and SSH empty there. Then:',
    'kdump-config reload',
  ],
  fedora: [
    'Let dumps go to a plain partition of a local disk: in /etc/kdump.conf name it with its file system, such as "ext4 UUID=…", and have no nfs or ssh there. Then:',
    'kdumpctl restart',
  ],
  suse: [
    'Let dumps go to a plain partition of a local disk: mount one, and name a directory on it as KDUMP_SAVEDIR in /etc/sysconfig/kdump. Then:',
    'systemctl restart kdump.service',
  ],
};

function elsewhere({ family }: SafetyFacts): readonly string[] {
  return family === null ? ['Let kdump write to a plain partition of a local disk.'] : elsewhereOn[family];
}

const cutOff =
  'that may share the card: a capture kernel that resets it would cut off the only way to switch the machine on again.';

/** Kinds of layers that other machines may write to as well. */
const sharedKinds = ['iscsi', 'fc', 'nvme-of', 'nbd', 'drbd'];
/** File systems that several machines mount at once. */
const clusterTypes = ['gfs2', 'ocfs2', 'ceph', 'glusterfs', 'fuse.glusterfs', 'lustre', 'beegfs'];

/** What a real device might not survive. */
const labMitigations: readonly Mitigation[] = [
  'reset-param',
  'reset-flr',
  'reset-pm',
  'reset-bus',
  'restore',
  'hardened',
];

function layersOf({ target }: SafetyFacts, kinds: readonly string[]): string[] {
  return target.layers.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
}

/** The rules, in the order in which a person would want to hear of them. */
export const refusalRules = {
  consent: {
    title: 'the owner marked this machine as spare',
    scope: 'machine',
    find: ({ consent }) =>
      consent
        ? null
        : {
            why: 'The owner has not agreed that this machine may be crashed.',
            fix: ['dumpsurvey install --spare-machine'],
          },
  },
  off: {
    title: 'the kernel command line does not disable the survey',
    scope: 'machine',
    find: ({ commandLine }) =>
      commandLine.includes(offWord)
        ? {
            why: `The kernel was started with ${offWord}, which disables the agent.`,
            fix: [`Start without ${offWord} on the kernel command line.`],
          }
        : null,
  },
  battery: {
    title: 'the machine is fed from the mains',
    scope: 'machine',
    find: ({ onBattery }) =>
      onBattery === true
        ? {
            why: 'The machine runs on battery: it may be switched off in the middle of a dump.',
            fix: ['Plug the power supply in.'],
          }
        : null,
  },
  users: {
    title: 'nobody else is logged in',
    scope: 'trial',
    find: ({ otherSessionCount: count }) =>
      count === 0
        ? null
        : {
            why:
              count === null
                ? 'Whether somebody is logged in could not be found out.'
                : `${count} other session${count === 1 ? '' : 's'} of users would be lost.`,
            fix: [
              'loginctl list-sessions',
              'Wait until they have logged out; the next trial follows by itself.',
            ],
          },
  },
  arrays: {
    title: 'no array lacks a disk',
    scope: 'machine',
    find: ({ brokenArrays: broken }) =>
      broken.length === 0
        ? null
        : {
            why: `An array is not whole: ${list(broken)}. A crash may cost the rest of it.`,
            fix: ['cat /proc/mdstat', 'Replace the failed disk, and wait until the array is whole.'],
          },
  },
  'file-systems': {
    title: 'no file system has errors',
    scope: 'machine',
    find: ({ fileSystemFaults: faults }) =>
      faults.length === 0
        ? null
        : {
            why: `A file system is damaged: ${list(faults.map((f) => `${f.mountPoint} (${f.what})`))}.`,
            fix: ['Check it before anything else: reboot with fsck.mode=force on the kernel command line.'],
          },
  },
  encrypted: {
    title: 'the dump target is not encrypted',
    scope: 'machine',
    find: (facts) => {
      const names = layersOf(facts, ['crypt']);
      return names.length === 0
        ? null
        : {
            why: `The dump goes to ${list(names)}, which is encrypted (LUKS): the capture kernel would wait for its passphrase.`,
            fix: elsewhere(facts),
          };
    },
  },
  raid: {
    title: 'the dump target is on no software RAID',
    scope: 'machine',
    find: (facts) => {
      const names = layersOf(facts, ['md', 'dm-raid']);
      return names.length === 0
        ? null
        : {
            why: `The dump goes to ${list(names)}, a software RAID: a crash while it is written to may take its halves apart.`,
            fix: elsewhere(facts),
          };
    },
  },
  shared: {
    title: 'the dump target is shared with no other machine',
    scope: 'machine',
    find: (facts) => {
      const { mount } = facts.target;
      const names = layersOf(facts, sharedKinds);
      if (mount !== null && clusterTypes.includes(mount.type)) names.push(`${mount.point} (${mount.type})`);
      return names.length === 0
        ? null
        : {
            why: `The dump goes to ${list(names)}, which other machines can write to.`,
            fix: elsewhere(facts),
          };
    },
  },
  target: {
    title: 'it is known where dumps go',
    scope: 'machine',
    find: (facts) =>
      facts.target.fault === null
        ? null
        : {
            why: `Where the dump goes could not be followed to a device (${facts.target.origins[0]}): ${facts.target.fault}.`,
            fix: elsewhere(facts),
          },
  },
  bmc: {
    title: 'dumps go through no card that a management controller may share',
    scope: 'machine',
    find: (facts) =>
      facts.hasBmc && facts.target.interface !== null
        ? {
            why: `Dumps go over ${facts.target.interface}, and the machine has a management controller (BMC) ${cutOff}`,
            fix: elsewhere(facts),
          }
        : null,
  },
  'bmc-load': {
    title: 'no load on a card that a management controller may share',
    scope: 'trial',
    find: ({ hasBmc }, { scenario: { load } }) =>
      hasBmc && (load === 'net' || load === 'all')
        ? {
            why: `The load uses the network, and the machine has a management controller (BMC) ${cutOff}`,
            fix: [],
          }
        : null,
  },
  lockdown: {
    title: 'the kernel is not locked down',
    scope: 'machine',
    find: ({ lockdown }) =>
      lockdown === 'none' || lockdown === 'unknown'
        ? null
        : {
            why: `The kernel is locked down (${lockdown}): it loads no module of ours and refuses debugfs, which arms one.`,
            fix: [
              'Switch Secure Boot off in the firmware, or, to keep it: mokutil --disable-validation, then reboot.',
              'Take lockdown= off the kernel command line.',
            ],
          },
  },
  'crash-kernel': {
    title: 'a capture kernel is loaded',
    scope: 'trial',
    find: ({ isCrashKernelLoaded }, { control, mechanism }) =>
      isCrashKernelLoaded || control || mechanism !== 'kdump'
        ? null
        : { why: 'No capture kernel is loaded: nothing would be captured.', fix: ['dumpsurvey doctor'] },
  },
  space: {
    title: 'the dump target has room for a dump',
    scope: 'trial',
    find: ({ freeBytes, dumpBytes }, { control }) =>
      control || freeBytes === null || freeBytes >= dumpBytes
        ? null
        : {
            why: `The dump target has ${mib(freeBytes)} free, and a dump may need ${mib(dumpBytes)}.`,
            fix: ['Remove older dumps that were reported.'],
          },
  },
  clock: {
    title: 'the clock is set',
    scope: 'machine',
    find: ({ nowMs }) =>
      nowMs >= clockFloorMs
        ? null
        : {
            why: `The clock says ${new Date(nowMs).toISOString().slice(0, 10)}: the survey refuses reports from such a time.`,
            fix: ['timedatectl set-ntp true'],
          },
  },
  hang: {
    title: 'a watchdog is proven before anything hangs',
    scope: 'trial',
    find: (_, { scenario }, { watchdogProven }) =>
      crashTypes[scenario.crash_type].safety !== 'hangs' || watchdogProven
        ? null
        : {
            why: `${scenario.crash_type} may hang the machine, and no watchdog has proven that it brings it back.`,
            fix: ['dumpsurvey run'],
          },
  },
  corrupts: {
    title: 'nothing that may damage what reaches a disk',
    scope: 'trial',
    find: (_, { scenario }) =>
      crashTypes[scenario.crash_type].safety !== 'corrupts'
        ? null
        : {
            why: `${scenario.crash_type} may damage memory that later reaches a disk: it is run in the lab only.`,
            fix: [],
          },
  },
  mitigation: {
    title: 'no mitigation that touches devices by force',
    scope: 'trial',
    find: (_, { scenario: { mitigation } }) =>
      labMitigations.includes(mitigation)
        ? {
            why: `The mitigation ${mitigation} is run in the lab only: no list says yet which devices survive it.`,
            fix: [],
          }
        : null,
  },
  nvram: {
    title: 'nothing is written to the memory of the firmware',
    scope: 'trial',
    find: ({ keepsLogInFirmware, notifiersFirst }, { mechanism, control }) =>
      keepsLogInFirmware && (mechanism !== 'kdump' || control || notifiersFirst)
        ? {
            why: "A panic would write the kernel's log into the firmware's memory (NVRAM), which a real machine may not survive.",
            fix: ['Add efi_pstore.pstore_disable=1 and erst_disable to the kernel command line, and reboot.'],
          }
        : null,
  },
} as const satisfies Record<string, Rule>;
export type RefusalId = keyof typeof refusalRules;

/** Everything that speaks against this trial on this machine, in the order of the table; empty where it may be run. */
export function refusalsOf(facts: SafetyFacts, trial: PlannedTrial, history: SafetyHistory): Refusal[] {
  return (Object.entries(refusalRules) as [RefusalId, Rule][]).flatMap(([id, { find }]) => {
    const found = find(facts, trial, history);
    return found === null ? [] : [{ id, ...found }];
  });
}
