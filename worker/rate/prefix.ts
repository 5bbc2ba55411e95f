/** The network that an address belongs to, as far as limits ask: what one customer commonly has. */

/** What cannot be understood is counted together. */
export const unknownPrefix = 'unknown';

const dotted = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.\d{1,3}$/;

function ofIPv4(address: string): string | null {
  const octets = dotted.exec(address)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return null;
  return `${octets.join('.')}.0/24`;
}

/** The eight groups of an IPv6 address, or null. A parser that every runtime has does the reading. */
function groupsOf(address: string): number[] | null {
  let written: string;
  try {
    written = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  } catch {
    return null;
  }
  const [head = '', tail] = written.split('::');
  const list = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [list(head), list(tail ?? '')];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<number>(zeros).fill(0), ...after];
}

function ofIPv6(address: string): string | null {
  const groups = groupsOf(address.replace(/%.*$/, ''));
  if (groups === null) return null;
  const [a = 0, b = 0, c = 0, , , f, g = 0, h = 0] = groups;
  // ::ffff:0:0/96 is IPv4 in another coat (RFC 4291 section 2.5.5.2).
  if (f === 0xffff && groups.slice(0, 5).every((group) => group === 0)) {
    return ofIPv4(`${g >> 8}.${g & 255}.${h >> 8}.${h & 255}`);
  }
  return `${[a, b, c].map((group) => group.toString(16)).join(':')}::/48`;
}

/**
 * The /24 of an IPv4 address or the /48 of an IPv6 address, each in one spelling; with a port or without, as proxies
 * write them. `unknownPrefix` for anything else.
 */
export function prefixOf(address: string | null): string {
  const text = (address ?? '').trim();
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return ofIPv6(bracketed) ?? unknownPrefix;
  const v4 = ofIPv4(text.replace(/^([\d.]+):\d+$/, '$1'));
  return v4 ?? (text.includes(':') ? ofIPv6(text) : null) ?? unknownPrefix;
}
