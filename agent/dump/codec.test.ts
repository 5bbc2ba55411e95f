/** Every encoding gives the same pages as the library that packed them; bad data gives none, and never throws. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { judgeDump } from '../../schema/classify/judge.ts';
import { forgery, listing, recoded } from '../../test/fixtures/dumps/fixture.ts';
import { fromKdump, pageOf } from '../../test/fixtures/dumps/forge.ts';
import { codecOf, decodePage } from './codec.ts';
import { bytesSource } from './source.ts';
import { verifyDump } from './verify.ts';

const encodings = ['lzo', 'snappy', 'zstd'] as const;
const flagOf = { lzo: 2, snappy: 4, zstd: 32 } as const;

test.each(encodings)('%s: a dump is verified', async (name) => {
  expect(judgeDump(await verifyDump(bytesSource(recoded(name)), listing)).reason).toBe('verified');
});

test.each(encodings)('%s: every page has the contents that zlib has', (name) => {
  const pages = fromKdump(recoded(name)).pages;
  expect([...pages.values()].filter((p) => p.flags === flagOf[name]).length).toBeGreaterThan(100);
  for (const [pfn, { data, flags }] of pages) {
    const codec = codecOf(flags);
    const original = forgery.pages.get(pfn);
    const page = codec && decodePage(codec, data, 4096);
    expect(page && original && Buffer.from(page).equals(pageOf(original))).toBe(true);
  }
});

test.each(encodings)(
  '%s: cut, lengthened, changed or random data never throws and never gives another length',
  (name) => {
    const codec = codecOf(flagOf[name]);
    const packed = [...fromKdump(recoded(name)).pages.values()].filter((p) => p.flags === flagOf[name]);
    expect(codec).not.toBeNull();
    if (codec === null) return;
    const change = fc.property(
      fc.constantFrom(...packed),
      fc.nat(4096),
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom('cut', 'lengthen', 'change', 'random'),
      ({ data }, at, noise, how) => {
        const place = at % data.length;
        const bytes = Buffer.from(how === 'lengthen' ? Buffer.concat([data, Buffer.from('x')]) : data);
        if (how === 'change') bytes.set(noise.subarray(0, data.length - place), place);
        const input = how === 'cut' ? bytes.subarray(0, place) : how === 'random' ? noise : bytes;
        const page = decodePage(codec, input, 4096);
        if (how === 'cut') expect(page).toBeNull();
        else expect(page === null || page.length === 4096).toBe(true);
      },
    );
    fc.assert(change, { seed: 7, numRuns: 2000 });
  },
);
