/** The plan of a campaign: which machine runs which scenario, in which order. Pure. */
import { crashPoints } from '../../schema/crash-point.ts';
import { findScenario, type ScenarioSet } from '../../schema/scenario.ts';
import { findMachine, type LabMachine, type LabMachineName, labMachines } from './machines.ts';

export interface PlanItem {
  readonly ordinal: number;
  readonly machine: LabMachineName;
  readonly set: ScenarioSet;
  readonly scenario: string;
}

interface Round {
  readonly set: ScenarioSet;
  readonly scenario: string;
  /** The machines that run it; all that can where it is left out. */
  readonly machines?: readonly LabMachineName[];
}

/**
 * Scenarios in the order in which they widen the survey. Those that hang cost a minute each on every machine and
 * say more about detection than about devices: few machines run them.
 */
const rounds: readonly Round[] = [
  { set: 'lab/1', scenario: 'timer/exception/disk/none' },
  { set: 'standard/1', scenario: 'timer/exception/disk/none', machines: ['ata_piix-pc'] },
  { set: 'standard/1', scenario: 'direct/loop-irqoff/disk/none', machines: ['virtio_blk-pc', 'nvme-q35'] },
  {
    set: 'standard/1',
    scenario: 'tasklet/panic/disk/none',
    machines: ['am53c974-pc', 'sym53c8xx-pc', 'nvme-pc', 'ahci-q35'],
  },
  { set: 'lab/1', scenario: 'irq-handler/panic/disk/none' },
  { set: 'standard/1', scenario: 'direct/panic/disk/none' },
  { set: 'lab/1', scenario: 'block-submit/bug/disk/none' },
  { set: 'standard/1', scenario: 'block-dispatch/exception/disk/none' },
  {
    set: 'standard/1',
    scenario: 'direct/panic/idle/none',
    machines: ['am53c974-pc', 'sym53c8xx-pc', 'virtio_blk-pc'],
  },
  {
    set: 'lab/1',
    scenario: 'direct/stack-overflow/disk/none',
    machines: ['virtio_blk-pc', 'ahci-q35'],
  },
  { set: 'lab/1', scenario: 'direct/loop/disk/none', machines: ['virtio_scsi-pc'] },
  {
    set: 'contexts/1',
    scenario: 'nmi/exception/disk/none',
    machines: ['am53c974-pc', 'virtio_blk-pc', 'ahci-q35', 'nvme-q35', 'megaraid_sas-pc'],
  },
  {
    set: 'contexts/1',
    scenario: 'irq-entry/exception/disk/none',
    machines: ['am53c974-pc', 'sym53c8xx-pc', 'virtio_scsi-pc', 'nvme-pc'],
  },
  {
    set: 'scsi/1',
    scenario: 'scsi-dispatch/exception/disk/none',
    machines: ['sym53c8xx-pc', 'megaraid_sas-pc'],
  },
  { set: 'ata/1', scenario: 'ata-ioctl/exception/disk/none', machines: ['ahci-q35', 'ata_piix-pc'] },
  { set: 'net/1', scenario: 'net-poll/exception/net/none', machines: ['ahci-e1000-q35'] },
  { set: 'contexts/1', scenario: 'threaded-irq/exception/disk/none', machines: ['virtio_blk-q35'] },
  { set: 'contexts/1', scenario: 'direct/hung-task/disk/none', machines: ['virtio_blk-pc'] },
];

/**
 * Machines that tend to fail come first, so that a campaign that is cut short has seen them. The one with a network
 * card differs from another in that alone: it runs only what needs the card.
 */
const order: readonly LabMachineName[] = [
  'am53c974-pc',
  'virtio_blk-pc',
  'ahci-q35',
  'nvme-pc',
  'sym53c8xx-pc',
  'virtio_scsi-pc',
  'megaraid_sas-pc',
  'ata_piix-pc',
  'virtio_blk-q35',
  'nvme-q35',
];

const ataDrivers: readonly string[] = ['ahci', 'ata_piix'];

/** Why a machine cannot meet a scenario, or null where it can. */
export function unmet(machine: LabMachineName, set: ScenarioSet, scenario: string): string | null {
  const wanted = findScenario(set, scenario);
  if (wanted === null) return `${set} has no scenario ${scenario}`;
  const { inFlightMax, card, disk, driver }: LabMachine = labMachines[machine];
  const { crash_point } = wanted;
  if (crashPoints[crash_point].needs === 'interface' && !card) return `${machine} has no network card`;
  if (crash_point === 'scsi-dispatch' && !disk.startsWith('sd'))
    return `${disk} of ${machine} is no SCSI disk`;
  if (crash_point === 'ata-ioctl' && !ataDrivers.includes(driver))
    return `${driver} of ${machine} is not of libata`;
  // The request that is being dispatched is not yet in flight.
  const needed = wanted.in_flight_min + (wanted.crash_point === 'block-dispatch' ? 1 : 0);
  if (needed <= inFlightMax) return null;
  return `${machine} keeps at most ${inFlightMax} requests in flight; ${scenario} needs ${needed}`;
}

/** The first `most` trials of the standing campaign. */
export function campaignPlan(most = Number.POSITIVE_INFINITY): PlanItem[] {
  const items = rounds.flatMap(({ set, scenario, machines = order }) =>
    machines
      .filter((machine) => unmet(machine, set, scenario) === null)
      .map((machine) => ({ machine, set, scenario })),
  );
  return items.slice(0, most).map((item, ordinal) => ({ ordinal, ...item }));
}

/** A machine's name as the catalogue has it, or null. */
export function machineNamed(name: string): LabMachineName | null {
  return findMachine(name) === null ? null : (name as LabMachineName);
}
