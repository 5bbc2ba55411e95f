/** What the figures depend on. */
import { cpus, loadavg, release, totalmem } from 'node:os';
import { run } from '../../agent/run.ts';

/** The host in a few lines, with the date. */
export async function describeHost(): Promise<string[]> {
  const qemu = await run(['qemu-system-x86_64', '--version']).catch(() => 'no QEMU');
  const load = loadavg().map((value) => value.toFixed(2));
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Processor: ${cpus()[0]?.model.trim() ?? 'unknown'}, ${cpus().length} cores; ${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    `Linux ${release()}, Node ${process.versions.node}, ${qemu.split('\n')[0]}`,
    `Load average when it began: ${load.join(', ')}`,
  ];
}
