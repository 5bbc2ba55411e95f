import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prefixOf } from './prefix.ts';

it.each([
  ['192.0.2.1', '192.0.2.0/24'],
  ['192.0.2.255', '192.0.2.0/24'],
  ['192.0.2.1:61234', '192.0.2.0/24'],
  [' 203.0.113.9 ', '203.0.113.0/24'],
  ['::ffff:192.0.2.7', '192.0.2.0/24'],
  ['::ffff:c000:207', '192.0.2.0/24'],
  ['2001:db8:1:2::3', '2001:db8:1::/48'],
  ['2001:0DB8:0001:ffff:ffff:ffff:ffff:ffff', '2001:db8:1::/48'],
  ['[2001:db8:1::9]:443', '2001:db8:1::/48'],
  ['2001:db8::1', '2001:db8:0::/48'],
  ['fe80::1%eth0', 'fe80:0:0::/48'],
  ['::1', '0:0:0::/48'],
  ['1:2:3:4:5:6:192.0.2.1', '1:2:3::/48'],
  ['::', '0:0:0::/48'],
  ['2001:db8:1::', '2001:db8:1::/48'],
])('%s belongs to %s', (address, prefix) => {
  expect(prefixOf(address)).toBe(prefix);
});

it.each([
  '',
  null,
  'localhost',
  '256.0.0.1',
  '1.2.3',
  '1.2.3.4.5',
  '1::2::3',
  ':::',
  '[::1',
  'unknown',
  '_hidden',
])('%j is no address', (address) => {
  expect(prefixOf(address)).toBe('unknown');
});

it('is the same for every spelling and every host of a network, and another for another network', () => {
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(
      fc.tuple(group, group, group),
      fc.array(group, { minLength: 10, maxLength: 10 }),
      (net, hosts) => {
        fc.pre(net.some((part) => part !== 0));
        const spell = (groups: readonly number[], pad: number) =>
          groups.map((part) => part.toString(16).padStart(pad, '0')).join(':');
        const one = prefixOf(spell([...net, ...hosts.slice(0, 5)], 1));
        expect(prefixOf(spell([...net, ...hosts.slice(5)], 4).toUpperCase())).toBe(one);
        expect(prefixOf(spell([net[0], net[1], net[2] ^ 1, ...hosts.slice(5)], 4))).not.toBe(one);
      },
    ),
  );
});
