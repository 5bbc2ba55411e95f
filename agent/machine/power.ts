/** What feeds the machine, from /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power). */
import type { SystemTree } from './tree.ts';

/** Whether it runs on battery; null where it has none. Batteries of mice and the like (scope `Device`) are not the machine's. */
export function onBattery(tree: SystemTree): boolean | null {
  const root = '/sys/class/power_supply';
  const supplies = tree.list(root).map((name) => {
    const field = (file: string) => tree.read(`${root}/${name}/${file}`)?.trim() ?? null;
    return { type: field('type'), scope: field('scope'), online: field('online'), status: field('status') };
  });
  const own = supplies.filter(({ scope }) => scope !== 'Device');
  const batteries = own.filter(({ type }) => type === 'Battery' || type === 'UPS');
  if (batteries.length === 0) return null;
  const lines = own.filter(({ type, online }) => type !== 'Battery' && type !== 'UPS' && online !== null);
  if (lines.some(({ online }) => online !== '0')) return false;
  return lines.length > 0 || batteries.some(({ status }) => status === 'Discharging');
}
