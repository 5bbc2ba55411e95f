/** The small readers of a machine's state: each a table of what files or programs say, and what follows. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { answering } from '../../test/fixtures/metal/answers.ts';
import { system } from '../../test/fixtures/metal/plant.ts';
import { captureWords } from './capture-command-line.ts';
import { assignments, distributionOf } from './distribution.ts';
import { dumpBytes, dumpLevel } from './dump-size.ts';
import { firmwareVendor, firmwareYear, iommuDomain, secureBoot } from './hardware.ts';
import { lockdown } from './kernel.ts';
import { mountAt, mountsOf } from './mounts.ts';
import { onBattery } from './power.ts';
import { interfaceTo } from './route.ts';
import { otherSessionCount } from './sessions.ts';
import { brokenArrays, brokenMapperArrays, fileSystemFaults } from './storage-health.ts';
import { toolVersions } from './tools.ts';
import { reservesNextTime, waitsForPerson } from './unattended.ts';

const bare = (text: string) => system(null, text);

describe('onBattery', () => {
  const supply = (name: string, fields: Record<string, string>) =>
    Object.entries(fields)
      .map(([file, value]) => `@ /sys/class/power_supply/${name}/${file} = ${value}\n`)
      .join('');
  const battery = (status: string) => supply('BAT0', { type: 'Battery', status });
  const mains = (online: string) => supply('AC', { type: 'Mains', online });
  it.each<[string, string, boolean | null]>([
    ['nothing', '@ /x = 1\n', null],
    ['mains alone', mains('1'), null],
    ['a battery and mains', battery('Charging') + mains('1'), false],
    ['mains that are off', battery('Discharging') + mains('0'), true],
    ['mains that are off, and a battery that is said to be full', battery('Full') + mains('0'), true],
    ['a battery alone that is used', battery('Discharging'), true],
    ['a battery alone that is full', battery('Full'), false],
    [
      'the battery of a mouse',
      supply('hid', { type: 'Battery', scope: 'Device', status: 'Discharging' }),
      null,
    ],
    ['power over USB-C', battery('Charging') + supply('ucsi', { type: 'USB', online: '1' }), false],
    ['a UPS that is used', supply('ups', { type: 'UPS', status: 'Discharging' }), true],
  ])('with %s', (_, text, wanted) => expect(onBattery(bare(text))).toBe(wanted));
});

describe('storage', () => {
  it.each<[string, string, string[]]>([
    ['whole', '@ /sys/block/md0/md/degraded = 0\n@ /sys/block/md0/md/sync_action = idle\n', []],
    ['checked', '@ /sys/block/md0/md/degraded = 0\n@ /sys/block/md0/md/sync_action = check\n', []],
    ['short of a disk', '@ /sys/block/md0/md/degraded = 1\n', ['md0 lacks 1 disk']],
    [
      'rebuilt',
      '@ /sys/block/md0/md/degraded = 0\n@ /sys/block/md0/md/sync_action = recover\n',
      ['md0 is in recover'],
    ],
    ['without redundancy', '@ /sys/block/md0/md/level = raid0\n', []],
    [
      'of btrfs and short of a disk',
      '@ /sys/fs/btrfs/id/devices/sda = 1\n@ /sys/fs/btrfs/id/devinfo/2/missing = 1\n',
      ['btrfs on sda lacks 1 disk'],
    ],
  ])('an array that is %s', (_, text, broken) => expect(brokenArrays(bare(text))).toEqual(broken));

  it('reads the health of device mapper arrays', () => {
    const status = `vg-a: 0 2097152 raid raid1 2 AA 2097152/2097152 idle 0 0 -
vg-b: 0 2097152 raid raid1 2 AD 2097152/2097152 idle 0 0 -
vg-c: 0 2097152 raid raid5_ls 3 Aaa 512/2097152 recover 0 0 -
vg-d: 0 2097152 linear 8:3 2048
`;
    expect(brokenMapperArrays(status)).toEqual(['vg-b (AD)', 'vg-c (Aaa)']);
    expect(brokenMapperArrays('No devices found\n')).toEqual([]);
  });

  it('finds recorded errors, and what went read-only by itself', () => {
    expect(fileSystemFaults(system('debian-nvme-lvm'))).toEqual([]);
    expect(
      fileSystemFaults(
        system(
          'debian-nvme-lvm',
          `@ /sys/fs/ext4/dm-0/errors_count = 3
@ /proc/self/mountinfo
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/SECRET-root ro,errors=remount-ro
31 28 259:2 / /boot ro,relatime shared:30 - ext2 /dev/nvme0n1p2 rw
`,
        ),
      ),
    ).toEqual([
      { mountPoint: '/', what: '3 errors recorded' },
      { mountPoint: '/', what: 'read-only against /etc/fstab' },
    ]);
    const sick = '@ /sys/fs/btrfs/SECRET-FSID/devinfo/1/error_stats\nwrite_errs 0\ncorruption_errs 7\n';
    expect(fileSystemFaults(system('suse-multipath-btrfs', sick))).toEqual([
      { mountPoint: expect.any(String), what: '7 errors recorded' },
    ]);
  });

  it('takes no offense at what fstab itself wants read-only', () => {
    const text = `@ /etc/fstab
/dev/sda2 /srv ext4 defaults,ro 0 2
@ /proc/self/mountinfo
40 28 8:2 / /srv ro - ext4 /dev/sda2 ro
`;
    expect(fileSystemFaults(bare(text))).toEqual([]);
  });
});

describe('otherSessionCount', () => {
  const session = (id: string, fields = 'Class=user\nState=active') => `Id=${id}\n${fields}\n`;
  const shown = (...sessions: string[]) => sessions.join('\n');
  const list = (ids: string[]) => ids.map((id) => `${id} 1000 alice seat0 tty2\n`).join('');
  const asked = (ids: string[], text: string) => ({
    'loginctl list-sessions --no-legend --no-pager': list(ids),
    [`loginctl show-session ${ids.join(' ')} -p Id -p Class -p State`]: text,
  });
  it.each<[string, Record<string, string | number>, string, number | null]>([
    ['nobody', asked([], ''), '4294967295', 0],
    ['one person', asked(['2'], session('2')), '4294967295', 1],
    ['the one who asks', asked(['2'], session('2')), '2', 0],
    ['somebody else, too', asked(['2', '5'], shown(session('2'), session('5'))), '2', 1],
    ['a login screen', asked(['c1'], session('c1', 'Class=greeter\nState=online')), '4294967295', 0],
    ['a manager', asked(['3'], session('3', 'Class=manager\nState=active')), '4294967295', 0],
    ['one who leaves', asked(['4'], session('4', 'Class=user\nState=closing')), '4294967295', 0],
    ['no logind, two in utmp', { loginctl: 1, who: 'alice tty1 2026-11-25\nbob pts/0 2026-11-25\n' }, '1', 2],
    ['no logind, nobody', { loginctl: 127, who: '' }, '1', 0],
    ['nothing that could say', {}, '1', null],
  ])('with %s', async (_, answers, own, wanted) => {
    const tree = bare(`@ /proc/self/sessionid = ${own}\n`);
    expect(await otherSessionCount(tree, answering(answers))).toBe(wanted);
  });
});

describe('the size of a dump', () => {
  it('is what the kernel holds, twice, where only that is dumped', () => {
    // 7800000 - 5000000 - 1500000 - 100000 - 600000 kB
    expect(dumpBytes(system('debian-nvme-lvm'), 'debian')).toBe(2 * 600_000 * 1024 + 64 * 2 ** 20);
  });

  it('is all of memory where user pages are dumped, too', () => {
    const tree = system('debian-nvme-lvm', '@ /etc/default/kdump-tools\nMAKEDUMP_ARGS="-c -d 1"\n');
    expect(dumpBytes(tree, 'debian')).toBe(7_800_000 * 1024);
  });

  it.each<['debian' | 'fedora' | 'suse', string, number]>([
    ['debian', '@ /etc/default/kdump-tools\nMAKEDUMP_ARGS="-F -c -d 17"\n', 17],
    ['debian', '@ /etc/default/kdump-tools\n#MAKEDUMP_ARGS="-c -d 1"\n', 31],
    ['fedora', '@ /etc/kdump.conf\ncore_collector makedumpfile -l -d 0\n', 0],
    ['fedora', '@ /etc/kdump.conf\n#core_collector makedumpfile -d 1\n', 31],
    ['suse', '@ /etc/sysconfig/kdump\nKDUMP_DUMPLEVEL="0"\n', 0],
    ['suse', '@ /etc/sysconfig/kdump\nKDUMP_DUMPLEVEL=""\n', 31],
  ])('on %s %j is level %i', (family, text, level) => expect(dumpLevel(bare(text), family)).toBe(level));

  it('is never more than memory, nor less than nothing', () => {
    const kb = fc.nat(100_000_000);
    fc.assert(
      fc.property(kb, kb, kb, kb, kb, (total, free, cached, buffers, anonymous) => {
        const text = `MemTotal: ${total} kB\nMemFree: ${free} kB\nCached: ${cached} kB\nBuffers: ${buffers} kB\nAnonPages: ${anonymous} kB`;
        const tree = { read: (path: string) => (path === '/proc/meminfo' ? text : null) };
        const bytes = dumpBytes({ ...tree, follow: () => null, list: () => [], buildId: () => null }, null);
        expect(bytes).toBeGreaterThanOrEqual(0);
        expect(bytes).toBeLessThanOrEqual(total * 1024);
      }),
    );
  });
});

describe('what would wait for a person', () => {
  const grub = (text: string) => `@ /etc/default/grub = x\n@ /boot/grub/grub.cfg\n${text}\n`;
  it.each<[string, string, RegExp[]]>([
    ['a plain menu', grub("set timeout=5\nmenuentry 'Debian' {"), []],
    ['a password for every entry', grub('set superusers="root"\nmenuentry \'Debian\' {'), [/password/]],
    ['a password for changes only', grub('set superusers="root"\nmenuentry \'Debian\' --unrestricted {'), []],
    ['a menu without an end', grub("set timeout=-1\nmenuentry 'Debian' {"), [/for ever/]],
    ['a menu without an end after a failed start only', grub('set timeout=-1\nset timeout=5'), []],
    [
      'a root that is opened by hand',
      '@ /etc/crypttab\nroot UUID=x none luks\n',
      [/root asks for a passphrase/],
    ],
    ['a root that the TPM opens', '@ /etc/crypttab\nroot UUID=x none tpm2-device=auto\n', []],
    ['swap with a random key', '@ /etc/crypttab\nswap /dev/sda3 /dev/urandom swap\n', []],
    ['a disk that is opened later', '@ /etc/crypttab\n# a comment\nbackup UUID=y none luks,noauto\n', []],
  ])('with %s', (_, text, waits) => {
    const found = waitsForPerson(bare(text));
    expect(found).toHaveLength(waits.length);
    for (const [i, pattern] of waits.entries()) expect(found?.[i]).toMatch(pattern);
  });

  it('is not known where GRUB hides its configuration', () => {
    expect(waitsForPerson(bare('@ /etc/default/grub = x\n'))).toBeNull();
    expect(waitsForPerson(bare('@ /usr/sbin/update-grub = x\n'))).toBeNull();
    expect(waitsForPerson(bare('@ /boot/loader/loader.conf = timeout 3\n'))).toEqual([]);
  });

  it.each<[string, string, boolean]>([
    ['GRUB', grub('linux /vmlinuz crashkernel=256M'), true],
    [
      'an entry of the boot loader specification',
      '@ /boot/loader/entries/a.conf\noptions crashkernel=1G-:256M\n',
      true,
    ],
    ['nobody', grub('linux /vmlinuz quiet'), false],
  ])('memory is set aside at the next start by %s', (_, text, wanted) => {
    expect(reservesNextTime(bare(text))).toBe(wanted);
  });
});

describe("the capture kernel's command line", () => {
  const loaded = `@ /sys/kernel/kexec_crash_loaded = 1
@ /etc/default/kdump-tools
KDUMP_COREDIR=/srv/dumps
KDUMP_CMDLINE_APPEND="nr_cpus=1 panic=10"
@ /srv/dumps/kexec_cmd = /sbin/kexec -p -s --command-line="root=/dev/x  nr_cpus=1" --initrd=/a /b
`;
  it('is what kdump-tools loaded it with, where it has written that down', () => {
    expect(captureWords(bare(loaded), 'debian')).toEqual(['root=/dev/x', 'nr_cpus=1']);
  });

  it('is what it would be loaded with, where none is loaded', () => {
    const words = captureWords(bare(`${loaded}@ /sys/kernel/kexec_crash_loaded = 0\n`), 'debian');
    expect(words).toEqual(['nr_cpus=1', 'panic=10']);
  });

  it('of kdump-tools may be another than that of this kernel', () => {
    const tree = bare(
      '@ /proc/cmdline = quiet\n@ /etc/default/kdump-tools\nKDUMP_CMDLINE="root=/dev/y"\nKDUMP_CMDLINE_APPEND="a"\n',
    );
    expect(captureWords(tree, 'debian')).toEqual(['root=/dev/y', 'a']);
  });

  it('is what this kernel was given, and what the tooling adds', () => {
    const words = captureWords(system('debian-nvme-lvm'), 'debian');
    expect(words).toEqual(expect.arrayContaining(['root=/dev/mapper/SECRET-root', 'nr_cpus=1', 'irqpoll']));
    expect(words.join(' ')).not.toMatch(/crashkernel|panic=/);
  });

  it.each<['debian' | 'fedora' | 'suse', string, string]>([
    ['debian', '@ /etc/default/kdump-tools\nKDUMP_CMDLINE_APPEND="nr_cpus=1 panic=7"\n', 'nr_cpus=1 panic=7'],
    ['fedora', '@ /etc/sysconfig/kdump\nKDUMP_COMMANDLINE_APPEND="nr_cpus=1"\n', 'nr_cpus=1'],
    ['suse', '@ /etc/sysconfig/kdump\nKDUMP_COMMANDLINE_APPEND="debug"\n', 'panic=1 debug'],
  ])('on %s %j ends with %j', (family, text, end) => {
    expect(captureWords(bare(text), family).join(' ')).toMatch(new RegExp(`${end}$`));
  });
});

describe('which interface leads to a host', () => {
  const tree = () => system('fedora-nfs-bond');
  it.each<[string, string | null]>([
    ['192.0.2.80', 'bond0'],
    ['192.168.2.7', 'virbr0'],
    ['198.51.100.1', 'bond0'],
    ['2001:db8::80', 'bond0'],
    ['2001:db8:0:0:0:0:192.0.2.1', 'bond0'],
    ['2001:db9::1', null],
    ['fe80::1%eno2', 'eno2'],
    ['dumps', 'bond0'],
    ['unknown.example', 'bond0'],
  ])('%s', (host, name) => expect(interfaceTo(tree(), host)).toBe(name));

  it('prefers the longer prefix, then the smaller metric, and takes no route that is down or refuses', () => {
    const routes = (...lines: string[]) =>
      bare(
        `@ /proc/net/route\nIface Destination Gateway Flags RefCnt Use Metric Mask MTU\n${lines.join('\n')}\n`,
      );
    const to = '198.51.100.9';
    const line = (name: string, flags: string, metric: number, mask = '00000000') =>
      `${name} ${mask === '00000000' ? '00000000' : '006433C6'} 00000000 ${flags} 0 0 ${metric} ${mask} 0 0 0`;
    expect(interfaceTo(routes(line('a', '0003', 200), line('b', '0003', 100)), to)).toBe('b');
    expect(interfaceTo(routes(line('a', '0003', 0), line('b', '0001', 900, '00FFFFFF')), to)).toBe('b');
    expect(interfaceTo(routes(line('a', '0003', 5), line('b', '0200', 0, '00FFFFFF')), to)).toBe('a');
    expect(interfaceTo(routes(line('a', '0003', 5), line('b', '0201', 0, '00FFFFFF')), to)).toBe('a');
    expect(interfaceTo(routes('nonsense', ''), to)).toBeNull();
  });
});

describe('mounts', () => {
  it('are read with blanks in their names, and without lines that do not fit', () => {
    const mounts = mountsOf(
      bare('@ /proc/self/mountinfo\n28 1 8:1 / /a\\040b rw shared:1 master:2 - ext4 /dev/sda1 rw\nx\n'),
    );
    expect(mounts).toEqual([
      {
        point: '/a b',
        type: 'ext4',
        source: '/dev/sda1',
        device: '8:1',
        options: ['rw'],
        superOptions: ['rw'],
      },
    ]);
  });

  it('of equal ones the last one lies on top', () => {
    const at = (point: string, source: string) => ({
      point,
      source,
      type: 'ext4',
      device: '',
      options: [],
      superOptions: [],
    });
    const mounts = [at('/', 'a'), at('/var', 'b'), at('/var', 'c'), at('/variable', 'd')];
    expect(mountAt(mounts, '/var/crash/')?.source).toBe('c');
    expect(mountAt(mounts, '/var')?.source).toBe('c');
    expect(mountAt(mounts, '/srv')?.source).toBe('a');
    expect(mountAt([], '/srv')).toBeNull();
  });
});

describe('small readings', () => {
  it.each<[string, ReturnType<typeof lockdown>]>([
    ['@ /sys/kernel/security/lockdown = none [integrity] confidentiality\n', 'integrity'],
    ['@ /sys/kernel/security/lockdown = none integrity [confidentiality]\n', 'confidentiality'],
    ['@ /sys/kernel/security/lsm = capability\n', 'none'],
    ['@ /sys/kernel/security/lockdown = [other]\n', 'unknown'],
    ['@ /x = 1\n', 'unknown'],
  ])('lockdown of %j', (text, wanted) => expect(lockdown(bare(text))).toBe(wanted));

  it.each<[string[], ReturnType<typeof iommuDomain>]>([
    [[], 'none'],
    [['identity'], 'identity'],
    [['DMA', 'DMA'], 'translated'],
    [['DMA', 'DMA-FQ', 'identity'], 'mixed'],
    [['DMA', 'blocked'], 'unknown'],
  ])('IOMMU groups %j', (types, wanted) => {
    const text = types.map((type, i) => `@ /sys/kernel/iommu_groups/${i}/type = ${type}\n`).join('');
    expect(iommuDomain(bare(text || '@ /x = 1\n'))).toBe(wanted);
  });

  it.each<[string, number | null]>([
    ['03/11/2021', 2021],
    ['11/12/98', 1998],
    ['2021-03-11', null],
    ['11/12/0098', null],
    ['', null],
  ])('firmware of %j', (date, year) => {
    expect(firmwareYear(bare(`@ /sys/class/dmi/id/bios_date = ${date}\n`))).toBe(year);
  });

  it('the name of a firmware is cut to what a profile takes', () => {
    const vendor = (text: string) => firmwareVendor(bare(`@ /sys/class/dmi/id/bios_vendor = ${text}\n`));
    expect(vendor('Acme, GmbH & Co.')).toBe('Acme GmbH Co.');
    expect(vendor('<>')).toBeNull();
    expect(vendor('x'.repeat(200))).toHaveLength(80);
  });

  it('Secure Boot is unknown where UEFI does not say', () => {
    expect(secureBoot(bare('@ /sys/firmware/efi/fw_platform_size = 64\n'))).toBeNull();
    expect(secureBoot(bare('@ /x = 1\n'))).toBe(false);
  });

  it.each<[string, string | null, string | null, string | null]>([
    ['ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"', 'debian', 'ubuntu', '24.04'],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', 'suse', 'opensuse-tumbleweed', null],
    ['ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"', 'fedora', 'almalinux', '9.4'],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="21"', 'debian', 'linuxmint', '21'],
    ['ID=debian', 'debian', 'debian', null],
    ['ID=arch', null, 'arch', null],
  ])('%j', (text, family, id, version) => {
    expect(distributionOf(bare(`@ /etc/os-release\n${text}\n`))).toMatchObject({ family, id, version });
  });

  it('assignments are read as a shell would', () => {
    const text = `A=1\n  export B="two # not a comment" # comment\nC='$x'\n#D=4\nE="q\\"uote"\nA=9\nF=\n`;
    expect(Object.fromEntries(assignments(text))).toEqual({
      A: '9',
      B: 'two # not a comment',
      C: '$x',
      E: 'q"uote',
      F: '',
    });
  });
});

describe('versions of tools', () => {
  const kexec = { 'kexec --version': 'kexec-tools 2.0.25 released 25 June 2022\n' };
  test('on Debian, from the tools and from dpkg', async () => {
    const answers = {
      ...kexec,
      'makedumpfile -v': 'makedumpfile: version 1.7.2 (released on 7 Nov 2022)\nlzo\tenabled\n',
      'dpkg-query': 'installed 1:1.8.1',
    };
    expect(await toolVersions(answering(answers), 'debian')).toEqual({
      kexec: '2.0.25',
      makedumpfile: '1.7.2',
      'kdump-tools': '1:1.8.1',
    });
  });

  test('a package that was removed is not there', async () => {
    const answers = { ...kexec, 'dpkg-query': 'config-files 1:1.8.1' };
    expect(await toolVersions(answering(answers), 'debian')).toEqual({ kexec: '2.0.25' });
  });

  test('on RHEL 9 the tooling lies in kexec-tools', async () => {
    const query = (name: string) => `rpm -q --qf installed %{VERSION}-%{RELEASE} ${name}`;
    const answers = { [query('kexec-tools')]: 'installed 2.0.27-8.el9', [query('kdump-utils')]: 1 };
    expect(await toolVersions(answering(answers), 'fedora')).toEqual({ 'kexec-tools': '2.0.27-8.el9' });
  });

  test('nothing installed is nothing said', async () => {
    expect(await toolVersions(answering({}), 'suse')).toEqual({});
    expect(await toolVersions(answering({}), null)).toEqual({});
  });
});
