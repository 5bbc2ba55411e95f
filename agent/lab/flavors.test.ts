import { expect, it, test } from 'vitest';
import { flavors, kernelNames } from './flavors.ts';
import { warningsIn } from './kbuild.ts';
import { dependenciesIn } from './packages.ts';
import { provision } from './provision.ts';
import { versionsIn } from './unpack.ts';

test('a kernel is named by its series and its flavor, as its package is', () => {
  expect(kernelNames).toEqual(['6.1', '6.12', '6.1-rt', '6.12-rt', '6.1-cloud', '6.12-cloud']);
  for (const name of kernelNames) {
    const { series, metapackage } = flavors[name];
    const flavor = name.slice(series.length);
    // 6.1 is Debian 12's own series, which its packages do not name.
    expect(metapackage).toBe(
      `linux-image-${series === '6.1' ? '' : '6.12-'}${flavor.slice(1)}${flavor && '-'}amd64`,
    );
  }
});

test('dependencies are taken as apt prints them, alternatives too', () => {
  const text = [
    'linux-headers-6.12.117+deb12-amd64',
    '  Depends: linux-base',
    '  Depends: linux-headers-6.12.117+deb12-common',
    ' |Depends: linux-image-6.12.117+deb12-amd64',
    '  PreDepends: linux-kbuild-6.12.117+deb12',
    '  Depends: gcc-12',
    '  Suggests: linux-headers-none',
  ].join('\n');
  expect(dependenciesIn(text, /^linux-(headers|kbuild)/)).toEqual([
    'linux-headers-6.12.117+deb12-common',
    'linux-kbuild-6.12.117+deb12',
  ]);
  expect(dependenciesIn(text, /^linux-image-\d/)).toEqual(['linux-image-6.12.117+deb12-amd64']);
  expect(dependenciesIn('', /./)).toEqual([]);
});

test('versions are taken from the names of packages, without epoch and revision', () => {
  const files = [
    '/d/kexec-tools_1%3a2.0.25-3+b1_amd64.deb',
    '/d/makedumpfile_1%3a1.7.2-1_amd64.deb',
    '/d/zlib1g_1.2_amd64.deb',
  ];
  expect(versionsIn(files, ['kexec-tools', 'makedumpfile'])).toEqual({
    'kexec-tools': '2.0.25',
    makedumpfile: '1.7.2',
  });
  expect(versionsIn([], ['kexec-tools'])).toEqual({ 'kexec-tools': 'unknown' });
});

it.each<[string, boolean]>([
  ['/x/fire.c:13:7: warning: unused variable ‘a’ [-Wunused-variable]', true],
  ["/x/main.c:20:5: error: undefined identifier 'foo'", true],
  ['WARNING: modpost: missing MODULE_DESCRIPTION() in /x/crashpoint.o', true],
  ['warning: the compiler differs from the one used to build the kernel', false],
  ['Skipping BTF generation for /x/crashpoint.ko due to unavailability of vmlinux', false],
  ['  CC [M]  /x/main.o', false],
])('%s is a warning of ours: %s', (line, ours) => {
  expect(warningsIn(`\n${line}\n`)).toEqual(ours ? [line] : []);
});

test('a kernel that runs no trials is refused before anything is fetched', async () => {
  await expect(provision('/no/such/directory', () => {}, '6.1-cloud')).rejects.toThrow('watchdog, i6300esb');
});
