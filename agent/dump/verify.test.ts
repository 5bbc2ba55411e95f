/** A real dump is verified in every container; each way to spoil it has its own verdict and reason. */
import { expect, test } from 'vitest';
import type { Listing } from '../../schema/canary.ts';
import { judgeDump } from '../../schema/classify/judge.ts';
import { dumpFinding } from '../../schema/evidence.ts';
import type { VerdictReason } from '../../schema/vocabulary.ts';
import { dmesg, forgery, kdump, listing as whole } from '../../test/fixtures/dumps/fixture.ts';
import {
  type Forgery,
  flatten,
  toElf,
  toKdump,
  withBytes,
  withPages,
} from '../../test/fixtures/dumps/forge.ts';
import { bytesSource } from './source.ts';
import { dumpLog, verifyDump } from './verify.ts';

/** Finding and judgement of some bytes; the finding must be one that a report admits. */
async function judge(bytes: Uint8Array, listing: Listing = whole) {
  const finding = dumpFinding.parse(await verifyDump(bytesSource(bytes), listing));
  return { finding, ...judgeDump(finding) };
}

const containers: Record<string, (from: Forgery) => Buffer> = {
  kdump: toKdump,
  'flattened kdump': (from) => flatten(toKdump(from)),
  elf: toElf,
  'flattened elf': (from) => flatten(toElf(from)),
};

test('the fixture is verified, and the finding says what is in it', async () => {
  expect(await judge(kdump)).toStrictEqual({
    verdict: 'verified',
    reason: 'verified',
    finding: {
      format: 'kdump-compressed',
      fault: null,
      byte_count: kdump.length,
      truncated: false,
      incomplete_flag: false,
      pages: { promised: 193, present: 193, undecodable: 0 },
      armed: 'present',
      fired: 'present',
      canaries: { planted: 11, good: 11, changed: 0, missing: 0 },
      kernel_release: '6.1.0-56-amd64',
      vmcoreinfo: 'resolved',
      log_lines: 414,
    },
  });
});

test('the forger takes the fixture apart and puts it together byte for byte', () => {
  expect(toKdump(forgery).equals(kdump)).toBe(true);
});

test.each(Object.keys(containers))('%s: verified, and its log is what makedumpfile prints', async (name) => {
  const bytes = containers[name]?.(forgery) ?? new Uint8Array(0);
  const { reason, finding } = await judge(bytes);
  expect([reason, finding.byte_count]).toStrictEqual(['verified', bytes.length]);
  expect(await dumpLog(bytesSource(bytes))).toStrictEqual(dmesg.replace(/\n$/, '').split('\n'));
});

test.each(Object.keys(containers))('%s: on a raw disk, the dump ends where its format says', async (name) => {
  const bytes = containers[name]?.(forgery) ?? Buffer.alloc(0);
  const { reason, finding } = await judge(Buffer.concat([bytes, Buffer.alloc(100_000)]));
  expect([reason, finding.byte_count]).toStrictEqual(['verified', bytes.length]);
});

test('the log can be had in part', async () => {
  const lines = await dumpLog(bytesSource(kdump), 7);
  expect(lines).toStrictEqual(dmesg.replace(/\n$/, '').split('\n').slice(-7));
});

const canary = whole.canaries[0]?.phys ?? 0n;
const deep = (whole.canaries[2]?.phys ?? 0n) + 0xf123n;

function put(at: bigint, text: string) {
  return (from: Forgery) => withBytes(from, at, (bytes) => bytes.set(Buffer.from(text, 'latin1')));
}

function flip(at: bigint, bit = 1) {
  return (from: Forgery) =>
    withBytes(from, at, (bytes) => {
      bytes[0] = (bytes[0] ?? 0) ^ bit;
    });
}

function without(phys: bigint) {
  return (from: Forgery) => withPages(from, new Map([[Number(phys) >> 12, null]]));
}

function info(change: (text: string) => string) {
  return (from: Forgery) => ({
    ...from,
    vmcoreinfo: Buffer.from(change(Buffer.from(from.vmcoreinfo).toString('latin1')), 'latin1'),
  });
}

const otherNonce = '\xff'.repeat(16);

/** What is spoiled, how, and the reason it must be judged by: in every container. */
const spoiled: readonly [string, (from: Forgery) => Forgery, VerdictReason][] = [
  ['one bit of a canary', flip(canary + 77n), 'canaries-changed'],
  ['one bit in the last page of the canary of 16 pages', flip(deep, 0x80), 'canaries-changed'],
  ['a canary page of zeros', put(canary, '\0'.repeat(4096)), 'canaries-changed'],
  ['a canary page is not there', without(canary), 'canaries-missing'],
  ['the last page of the canary of 16 pages is not there', without(deep), 'canaries-missing'],
  ['the armed record has another nonce', put(whole.armed + 8n, otherNonce), 'other-trial'],
  ['the fired record has another nonce', put(whole.fired + 8n, otherNonce), 'other-trial'],
  ['the fired record never fired', put(whole.fired, 'DSUNFIRD'), 'armed-not-fired'],
  ['no armed record at its place', put(whole.armed, 'nothing '), 'other-trial'],
  ['no fired record at its place', put(whole.fired, 'nothing '), 'other-trial'],
  ['the fired record is not there', without(whole.fired), 'records-missing'],
  ['the armed record is not there', without(whole.armed), 'records-missing'],
  ['one bit behind the armed header', flip(whole.armed + 24n), 'record-changed'],
  ['one bit behind the fired header', flip(whole.fired + 4095n), 'record-changed'],
  ['the incomplete flag', (from) => ({ ...from, status: from.status | 8 }), 'incomplete-flag'],
  ['no vmcoreinfo', (from) => ({ ...from, vmcoreinfo: new Uint8Array(0) }), 'vmcoreinfo-unresolved'],
  ['no symbol of the log', info((t) => t.replace('SYMBOL(prb)', 'SYMBOL(bpr)')), 'vmcoreinfo-unresolved'],
  [
    'a page table elsewhere',
    info((t) => t.replace('phys_base)=-67', 'phys_base)=-68')),
    'vmcoreinfo-unresolved',
  ],
  [
    'offsets of another kernel',
    info((t) => t.replace('text_blk_lpos)=8', 'text_blk_lpos)=0')),
    'vmcoreinfo-unresolved',
  ],
];

test.each(Object.keys(containers))('%s: every way to spoil it has its reason', async (name) => {
  const reasons: [string, VerdictReason][] = [];
  for (const [what, spoil] of spoiled) {
    const { reason } = await judge(containers[name]?.(spoil(forgery)) ?? new Uint8Array(0));
    reasons.push([what, reason]);
  }
  expect(reasons).toStrictEqual(spoiled.map(([what, , reason]) => [what, reason]));
});

test('fields of the fired header that say what happened are free', async () => {
  const { reason } = await judge(toKdump(put(whole.fired + 24n, 'timer\0')(forgery)));
  expect(reason).toBe('verified');
});

test('another listing makes the dump foreign', async () => {
  expect((await judge(kdump, { ...whole, nonce: '00'.repeat(16) })).reason).toBe('other-trial');
});

test('a listing of no canaries verifies nothing', async () => {
  expect((await judge(kdump, { ...whole, canaries: [] })).reason).toBe('canaries-missing');
});

const pfn = Number(canary) >> 12;
const stored = forgery.pages.get(pfn) ?? { data: new Uint8Array(0), flags: 0 };

test('a flipped byte in compressed data is undecodable, not missing', async () => {
  const logPage = [...forgery.pages.keys()].find((n) => forgery.pages.get(n)?.flags === 1) ?? 0;
  const data = Buffer.from(forgery.pages.get(logPage)?.data ?? []);
  data[40] = (data[40] ?? 0) ^ 4;
  const { reason, finding } = await judge(
    toKdump(withPages(forgery, new Map([[logPage, { data, flags: 1 }]]))),
  );
  expect([reason, finding.pages]).toStrictEqual([
    'pages-undecodable',
    { promised: 193, present: 193, undecodable: 1 },
  ]);
});

test.each([
  ['an undecodable canary', { data: new Uint8Array(50).fill(7), flags: 1 }, 'pages-undecodable'],
  ['a page that is too short', { data: stored.data.subarray(1), flags: 0 }, 'pages-undecodable'],
  ['compressed data that was never written', { data: new Uint8Array(50), flags: 1 }, 'pages-missing'],
  ['LZO that is none', { data: new Uint8Array(50).fill(7), flags: 2 }, 'pages-undecodable'],
  ['snappy that is none', { data: new Uint8Array(50).fill(7), flags: 4 }, 'pages-undecodable'],
  ['zstd that is none', { data: new Uint8Array(50).fill(7), flags: 32 }, 'pages-undecodable'],
  ['an encoding that nobody knows', { data: stored.data, flags: 0x40 }, 'malformed'],
  ['no data', { data: new Uint8Array(0), flags: 1 }, 'malformed'],
  ['more data than a page', { data: new Uint8Array(5000), flags: 1 }, 'malformed'],
] as const)('a page with %s', async (_, page, expected) => {
  expect((await judge(toKdump(withPages(forgery, new Map([[pfn, page]]))))).reason).toBe(expected);
});

test('a descriptor that was never written is a page that is not there', async () => {
  const bytes = Buffer.from(kdump);
  const table = 4 * 4096 + 4096 * kdump.readUInt32LE(436);
  bytes.fill(0, table + 24 * 100, table + 24 * 102);
  const { reason, finding } = await judge(bytes);
  expect([reason, finding.pages]).toStrictEqual([
    'pages-missing',
    { promised: 193, present: 191, undecodable: 0 },
  ]);
});

function headed(head: string | number[]): Buffer {
  return Buffer.concat([Buffer.from(head as string, 'latin1'), Buffer.alloc(5000, 1)]);
}

test.each([
  ['nothing', Buffer.alloc(0), 'empty'],
  ['zeros', Buffer.alloc(3_000_000), 'empty'],
  ['zeros, then something', Buffer.concat([Buffer.alloc(3_000_000), Buffer.from('x')]), 'no-dump-magic'],
  ['text', Buffer.from('Kernel panic - not syncing: sysrq triggered crash'), 'no-dump-magic'],
  ['a diskdump', headed('DISKDUMP'), 'unsupported-format'],
  ['an LKCD dump', headed([0xed, 0x23, 0x8f, 0x61, 0x73, 0x01, 0x19, 0xa8]), 'unsupported-format'],
  ['an ELF program', headed('\x7fELF\x02\x01\x01'), 'no-dump-magic'],
  ['a flattened nothing', flatten(Buffer.alloc(10_000)), 'malformed'],
  ['a flattened flattened dump', flatten(flatten(kdump)), 'malformed'],
  ['a 32-bit core', Buffer.from(toElf(forgery)).fill(1, 4, 5), 'malformed'],
] as const)('%s', async (_, bytes, expected) => {
  expect((await judge(bytes)).reason).toBe(expected);
});

test('a core of the time before vmcoreinfo, aligned as netdump did, is a netdump', async () => {
  const core = Buffer.alloc(3 * 4096);
  toElf({ ...forgery, pages: new Map([[1, { data: new Uint8Array(4096), flags: 0 }]]) }).copy(
    core,
    0,
    0,
    64 + 112,
  );
  core.writeBigUInt64LE(0n, 64 + 32);
  core.writeBigUInt64LE(4096n, 64 + 56 + 8);
  core.writeBigUInt64LE(4096n, 64 + 56 + 48);
  expect(await judge(core)).toMatchObject({ reason: 'unsupported-format', finding: { format: 'netdump' } });
});
