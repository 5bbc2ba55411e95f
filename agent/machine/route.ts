/** Which network interface leads to a host, by the kernel's own tables (/proc/net/route, /proc/net/ipv6_route). Nothing is asked of a network. */
import { isIPv4, isIPv6 } from 'node:net';
import type { SystemTree } from './tree.ts';

/** A route: the first `bits` bits of `prefix` lead to an interface. */
interface Route {
  readonly interface: string;
  readonly prefix: bigint;
  readonly bits: number;
  readonly metric: number;
}

const isUp = (flags: number) => (flags & 0x1) !== 0;
const isReject = (flags: number) => (flags & 0x200) !== 0;

function ones(mask: bigint): number {
  return mask.toString(2).replaceAll('0', '').length;
}

/** /proc/net/route writes addresses in the machine's own byte order: on all that the agent runs on, the lowest byte first. */
function swapped(hex: string): bigint {
  return BigInt(`0x${(hex.match(/../g) ?? []).toReversed().join('') || '0'}`);
}

function routes4(tree: SystemTree): Route[] {
  const lines = (tree.read('/proc/net/route') ?? '').split('\n').slice(1);
  return lines.flatMap((line) => {
    const [name, destination, , flags, , , metric, mask] = line.trim().split(/\s+/);
    if (!name || !/^[0-9A-F]{8}$/i.test(destination ?? '') || !/^[0-9A-F]{8}$/i.test(mask ?? '')) return [];
    const bits = Number.parseInt(flags ?? '', 16);
    if (!isUp(bits) || isReject(bits)) return [];
    return [
      {
        interface: name,
        prefix: swapped(destination ?? ''),
        bits: ones(swapped(mask ?? '')),
        metric: Number(metric),
      },
    ];
  });
}

function routes6(tree: SystemTree): Route[] {
  return (tree.read('/proc/net/ipv6_route') ?? '').split('\n').flatMap((line) => {
    const [destination, bits, , , , metric, , , flags, name] = line.trim().split(/\s+/);
    if (!name || name === 'lo' || !/^[0-9a-f]{32}$/.test(destination ?? '')) return [];
    const flagBits = Number.parseInt(flags ?? '', 16);
    if (!isUp(flagBits) || isReject(flagBits)) return [];
    return [
      {
        interface: name,
        prefix: BigInt(`0x${destination}`),
        bits: Number.parseInt(bits ?? '', 16),
        metric: Number.parseInt(metric ?? '', 16),
      },
    ];
  });
}

function number4(address: string): bigint {
  return address.split('.').reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function number6(address: string): bigint {
  const [plain = ''] = address.split('%');
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(plain);
  const tail = dotted?.[2] === undefined ? null : number4(dotted[2]);
  const text =
    tail === null ? plain : `${dotted?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [left = '', right] = text.split('::');
  const words = (part: string | undefined) => (part ? part.split(':') : []);
  const zeros = right === undefined ? 0 : 8 - words(left).length - words(right).length;
  const all = [...words(left), ...Array<string>(Math.max(0, zeros)).fill('0'), ...words(right)];
  return all.reduce((sum, word) => (sum << 16n) | BigInt(`0x${word || '0'}`), 0n);
}

/** The best of the routes: the longest prefix that fits, then the lowest metric. */
function best(routes: readonly Route[], address: bigint, width: 32 | 128): string | null {
  let found: Route | null = null;
  for (const route of routes) {
    const shift = BigInt(width - route.bits);
    if (address >> shift !== route.prefix >> shift) continue;
    const isBetter =
      found === null || route.bits > found.bits || (route.bits === found.bits && route.metric < found.metric);
    if (isBetter) found = route;
  }
  return found?.interface ?? null;
}

/** The address that /etc/hosts gives a name, or null. */
function inHosts(tree: SystemTree, name: string): string | null {
  for (const line of (tree.read('/etc/hosts') ?? '').split('\n')) {
    const [address, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    if (address && names.includes(name)) return address;
  }
  return null;
}

/**
 * The interface that leads to a host, or null. A name that /etc/hosts does not know is not looked up: it is taken to lie
 * behind the default route, which is where names are looked up, too.
 */
export function interfaceTo(tree: SystemTree, host: string): string | null {
  const address = isIPv4(host) || isIPv6(host.split('%')[0] ?? '') ? host : inHosts(tree, host);
  if (address?.includes('%')) return address.split('%')[1] ?? null;
  if (address !== null && isIPv4(address)) return best(routes4(tree), number4(address), 32);
  if (address !== null && isIPv6(address)) return best(routes6(tree), number6(address), 128);
  const isDefault = ({ bits }: Route) => bits === 0;
  return best(routes4(tree).filter(isDefault), 0n, 32) ?? best(routes6(tree).filter(isDefault), 0n, 128);
}
