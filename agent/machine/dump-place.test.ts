/** What each tooling's configuration says of where dumps go. */
import { describe, expect, it, test } from 'vitest';
import { type DumpPlace, placeFiles } from './dump-place.ts';

const directory = (path: string, device: string | null = null): DumpPlace => ({
  kind: 'directory',
  directory: path,
  device,
});

describe('Debian', () => {
  it.each<[string, DumpPlace]>([
    ['', directory('/var/crash')],
    ['KDUMP_COREDIR="/srv/dumps"', directory('/srv/dumps')],
    ['#KDUMP_COREDIR=/no\nKDUMP_COREDIR=/yes # why', directory('/yes')],
    ['NFS="nas:/export/crash"', { kind: 'nfs', host: 'nas', directory: '/export/crash' }],
    ['NFS="[2001:db8::1]:/x"', { kind: 'nfs', host: '2001:db8::1', directory: '/x' }],
    ['SSH="kdump@192.0.2.7"\nNFS="nas:/x"', { kind: 'ssh', host: '192.0.2.7', directory: '/var/crash' }],
    ['SSH=""', directory('/var/crash')],
  ])('%j', (text, place) => {
    expect(placeFiles.debian.placeOf(text)).toEqual(place);
  });
});

describe('Fedora', () => {
  it.each<[string, DumpPlace]>([
    ['', directory('/var/crash')],
    ['path /srv/dumps', directory('/srv/dumps')],
    ['#nfs nas:/x\n  path /a  # b', directory('/a')],
    ['ext4 UUID=03138356-5e61\npath /x', directory('/x', 'UUID=03138356-5e61')],
    ['xfs /dev/mapper/vg-crash', directory('/var/crash', '/dev/mapper/vg-crash')],
    ['raw /dev/vg/lv', { kind: 'raw', device: '/dev/vg/lv' }],
    ['nfs nas.example:/export', { kind: 'nfs', host: 'nas.example', directory: '/export' }],
    ['nfs4 192.0.2.1:/', { kind: 'nfs', host: '192.0.2.1', directory: '/' }],
    ['ssh kdump@gate\nsshkey /root/.ssh/kdump', { kind: 'ssh', host: 'gate', directory: '/var/crash' }],
  ])('%j', (text, place) => {
    expect(placeFiles.fedora.placeOf(text)).toEqual(place);
  });
});

describe('SUSE', () => {
  it.each<[string, DumpPlace]>([
    ['', directory('/var/crash')],
    ['KDUMP_SAVEDIR="file:///srv/dumps"', directory('/srv/dumps')],
    ['KDUMP_SAVEDIR="/var/crash ftp://x/y"', directory('/var/crash')],
    ['KDUMP_SAVEDIR="nfs://nas/export/crash"', { kind: 'nfs', host: 'nas', directory: '/export/crash' }],
    ['KDUMP_SAVEDIR="ssh://kdump:SECRET@gate:2222/d"', { kind: 'ssh', host: 'gate', directory: '/d' }],
    ['KDUMP_SAVEDIR="sftp://[2001:db8::2]/d"', { kind: 'ssh', host: '2001:db8::2', directory: '/d' }],
  ])('%j', (text, place) => {
    expect(placeFiles.suse.placeOf(text)).toEqual(place);
  });
});

test.each([
  ['debian', 'FTP="x:/y"'],
  ['debian', 'SSH="user@"'],
  ['fedora', 'virtiofs myfs'],
  ['fedora', 'nfs :/export'],
  ['suse', 'KDUMP_SAVEDIR="cifs://nas/share"'],
  ['suse', 'KDUMP_SAVEDIR="nfs://"'],
] as const)('on %s %j is a place that is not known, and why is said', (family, text) => {
  expect(placeFiles[family].placeOf(text)).toEqual({ kind: 'unknown', why: expect.stringMatching(/.{10}/) });
});

test('a password in the configuration gets nowhere', () => {
  const place = placeFiles.suse.placeOf('KDUMP_SAVEDIR="ssh://kdump:SECRET@gate/d"');
  expect(JSON.stringify(place)).not.toContain('SECRET');
});
