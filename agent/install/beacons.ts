/** The part of an installation that makes the capture environment tell beacons. */
import { Advice } from '../advice.ts';
import { distributionOf } from '../machine/distribution.ts';
import type { SystemTree } from '../machine/tree.ts';
import { type BeaconInstall, beaconInstall } from '../metal/beacon/install.ts';
import { slotBytes, slotCount, slotMagic } from '../metal/beacon/slots.ts';
import { markBeaconDisk } from '../metal/evidence/beacon.ts';
import type { BeaconChannel } from '../metal/settings.ts';
import type { Step } from './steps.ts';

/**
 * What the capture environment of this system needs for a channel. Throws Advice where it can have none, or where its
 * owner has to set something first.
 */
export function beaconParts(tree: SystemTree, channel: BeaconChannel): BeaconInstall {
  const { family } = distributionOf(tree);
  if (family === null) {
    if (channel.kind === 'none') return { hooks: [], settings: [], hooksCommand: null };
    throw new Advice("The agent knows no way to have this distribution's capture environment tell beacons.", [
      'dumpsurvey install --beacon none',
    ]);
  }
  const parts = beaconInstall(family, channel);
  const missing = parts.settings.filter(
    ({ file, name, value }) => !(tree.read(file) ?? '').split('\n').includes(`${name}="${value}"`),
  );
  if (missing.length === 0) return parts;
  throw new Advice(
    `Beacons need settings in ${[...new Set(missing.map(({ file }) => file))].join(', ')}, which is yours. Set these, and install again:`,
    missing.map(({ name, value }) => `${name}="${value}"`),
  );
}

/** Clears a partition, if it is marked: the undoing is written down before the marking, which may be refused. */
function clearing(device: string): string {
  const start = `head -c ${slotMagic.length} ${device} | tr -d '\\0'`;
  const clear = `dd if=/dev/zero of=${device} bs=${slotBytes} count=${slotCount} conv=notrunc`;
  return `[ "$(${start})" != ${slotMagic} ] || ${clear}`;
}

/** Marks a beacon partition as the agent's, and clears the mark at the end. Comes before whatever tells beacons. */
export function beaconDiskSteps(channel: BeaconChannel): Step[] {
  if (channel.kind !== 'disk') return [];
  const { device } = channel;
  return [
    {
      kind: 'program',
      command: null,
      undo: ['sh', '-c', clearing(device)],
      why: 'clears what the agent wrote to the beacon partition',
      mayFail: false,
    },
    { kind: 'state', path: device, write: () => markBeaconDisk(device) },
  ];
}
