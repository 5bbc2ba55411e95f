/**
 * The lab's machine catalogue: controller × card × chipset × firmware × processors. Each row is a machine of the
 * survey, with a key of its own.
 */

/** A card on QEMU's user-mode network, which ends in QEMU: the gateway answers, and nothing else can be reached. */
export interface NetworkCard {
  readonly driver: string;
  readonly devices: readonly string[];
  readonly modules: readonly string[];
  readonly interface: string;
}

export interface LabMachine {
  /** The driver under test, as its name in sysfs. */
  readonly driver: string;
  /** QEMU's machine type. */
  readonly board: 'pc' | 'q35';
  /** QEMU's arguments for controller and disk; the drive is `disk0`. */
  readonly devices: readonly string[];
  /** Kernel modules that both kernels load, in this order. */
  readonly modules: readonly string[];
  /** The disk under test in the guest. */
  readonly disk: string;
  /** A network card beside the controller under test, and its modules. */
  readonly card?: NetworkCard;
  /** How many requests the controller really keeps in flight under this load, at least. */
  readonly inFlightMax: number;
}

const scsiDisk = ['-device', 'scsi-hd,drive=disk0,bus=hba.0'];
const virtio = ['virtio_pci'];

/** A SCSI host adapter with one disk. */
function scsi(
  model: string,
  driver: string,
  modules: readonly string[] = [driver],
): Omit<LabMachine, 'board'> {
  return {
    driver,
    devices: ['-device', `${model},id=hba`, ...scsiDisk],
    modules: [...modules, 'sd_mod'],
    disk: 'sda',
    inFlightMax: 8,
  };
}

const virtioBlk = {
  driver: 'virtio_blk',
  devices: ['-device', 'virtio-blk-pci,drive=disk0'],
  modules: [...virtio, 'virtio_blk'],
  disk: 'vda',
  inFlightMax: 8,
} as const;

const e1000 = {
  driver: 'e1000',
  devices: ['-netdev', 'user,id=net0,restrict=on', '-device', 'e1000,netdev=net0'],
  modules: ['e1000'],
  interface: 'eth0',
} as const satisfies NetworkCard;

const ahci = {
  driver: 'ahci',
  devices: ['-device', 'ide-hd,drive=disk0,bus=ide.0'],
  modules: ['ahci', 'sd_mod'],
  disk: 'sda',
  inFlightMax: 8,
} as const;

const nvme = {
  driver: 'nvme',
  devices: ['-device', 'nvme,drive=disk0,serial=lab'],
  modules: ['nvme'],
  disk: 'nvme0n1',
  inFlightMax: 8,
} as const;

/** The rows, by name: driver and board. */
export const labMachines = {
  'virtio_blk-pc': { board: 'pc', ...virtioBlk },
  'virtio_blk-q35': { board: 'q35', ...virtioBlk },
  'virtio_scsi-pc': { board: 'pc', ...scsi('virtio-scsi-pci', 'virtio_scsi', [...virtio, 'virtio_scsi']) },
  'ahci-q35': { board: 'q35', ...ahci },
  'ahci-e1000-q35': { board: 'q35', ...ahci, card: e1000 },
  'nvme-pc': { board: 'pc', ...nvme },
  'nvme-q35': { board: 'q35', ...nvme },
  'ata_piix-pc': {
    board: 'pc',
    driver: 'ata_piix',
    devices: ['-device', 'ide-hd,drive=disk0,bus=ide.0'],
    modules: ['ata_piix', 'sd_mod'],
    disk: 'sda',
    inFlightMax: 1,
  },
  'megaraid_sas-pc': { board: 'pc', ...scsi('megasas', 'megaraid_sas') },
  'sym53c8xx-pc': {
    board: 'pc',
    ...scsi('lsi53c895a', 'sym53c8xx'),
  },
  'am53c974-pc': {
    board: 'pc',
    ...scsi('am53c974', 'am53c974'),
    inFlightMax: 2,
  },
} as const satisfies Record<string, LabMachine>;
export type LabMachineName = keyof typeof labMachines;

/** The row with this name, or null. */
export function findMachine(name: string): LabMachine | null {
  return Object.hasOwn(labMachines, name) ? labMachines[name as LabMachineName] : null;
}

/** How every guest is built: memory, its part for the capture kernel, processors, disk, watchdog, throttle. */
export const build = {
  memoryMib: 512,
  crashKernelMib: 160,
  processors: 2,
  diskBytes: 1 << 30,
  /** Where on the disk under test the dump goes; the load writes behind it. */
  dumpAtBytes: 1 << 20,
  loadAtMib: 512,
  /** Requests a second while the load runs, so that requests stay in flight. */
  loadIops: 30,
  /** What has not noticed a crash after this time is said to have survived it: longer than an RCU stall takes. */
  patienceMs: 45_000,
  /** Far longer than a capture takes on a busy host: what it ends has hung. */
  watchdogMs: 90_000,
  /** Where the watchdog is to send an NMI to a kernel that hangs. */
  nmiAfterMs: 20_000,
} as const;
