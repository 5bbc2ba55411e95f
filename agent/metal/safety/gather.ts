/** Gathers what the refusals are judged by. Reads, and asks programs that only report; nothing is changed. */
import { basename } from 'node:path';
import { allDevices } from '../../machine/devices.ts';
import { distributionOf } from '../../machine/distribution.ts';
import { dumpBytes } from '../../machine/dump-size.ts';
import { lockdown } from '../../machine/kernel.ts';
import { onBattery } from '../../machine/power.ts';
import { otherSessionCount } from '../../machine/sessions.ts';
import { brokenArrays, brokenMapperArrays, fileSystemFaults } from '../../machine/storage-health.ts';
import { type DumpTarget, dumpTarget } from '../../machine/target.ts';
import type { SystemTree } from '../../machine/tree.ts';
import { isCrashKernelLoaded } from '../boot.ts';
import type { Programs } from '../programs.ts';
import type { MetalSettings } from '../settings.ts';
import type { SafetyFacts } from './facts.ts';

/** Bytes that are free where dumps go; null where this machine cannot tell. */
async function freeBytes(tree: SystemTree, programs: Programs, target: DumpTarget): Promise<number | null> {
  if (target.place.kind === 'raw') {
    const sectors = tree.read(`/sys/class/block/${basename(target.place.device)}/size`);
    return sectors === null ? null : Number(sectors.trim()) * 512;
  }
  if (target.mount === null) return null;
  const { code, stdout } = await programs('df', ['-B1', '--output=avail', target.mount.point]);
  const free = /^\s*(\d+)\s*$/m.exec(stdout)?.[1];
  return code === 0 && free !== undefined ? Number(free) : null;
}

/** A management controller: a driver that talks to one, a device of one, or SMBIOS type 38, which describes one. */
function hasBmc(tree: SystemTree): boolean {
  const devices = tree.list('/sys/bus/platform/devices');
  return (
    tree.list('/sys/class/ipmi').length > 0 ||
    devices.some((name) => /^(dmi-ipmi-|IPI0001:|ipmi_)/.test(name)) ||
    tree.list('/sys/firmware/dmi/entries').includes('38-0')
  );
}

/** Of the backends of pstore these two write to memory of the firmware (fs/pstore, drivers/acpi/apei/erst.c). */
const firmwareBackends = ['efi', 'efi_pstore', 'erst'];

/** The facts of this machine at this moment. `consent`: whether the owner's consent holds. */
export async function safetyFacts(
  tree: SystemTree,
  programs: Programs,
  settings: Pick<MetalSettings, 'dump_disk'> | null,
  { consent, nowMs }: Pick<SafetyFacts, 'consent' | 'nowMs'>,
): Promise<SafetyFacts> {
  const { family } = distributionOf(tree);
  const target = dumpTarget(tree, family, allDevices(tree), settings?.dump_disk ?? null);
  const raids = await programs('dmsetup', ['status', '--target', 'raid']);
  const parameter = (file: string) => tree.read(`/sys/module/${file}`)?.trim() ?? '';
  return {
    family,
    consent,
    commandLine: (tree.read('/proc/cmdline') ?? '').split(/\s+/).filter((word) => word !== ''),
    nowMs,
    onBattery: onBattery(tree),
    otherSessionCount: await otherSessionCount(tree, programs),
    brokenArrays: [...brokenArrays(tree), ...(raids.code === 0 ? brokenMapperArrays(raids.stdout) : [])],
    fileSystemFaults: fileSystemFaults(tree),
    target,
    hasBmc: hasBmc(tree),
    lockdown: lockdown(tree),
    isCrashKernelLoaded: isCrashKernelLoaded(tree),
    keepsLogInFirmware: firmwareBackends.includes(parameter('pstore/parameters/backend')),
    notifiersFirst: /^[Y1]$/.test(parameter('kernel/parameters/crash_kexec_post_notifiers')),
    freeBytes: await freeBytes(tree, programs, target),
    dumpBytes: dumpBytes(tree, family),
  };
}
