import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dataDirIn, packageDir, type Surroundings } from './paths.ts';

const user: Surroundings = { env: {}, isBundled: true, isRoot: false, isInstalled: false, home: '/home/u' };

it.each<[string, Partial<Surroundings>, string]>([
  ['named', { env: { DUMPSURVEY_DATA: '/x' }, isRoot: true }, '/x'],
  ['an empty name is none', { env: { DUMPSURVEY_DATA: '' } }, '/home/u/.local/state/dumpsurvey'],
  ['a checkout', { isBundled: false, isRoot: true }, join(packageDir, 'data')],
  ['root', { isRoot: true }, '/var/lib/dumpsurvey'],
  ['a user where it is installed', { isInstalled: true }, '/var/lib/dumpsurvey'],
  ['a user where it is not', {}, '/home/u/.local/state/dumpsurvey'],
  ["the user's own choice", { env: { XDG_STATE_HOME: '/s' } }, '/s/dumpsurvey'],
  ['a relative choice is none', { env: { XDG_STATE_HOME: 's' } }, '/home/u/.local/state/dumpsurvey'],
])('%s', (_, given, expected) => {
  expect(dataDirIn({ ...user, ...given })).toBe(expected);
});
