/**
 * Beacons, as the agent sets them up before a trial and reads them after it. A channel that showed nothing proves
 * nothing, unless it is known to have worked: beacons are independent of the dump target, not of everything.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Evidence, Sighting } from '../../../schema/evidence.ts';
import type { Stage } from '../../../schema/vocabulary.ts';
import { Advice } from '../../advice.ts';
import type { SystemTree } from '../../machine/tree.ts';
import {
  armedSlotLine,
  type Beacon,
  beaconLine,
  beaconsOf,
  slotBytes,
  slotCount,
  slotMagic,
  stageOf,
} from '../beacon/slots.ts';
import type { BeaconChannel } from '../settings.ts';

/** What the beacons of a trial say. */
export interface BeaconFinding {
  readonly channel: Evidence['channel'];
  /** The capture environment said that it resets the machine next. */
  readonly saidRebooting: boolean;
}

const nothing: BeaconFinding = { channel: { name: 'none', could_see: [], saw: [] }, saidRebooting: false };

/** The text of each slot, without what fills it up. */
async function slotsOf(path: string): Promise<string[] | null> {
  try {
    const handle = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(slotBytes * slotCount);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return Array.from({ length: Math.floor(bytesRead / slotBytes) }, (_, i) =>
        bytes
          .subarray(i * slotBytes, (i + 1) * slotBytes)
          .toString('latin1')
          .split(/[\0\n]/, 1)
          .join(''),
      );
    } finally {
      await handle.close();
    }
  } catch {
    return null;
  }
}

/** Writes the slots from the first on, the rest as zeros, durably. */
async function writeSlots(path: string, lines: readonly string[]): Promise<void> {
  const bytes = Buffer.alloc(slotBytes * slotCount);
  lines.forEach((line, i) => {
    bytes.write(`${line}\n`, i * slotBytes, 'latin1');
  });
  const handle = await open(path, constants.O_WRONLY);
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** So much of a partition must be zeros before it is taken: file systems, RAID and LVM have their marks there. */
const emptyBytes = 1 << 20;

/**
 * Marks a partition as the agent's own. Throws Advice where it holds anything: beacons overwrite its start. Marked
 * already, it is left as it is.
 */
export async function markBeaconDisk(path: string): Promise<void> {
  const fail = (why: string): never => {
    throw new Advice(`${path} was not taken for beacons: ${why}.`, [
      `Name a partition that holds nothing, and clear its start yourself: wipefs -a ${path}; dd if=/dev/zero of=${path} bs=1M count=1`,
    ]);
  };
  const slots = await slotsOf(path);
  if (slots === null || slots.length < slotCount) return fail('it cannot be read, or is too small');
  if (slots[0]?.startsWith(`${slotMagic} 1 `)) return;
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(emptyBytes);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
    if (bytes.subarray(0, bytesRead).some((byte) => byte !== 0)) fail('it is not empty');
  } finally {
    await handle.close();
  }
  await writeSlots(path, [armedSlotLine(null)]);
}

const pmsg = '/dev/pmsg0';

/**
 * Names the trial on the channel, before it is armed: the capture kernel finds the nonce there. Rejects where that cannot
 * be done; then the trial must not be armed as an instrumented one. `root` is `/` but in tests.
 */
export async function armBeacon(channel: BeaconChannel, nonce: string, root = '/'): Promise<void> {
  if (channel.kind === 'none') return;
  if (channel.kind === 'ramoops') {
    const handle = await open(join(root, pmsg), constants.O_WRONLY).catch(() => {
      throw new Advice(`${pmsg} is not there: this kernel has no ramoops, or none with pmsg.`, [
        'grep PSTORE_PMSG /boot/config-$(uname -r)',
        'Choose another channel: dumpsurvey install --spare-machine --beacon none',
      ]);
    });
    await handle.write(`${armedSlotLine(nonce)}\n`).finally(() => handle.close());
    return;
  }
  const path = join(root, channel.device);
  const [first = ''] = (await slotsOf(path)) ?? [];
  if (!first.startsWith(`${slotMagic} 1 `)) {
    throw new Advice(`${channel.device} is not marked as a beacon partition; nothing was written to it.`, [
      `dumpsurvey install --spare-machine --beacon ${channel.device}`,
    ]);
  }
  await writeSlots(path, [armedSlotLine(nonce)]);
}

/** Where pmsg's last contents are found: in pstore, or where systemd-pstore puts them at the start. */
function pmsgLines(tree: SystemTree): string[] {
  const kept = '/var/lib/systemd/pstore';
  const places = ['/sys/fs/pstore', kept, ...tree.list(kept).map((name) => `${kept}/${name}`)];
  return places.flatMap((place) =>
    tree
      .list(place)
      .filter((name) => /^pmsg-ramoops-\d+$/.test(name))
      .flatMap((name) => (tree.read(`${place}/${name}`) ?? '').slice(-64_000).split('\n')),
  );
}

/** The stages that beacons of these steps would have shown: those that the environment tells of at all. */
const tellable: readonly Stage[] = ['capture_booted', 'target_ready', 'dump_written'];

/** From beacons to what the channel saw, and could have seen. */
function findingOf(
  name: Evidence['channel']['name'],
  nonce: string,
  beacons: readonly Beacon[],
  told: readonly Stage[],
  isProven: boolean,
): BeaconFinding {
  const saw: Sighting[] = beacons.flatMap((beacon) => {
    const stage = stageOf(beacon);
    // Nobody kept the time: 0 stands for none.
    return stage === null ? [] : [{ stage, at_ms: 0, line: beaconLine(nonce, beacon) }];
  });
  const worked = isProven || beacons.length > 0;
  return {
    channel: { name, could_see: worked ? [...told] : [], saw },
    saidRebooting: beacons.some(({ step, outcome }) => step === 'rebooting' && outcome === 'success'),
  };
}

export interface BeaconReading {
  readonly tree: SystemTree;
  readonly root: string;
  /** The stages that this distribution's environment tells of; all where it is left out. */
  readonly told?: readonly Stage[];
  /**
   * An earlier trial on this machine showed beacons on this channel. Memory then is known to work, and silence means
   * something; a disk may be what failed this time, so its silence never does.
   */
  readonly isProven?: boolean;
}

/** What the beacons of a trial say. Never rejects: a channel that cannot be read shows nothing. */
export async function readBeacons(
  channel: BeaconChannel,
  nonce: string,
  { tree, root, told = tellable, isProven = false }: BeaconReading,
): Promise<BeaconFinding> {
  if (channel.kind === 'none') return nothing;
  if (channel.kind === 'ramoops') {
    const lines = pmsgLines(tree);
    const beacons = beaconsOf(nonce, lines);
    // Memory that lost its contents over the reset would have lost the agent's own line, too.
    const survived = lines.includes(armedSlotLine(nonce));
    return findingOf('ramoops', nonce, beacons, told, isProven && survived);
  }
  const slots = (await slotsOf(join(root, channel.device))) ?? [];
  if (slots[0] !== armedSlotLine(nonce)) return findingOf('disk', nonce, [], told, false);
  return findingOf('disk', nonce, beaconsOf(nonce, slots.slice(1)), told, false);
}
