/** The memory load: reclaim. With stress-ng where it is installed, else by reading more than the page cache holds. */
import { isInstalled, type Load, type LoadPlace, together } from './load.ts';

export function memoryLoad({ system: { programs, start, tree } }: LoadPlace): Load {
  return {
    start: async () => {
      if (await isInstalled(programs, 'stress-ng'))
        return together('stress-ng, 90 % of memory', [
          start('stress-ng', ['--vm', '2', '--vm-bytes', '90%', '--vm-keep', '--timeout', '86400']),
        ]);
      const disk = tree.list('/sys/block').find((name) => !/^(loop|ram|zram|sr|fd)/.test(name));
      if (disk === undefined) throw new Error('no disk is there to be read, and stress-ng is not installed');
      const script = 'while kill -0 "$PPID" && dd if="$1" of=/dev/null bs=1M 2>/dev/null; do :; done';
      return together(`dd from ${disk}`, [start('sh', ['-c', script, 'sh', `/dev/${disk}`])]);
    },
  };
}
