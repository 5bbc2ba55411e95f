/** The processor load: all of them busy. With stress-ng where it is installed, else with shells that do nothing. */
import { isInstalled, type Load, type LoadPlace, together } from './load.ts';

export function cpuLoad({ system: { programs, start, tree } }: LoadPlace): Load {
  return {
    start: async () => {
      if (await isInstalled(programs, 'stress-ng'))
        return together('stress-ng, all processors', [
          start('stress-ng', ['--cpu', '0', '--timeout', '86400']),
        ]);
      const count = Math.max(1, [...(tree.read('/proc/cpuinfo') ?? '').matchAll(/^processor\s*:/gm)].length);
      const loops = Array.from({ length: count }, () =>
        start('sh', ['-c', 'while kill -0 "$PPID"; do :; done']),
      );
      return together(`${count} busy shells`, loops);
    },
  };
}
