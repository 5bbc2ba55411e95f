/** The module's listing, as it was really printed and spoilt. Contents of canaries: agent/dump/planted.test.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { canaryBytes, parseArmed, parseFired, parseListing } from './canary.ts';

const real = readFileSync(new URL('../test/fixtures/dumps/linux-6.1.listing', import.meta.url), 'utf8');

describe('parseListing', () => {
  it('takes a real listing', () => {
    const listing = parseListing(real);
    const lines = real.trim().split('\n');
    expect(`v=1 nonce=${listing.nonce}`).toBe(lines[0]);
    expect(lines[1]).toContain(`record=armed phys=0x${listing.armed.toString(16)} `);
    expect(lines[2]).toContain(`record=fired phys=0x${listing.fired.toString(16)} `);
    expect(listing.canaries).toHaveLength(lines.length - 3);
    for (const [i, { index, kind, phys, byteCount }] of listing.canaries.entries()) {
      const line = lines[i + 3] ?? '';
      expect(line.startsWith(`canary=${index} kind=${kind} `)).toBe(true);
      expect(line).toContain(` phys=0x${phys.toString(16)} `);
      expect(line.endsWith(` bytes=${byteCount}`)).toBe(true);
    }
    expect(new Set(listing.canaries.map(({ kind }) => kind))).toEqual(
      new Set(['page', 'slab', 'vmalloc', 'module-data', 'percpu']),
    );
  });

  it('does not mind blank lines and line ends of a terminal', () => {
    expect(parseListing(`\n${real.replaceAll('\n', '\r\n')}\n`)).toEqual(parseListing(real));
  });

  it.each<[string, (text: string) => string]>([
    ['bytes that are no number', (t) => t.replace(/bytes=2048/, 'bytes=20x8')],
    ['no bytes', (t) => t.replace(/ bytes=2048/, '')],
    ['no bytes at all in a canary', (t) => t.replace(/bytes=2048/, 'bytes=0')],
    ['bytes that are not whole words', (t) => t.replace(/bytes=2048/, 'bytes=2044')],
    ['more bytes than a guest has', (t) => t.replace(/bytes=2048/, 'bytes=99999999999')],
    ['an index that is no number', (t) => t.replace('canary=3', 'canary=three')],
    ['an address that is no number', (t) => t.replace(/(canary=3.*)phys=0x/, '$1phys=0xg')],
    ['an address without its prefix', (t) => t.replace(/(record=fired )phys=0x/, '$1phys=')],
    ['a record without an address', (t) => t.replace(/record=armed phys=\S+/, 'record=armed')],
    ['another kind', (t) => t.replace('kind=slab', 'kind=stack')],
    ['another version', (t) => t.replace('v=1', 'v=2')],
    ['a short nonce', (t) => t.replace(/nonce=../, 'nonce=')],
    ['a line of another program', (t) => `${t}sh: write error\n`],
    ['a line that lost its end', (t) => t.slice(0, t.lastIndexOf(' phys='))],
  ])('names the line: %s', (_, spoil) => {
    const spoilt = spoil(real);
    expect(spoilt).not.toBe(real);
    const lines = real.trim().split('\n');
    const changed = spoilt
      .trim()
      .split('\n')
      .find((line) => !lines.includes(line));
    expect(() => parseListing(spoilt)).toThrow(changed);
  });

  it.each<[string, RegExp]>([
    ['the nonce', /^v=1.*\n/m],
    ['the armed record', /^record=armed.*\n/m],
    ['the fired record', /^record=fired.*\n/m],
    ['every canary', /^canary=.*\n/gm],
    ['everything', /^.*\n/gm],
  ])('refuses a listing without %s', (_, part) => {
    expect(() => parseListing(real.replaceAll(new RegExp(part.source, 'gm'), ''))).toThrow(/lacks/);
  });
});

describe('records', () => {
  const nonce = '000102030405060708090a0b0c0d0e0f';
  const armed = (magic: string) => Buffer.concat([Buffer.from(magic), Buffer.from(nonce, 'hex')]);

  it('armed: its magic and 24 bytes', () => {
    expect(parseArmed(armed('DSARMED1'))).toBe(nonce);
    expect(parseArmed(armed('DSARMED2'))).toBeNull();
    expect(parseArmed(armed('DSARMED1').subarray(0, 23))).toBeNull();
    expect(parseArmed(new Uint8Array())).toBeNull();
  });

  it('fired: nothing of another magic, nothing of 95 bytes, whatever else is in it', () => {
    const page = Buffer.alloc(96, 0xff);
    expect(parseFired(page)).toBeNull();
    page.write('DSFIRED1');
    expect(parseFired(page)).toMatchObject({ state: 'fired', in_nmi: true, irqs_off: true, in_flight: -1 });
    expect(parseFired(page.subarray(0, 95))).toBeNull();
    page.write('DSUNFIRD');
    expect(parseFired(page)?.state).toBe('unfired');
  });
});

test('canaries differ by nonce and by index', () => {
  const nonce = '57b7ff5c08a898a4faabdbd7e203eb8b';
  const all = [0, 1, 0xa0, 0xf0].map((index) => Buffer.from(canaryBytes(nonce, index, 64)).toString('hex'));
  all.push(Buffer.from(canaryBytes(`${nonce.slice(0, -1)}c`, 0, 64)).toString('hex'));
  expect(new Set(all).size).toBe(all.length);
  expect(canaryBytes(nonce, 0, 4096).subarray(0, 64)).toEqual(canaryBytes(nonce, 0, 64));
});
