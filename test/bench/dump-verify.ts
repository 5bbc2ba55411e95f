/**
 * What verifying a dump costs, held against what cannot be avoided: reading the file, and inflating its pages. The
 * dump is that of a real trial, as it lies on the disk under test; the compressed one is made of it by makedumpfile.
 */
import { link, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { type FileSource, fileSource } from '../../agent/dump/file_source.ts';
import { openFlattened } from '../../agent/dump/flattened.ts';
import { verifyDump } from '../../agent/dump/verify.ts';
import { build } from '../../agent/lab/machines.ts';
import { type Lab, provision } from '../../agent/lab/provision.ts';
import { dataDir } from '../../agent/paths.ts';
import { run } from '../../agent/run.ts';
import type { Listing } from '../../schema/canary.ts';
import { capturedTrial } from './lab-guests.ts';
import { inTurns, timeOf } from './measure.ts';
import type { Context, Findings } from './section.ts';

const pageBytes = 4096;

/** Runs the lab's own makedumpfile on the host. */
async function makedumpfile(lab: Lab, shellArguments: string): Promise<void> {
  const root = lab.programs;
  const places = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((dir) => join(root, dir)).join(':');
  const program = `'${root}/lib64/ld-linux-x86-64.so.2' --library-path '${places}' '${root}/usr/bin/makedumpfile'`;
  await run(['sh', '-c', `${program} ${shellArguments}`]);
}

interface RealDump {
  readonly listing: Listing;
  /** The disk under test. */
  readonly image: string;
  /** How long the dump on it is. */
  readonly byteCount: number;
  /** The same pages in the kdump-compressed format, each deflated. */
  readonly deflated: string;
}

/** Takes a dump by a trial. */
async function takeDump(lab: Lab, dir: string): Promise<RealDump> {
  const kept: { image: string; listing: Listing }[] = [];
  await capturedTrial(lab, 'direct/panic/idle/none', async (image, planted) => {
    if (!('canaries' in planted)) throw new Error('the module planted nothing');
    await link(image, join(dir, 'disk.img'));
    kept.push({ image: join(dir, 'disk.img'), listing: planted });
  });
  const [dump] = kept;
  if (!dump) throw new Error('the trial left no dump');
  const source = await fileSource(dump.image, { offset: build.dumpAtBytes });
  const { byteCount } = await openFlattened(source).finally(source.close);
  const [plain, deflated] = [join(dir, 'plain'), join(dir, 'deflated')];
  await makedumpfile(lab, `-R '${plain}' < '${await cutOut(dump.image, byteCount, dir)}'`);
  await makedumpfile(lab, `-c -d 31 '${plain}' '${deflated}'`);
  return { ...dump, byteCount, deflated };
}

async function cutOut(image: string, byteCount: number, dir: string): Promise<string> {
  const path = join(dir, 'flattened');
  await run([
    'sh',
    '-c',
    `tail -c +${build.dumpAtBytes + 1} "$1" | head -c ${byteCount} > "$2"`,
    'sh',
    image,
    path,
  ]);
  return path;
}

async function withSource<T>(
  path: string,
  range: { offset?: number; byteCount?: number },
  work: (source: FileSource) => Promise<T>,
): Promise<T> {
  const source = await fileSource(path, range);
  return work(source).finally(source.close);
}

/** Reads a file from start to end. */
function readThrough(path: string, range: { offset?: number; byteCount?: number } = {}): Promise<void> {
  return withSource(path, range, async (source) => {
    for (let at = 0; at < source.byteCount; ) at += (await source.read(at, 1 << 20)).length;
  });
}

/** The deflated pages of a kdump-compressed dump of makedumpfile (its layout: see agent/dump/kdump.ts). */
async function deflatedPages(path: string): Promise<Uint8Array[]> {
  return withSource(path, {}, async (source) => {
    const file = Buffer.from(await source.read(0, source.byteCount));
    const firstDescriptor = (1 + file.readInt32LE(432) + file.readUInt32LE(436)) * pageBytes;
    const pages: Uint8Array[] = [];
    // Page data begins behind the table of descriptors, with the page that the first one names.
    for (let at = firstDescriptor; at < Number(file.readBigUInt64LE(firstDescriptor)); at += 24) {
      const from = Number(file.readBigUInt64LE(at));
      if (file.readUInt32LE(at + 12) === 1) pages.push(file.subarray(from, from + file.readUInt32LE(at + 8)));
    }
    return pages;
  });
}

async function verified(source: FileSource, listing: Listing): Promise<void> {
  const finding = await verifyDump(source, listing);
  const { promised, present, undecodable } = finding.pages;
  if (finding.fired !== 'present' || present < promised || undecodable > 0) {
    throw new Error(`the dump was not verified: ${JSON.stringify(finding)}`);
  }
}

/** The section. */
export async function dumpVerify({ rounds, say }: Context): Promise<Findings> {
  const lab = await provision(join(dataDir(), 'lab'), say);
  await mkdir(join(lab.dir, 'trials'), { recursive: true });
  const dir = await mkdtemp(join(lab.dir, 'trials/'));
  try {
    say('taking a dump by a trial');
    const dump = await takeDump(lab, dir);
    const pages = await deflatedPages(dump.deflated);
    say(`a dump of ${(dump.byteCount / 2 ** 20).toFixed(0)} MiB, ${pages.length} of its pages deflated`);
    const range = { offset: build.dumpAtBytes, byteCount: dump.byteCount };
    const options = { chunkSize: pageBytes, maxOutputLength: pageBytes };
    const all = {
      raw: () => withSource(dump.image, range, (source) => verified(source, dump.listing)),
      rawRead: () => readThrough(dump.image, range),
      deflated: () => withSource(dump.deflated, {}, (source) => verified(source, dump.listing)),
      inflate: async () => {
        for (const page of pages) inflateSync(page, options);
      },
      deflatedRead: () => readThrough(dump.deflated),
    };
    // The first time fills caches and compiles.
    for (const work of Object.values(all)) await work();
    const medians = await inTurns(rounds, {
      raw: () => timeOf(all.raw),
      rawRead: () => timeOf(all.rawRead),
      deflated: () => timeOf(all.deflated),
      inflate: () => timeOf(all.inflate),
      deflatedRead: () => timeOf(all.deflatedRead),
    });
    const row = (what: string, measured: number, against: string, peer: number) =>
      ({ what: `dump-verify: ${what}`, unit: 'ms', measured, against, peer, bound: null }) as const;
    return {
      rows: [
        row('dump on the disk, not compressed', medians.raw, 'reading it', medians.rawRead),
        row('dump, deflated', medians.deflated, 'inflating its pages', medians.inflate),
        row('dump, deflated', medians.deflated, 'reading it', medians.deflatedRead),
      ],
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
