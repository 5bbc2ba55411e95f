import { expect, it } from 'vitest';
import { differences, whoseIs } from './files.ts';

const before = `/etc/a|f|644|0:0|10|1.5
/etc/b|f|644|0:0|10|1.5
/etc/c|f|644|0:0|10|1.5
/etc/d|d|755|0:0
/var/log/x|f|644|0:0|10|1.5
`;
const after = `/etc/a|f|644|0:0|10|1.5
/etc/b|f|600|0:0|10|1.5
/etc/d|d|755|0:0
/etc/new|l|a
/var/log/x|f|644|0:0|99|2.5
/var/log/y|f|644|0:0|1|2.5
`;

it('what was added, removed and changed is named; logs are not', () => {
  expect(differences(before, after)).toEqual([
    { path: '/etc/b', change: 'changed' },
    { path: '/etc/c', change: 'removed' },
    { path: '/etc/new', change: 'added' },
  ]);
  expect(differences(before, before)).toEqual([]);
});

it("the owner's own changes and the dumps are told from what the package left", () => {
  const change = (path: string) => ({ path, change: 'added' as const });
  const paths = [
    '/etc/sysctl.d/90-panic.conf',
    '/boot/grub/grub.cfg',
    '/var/crash/202611250142/dump.202611250142',
    '/usr/bin/x',
  ];
  const commands = ["echo 'kernel.panic = 10' > /etc/sysctl.d/90-panic.conf", 'update-grub', 'reboot'];
  expect(whoseIs(paths.map(change), commands)).toEqual({
    advised: paths.slice(0, 2).map(change),
    dumps: [change('/var/crash/202611250142/dump.202611250142')],
    others: [change('/usr/bin/x')],
  });
});
