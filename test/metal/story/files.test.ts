import { expect, it } from 'vitest';
import { differences } from './files.ts';

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
