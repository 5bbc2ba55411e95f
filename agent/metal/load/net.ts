/** The network load: packets to the gateway and back, through whatever card the default route uses. */
import type { SystemTree } from '../../machine/tree.ts';
import { type Load, type LoadPlace, together } from './load.ts';

const defaultRoute = '00000000';

/** The gateway of the default route in /proc/net/route (IPv4, little-endian), or null. */
export function gatewayOf(tree: SystemTree): string | null {
  for (const line of (tree.read('/proc/net/route') ?? '').split('\n').slice(1)) {
    const [, destination = '', gateway = ''] = line.split(/\s+/);
    if (destination !== defaultRoute || !/^[0-9A-F]{8}$/.test(gateway) || gateway === defaultRoute) continue;
    const bytes = gateway.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];
    return bytes.toReversed().join('.');
  }
  return null;
}

export function netLoad({ system: { start, tree } }: LoadPlace): Load {
  return {
    start: async () => {
      const gateway = gatewayOf(tree);
      if (gateway === null) throw new Error('there is no default route: no peer to send packets to');
      const ping = ['-q', '-i', '0.01', '-s', '1400', gateway];
      return together(
        'ping, 4 senders',
        Array.from({ length: 4 }, () => start('ping', ping)),
      );
    },
  };
}
