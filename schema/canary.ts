/**
 * What the kernel module plants in memory, so that the verifier can recompute it (kmod/crashpoint.h states the
 * same layout): canary pages whose contents follow from the nonce, and the two records `armed` and `fired`.
 */
import { fromHex, toHex } from './bytes.ts';
import type { TaskKind } from './crash-point.ts';

const golden = 0x9e3779b97f4a7c15n;
const mask = (1n << 64n) - 1n;

/** The indices whose contents fill the pages of the two records behind their headers. */
export const recordFill = { armed: 0xa0, fired: 0xf0 } as const;

/** The bytes of a record that are header, not fill. */
export const recordHeaderBytes = { armed: 24, fired: 96 } as const;

/** The finalizer of splitmix64 (Steele, Lea, Flood, OOPSLA 2014). */
function mix(value: bigint): bigint {
  let z = value;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
  return z ^ (z >> 31n);
}

/** The contents of a canary: `byteCount` bytes (a multiple of 8) that follow from the nonce and the canary's index. */
export function canaryBytes(nonce: string, index: number, byteCount: number): Uint8Array<ArrayBuffer> {
  const view = new DataView(fromHex(nonce).buffer);
  const n0 = view.getBigUint64(0, true);
  const n1 = view.getBigUint64(8, true);
  const rotated = ((n1 << 32n) | (n1 >> 32n)) & mask;
  const seed = n0 ^ rotated ^ ((BigInt(index) * golden) & mask);
  const bytes = new Uint8Array(byteCount);
  const out = new DataView(bytes.buffer);
  for (let j = 0; j < byteCount / 8; j++) {
    out.setBigUint64(8 * j, mix((seed + BigInt(j + 1) * golden) & mask), true);
  }
  return bytes;
}

/** What the `fired` record says. `in_flight` is -1 where the device keeps no count. */
export interface FiredRecord {
  readonly state: 'fired' | 'unfired';
  readonly nonce: string;
  readonly point: string;
  readonly type: string;
  readonly in_nmi: boolean;
  readonly in_hardirq: boolean;
  readonly in_softirq: boolean;
  readonly irqs_off: boolean;
  readonly preempt: number;
  /** Null in records of a module that did not say. */
  readonly task: TaskKind | null;
  /** The set-up of the crash type as it was just before the fatal act; null where the crash did not get so far. */
  readonly at_crash: {
    readonly irqs_off: boolean;
    readonly preempt_off: boolean;
    readonly lock_held: boolean;
    readonly console_held: boolean;
  } | null;
  readonly cpu: number;
  readonly in_flight: number;
  readonly timeNs: bigint;
}

/** Codes of the kinds of task in the record's flags (kmod/crashpoint.h). */
const taskKindCodes: readonly (TaskKind | null)[] = [
  null,
  'user',
  'kthread',
  'kworker',
  'irq-thread',
  'ksoftirqd',
  'idle',
];

function ascii(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

/** The nonce of an `armed` record's page, or null where there is no such record. */
export function parseArmed(page: Uint8Array): string | null {
  return page.length >= 24 && ascii(page.subarray(0, 8)) === 'DSARMED1' ? toHex(page.subarray(8, 24)) : null;
}

/** The `fired` record of a page, or null where there is none. */
export function parseFired(page: Uint8Array): FiredRecord | null {
  if (page.length < recordHeaderBytes.fired) return null;
  const magic = ascii(page.subarray(0, 8));
  if (magic !== 'DSFIRED1' && magic !== 'DSUNFIRD') return null;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const flags = view.getUint32(72, true);
  return {
    state: magic === 'DSFIRED1' ? 'fired' : 'unfired',
    nonce: toHex(page.subarray(8, 24)),
    point: ascii(page.subarray(24, 48)),
    type: ascii(page.subarray(48, 72)),
    task: taskKindCodes[(flags >> 4) & 0xf] ?? null,
    at_crash:
      (flags & 0x100) === 0
        ? null
        : {
            irqs_off: (flags & 0x200) !== 0,
            preempt_off: (flags & 0x400) !== 0,
            lock_held: (flags & 0x800) !== 0,
            console_held: (flags & 0x1000) !== 0,
          },
    in_nmi: (flags & 1) !== 0,
    in_hardirq: (flags & 2) !== 0,
    in_softirq: (flags & 4) !== 0,
    irqs_off: (flags & 8) !== 0,
    preempt: view.getUint32(76, true),
    cpu: view.getInt32(80, true),
    in_flight: view.getInt32(84, true),
    timeNs: view.getBigUint64(88, true),
  };
}

/** One piece of planted memory, as the module lists it: physically contiguous. */
export interface Planted {
  readonly index: number;
  readonly kind: 'page' | 'slab' | 'vmalloc' | 'module-data' | 'percpu';
  readonly phys: bigint;
  readonly byteCount: number;
}

/** Everything that the module planted for one nonce. */
export interface Listing {
  readonly nonce: string;
  readonly armed: bigint;
  readonly fired: bigint;
  readonly canaries: readonly Planted[];
}

const plantedKinds: readonly string[] = ['page', 'slab', 'vmalloc', 'module-data', 'percpu'];

const address = /^0x[0-9a-f]{1,16}$/;

/** The words `name=value` of a line. */
function wordsOf(line: string): Map<string, string> {
  return new Map(
    line
      .trim()
      .split(/\s+/)
      .map((word) => word.split('=', 2) as [string, string]),
  );
}

/** A canary's line, or null where it is not one: contents are made of 8-byte words, and every number must be whole. */
function plantedIn(words: ReadonlyMap<string, string>): Planted | null {
  const [index = '', kind = '', phys = '', bytes = ''] = ['canary', 'kind', 'phys', 'bytes'].map((name) =>
    words.get(name),
  );
  const isWhole = /^\d{1,3}$/.test(index) && address.test(phys) && /^[1-9]\d{0,8}$/.test(bytes);
  if (!isWhole || !plantedKinds.includes(kind) || Number(bytes) % 8 !== 0) return null;
  return {
    index: Number(index),
    kind: kind as Planted['kind'],
    phys: BigInt(phys),
    byteCount: Number(bytes),
  };
}

/**
 * The module's `listing` file. Throws an Error that names the line where it is not one: a trial whose listing
 * cannot be read must not be armed.
 */
export function parseListing(text: string): Listing {
  let nonce: string | undefined;
  const records = new Map<string, bigint>();
  const canaries: Planted[] = [];
  for (const line of text.split('\n').filter((l) => l.trim() !== '')) {
    const words = wordsOf(line);
    const record = words.get('record');
    const phys = words.get('phys') ?? '';
    const canary = plantedIn(words);
    if (words.get('v') === '1' && /^[0-9a-f]{32}$/.test(words.get('nonce') ?? '')) nonce = words.get('nonce');
    else if (record !== undefined && address.test(phys)) records.set(record, BigInt(phys));
    else if (canary) canaries.push(canary);
    else throw new Error(`the module's listing has a line that is not understood: ${line}`);
  }
  const armed = records.get('armed');
  const fired = records.get('fired');
  if (!nonce || armed === undefined || fired === undefined || canaries.length === 0) {
    throw new Error("the module's listing lacks its nonce, a record or every canary");
  }
  return { nonce, armed, fired, canaries };
}
