/** The plan of a campaign: which machine runs which scenario, in which order. Pure. */
import { findScenario, type ScenarioSet } from '../../schema/scenario.ts';
import { findMachine, type LabMachineName, labMachines } from './machines.ts';

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
];

/** Machines that tend to fail come first, so that a campaign that is cut short has seen them. */
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

/** Why a machine cannot meet a scenario, or null where it can. */
export function unmet(machine: LabMachineName, set: ScenarioSet, scenario: string): string | null {
  const wanted = findScenario(set, scenario);
  if (wanted === null) return `${set} has no scenario ${scenario}`;
  const { inFlightMax } = labMachines[machine];
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
