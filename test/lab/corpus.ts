/**
 * What the control file of the crash module is fed with: noise, long lines, and commands with something wrong in them.
 * Reproducible from a seed. Whether a text could arm is judged here by the catalogue alone, and errs on the side of
 * yes: such a text is never fed.
 */
import fc from 'fast-check';
import { type CpioEntry, file } from '../../agent/lab/cpio.ts';
import { crashPoints, needs } from '../../schema/crash-point.ts';
import { type CrashType, crashTypes } from '../../schema/crash-type.ts';
import { namesOf } from '../../schema/vocabulary.ts';

/** The longest line that is fed; the module takes 4096 bytes. */
const longestBytes = 65_536;
const controlBytes = 4096;

const keys = ['action', 'nonce', 'point', 'type', 'device', 'interface', 'pci', 'inflight', 'skip', 'cpu'];

/** The words of a command, or null where the module cannot but refuse it as a text. */
function wordsOf(text: Uint8Array): ReadonlyMap<string, string> | null {
  if (
    text.length > controlBytes ||
    text.some((byte) => (byte < 0x20 || byte > 0x7e) && byte !== 9 && byte !== 10)
  )
    return null;
  const words = new Map<string, string>();
  for (const word of Buffer.from(text)
    .toString('latin1')
    .split(/[ \t\n]/)) {
    if (word === '') continue;
    const at = word.indexOf('=');
    const key = word.slice(0, Math.max(at, 0));
    if (at < 0 || !keys.includes(key) || words.has(key)) return null;
    words.set(key, word.slice(at + 1));
  }
  return words;
}

const isNonce = (text: string | undefined) => text !== undefined && /^[0-9a-f]{32}$/.test(text);

/** Whether the module might take this as an arming, were its nonce planted and were there any device of that name. */
export function couldArm(text: Uint8Array): boolean {
  const words = wordsOf(text);
  if (words?.get('action') !== 'arm' || !isNonce(words.get('nonce'))) return false;
  const [point, type] = [words.get('point') ?? '', words.get('type') ?? ''];
  if (!Object.hasOwn(crashPoints, point) || !Object.hasOwn(crashTypes, type)) return false;
  const row = crashPoints[point as keyof typeof crashPoints];
  const { sleeps, contexts } = crashTypes[type as CrashType];
  if (sleeps && !row.maySleep) return false;
  if (point === 'nmi' && !(contexts as readonly string[]).includes('nmi')) return false;
  if (row.needs !== null && !words.has(row.needs)) return false;
  if (namesOf(needs).some((key) => key !== 'device' && key !== row.needs && words.has(key))) return false;
  if (!words.has('device') && Number(words.get('inflight')) > 0) return false;
  return !Object.entries(absent).some(([key, values]) => values.includes(words.get(key) ?? ''));
}

/** Whether the module takes this as a planting, and of which nonce. Null where it does not. */
export function plants(text: Uint8Array): string | null {
  const words = wordsOf(text);
  const nonce = words?.get('nonce');
  return words?.get('action') === 'plant' && words.size === 2 && isNonce(nonce) ? (nonce ?? null) : null;
}

/** What is written like the name of a device, and is none that the guest could arm. 0000:00:00.0 has no interrupts. */
const absent: Readonly<Record<string, readonly string[]>> = {
  device: ['4095:0', '0:1048575'],
  interface: ['nosuch0', 'a'],
  pci: ['ffff:ff:1f.7', 'fffff:00:00.0', '0000:00:00.0'],
  cpu: ['63', '511'],
};

/** What no key takes, or only another one. */
const wrong = [
  '',
  '=',
  '-1',
  '+1',
  '0x10',
  '010',
  '1025',
  '1000001',
  '4294967296',
  '18446744073709551616',
  '99999999999999999999999',
  '%s%n%p',
  ':',
  '8:',
  ':0',
  '8:0:0',
  '4096:1048576',
  '../../etc',
  'lo/eth0',
  'an-interface-name-that-is-too-long',
  '0000:00:00.8',
  '0000:00:20.0',
  '000:00:00.0',
  'PANIC',
  'a'.repeat(41),
  'b'.repeat(3000),
];

const hex = fc.constantFrom(...'0123456789abcdef');
/** The nonce of the guest, so that what is refused is not refused for its nonce, and others. */
export const guestNonce = '57b7ff5c08a898a4faabdbd7e203eb8b';
const nonce = fc.oneof(
  { weight: 6, arbitrary: fc.constant(guestNonce) },
  { weight: 1, arbitrary: fc.array(hex, { minLength: 32, maxLength: 32 }).map((digits) => digits.join('')) },
);

/** One word of a command that is right but for devices that are not there. */
function word(key: string): fc.Arbitrary<string> {
  const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
    nonce,
    point: fc.constantFrom(...namesOf(crashPoints)),
    type: fc.constantFrom(...namesOf(crashTypes)),
    inflight: fc.integer({ min: 0, max: 1024 }).map(String),
    skip: fc.integer({ min: 0, max: 1_000_000 }).map(String),
  };
  return (values[key] ?? fc.constantFrom(...(absent[key] ?? ['?']))).map((value) => `${key}=${value}`);
}

/** An arming with what its point needs, and up to two words more. */
const arming = fc
  .tuple(
    fc.constantFrom(...namesOf(crashPoints)),
    fc.subarray(['device', 'interface', 'pci', 'inflight', 'skip', 'cpu'], { maxLength: 2 }),
  )
  .chain(([point, more]) => {
    const { needs } = crashPoints[point];
    const chosen = new Set([...(needs === null ? [] : [needs]), ...more]);
    return fc.tuple(
      fc.constant('action=arm'),
      word('nonce'),
      fc.constant(`point=${point}`),
      ...['type', ...chosen].map(word),
    );
  });
const other = fc.oneof(
  nonce.map((value) => ['action=plant', `nonce=${value}`]),
  fc.constant(['action=disarm']),
  fc.tuple(fc.constantFrom('action=plant', 'action=disarm'), fc.constantFrom(...keys.slice(1)).chain(word)),
);
const command: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 4, arbitrary: arming },
  { weight: 1, arbitrary: other },
);

type Change = (words: readonly string[], at: number, value: string) => readonly string[];

/** One thing that is changed about a command. */
const changes: readonly Change[] = [
  ...Array.from({ length: 6 }, () => (words: readonly string[]) => words),
  (words, at) => words.toSpliced(at, 1),
  (words, at) => words.toSpliced(at, 0, words[at] ?? ''),
  (words, at, value) => words.with(at, `${words[at]?.split('=')[0]}=${value}`),
  (words, at, value) => words.with(at, `${words[at]}${value}`),
  (words, at, value) => words.toSpliced(at, 0, value),
  (words, at) => words.with(at, (words[at] ?? '').toUpperCase()),
  (words, at) => words.with(at, (words[at] ?? '').replace('=', '')),
  (words, at) => words.with(at, (words[at] ?? '').slice(0, -1)),
  (words, at) => words.with(at, `${words[at]}\u0000`),
  (words, at) => words.with(at, `${words[at]}\u00e9\u001b[0m`),
  (words) => words.toReversed(),
  (words) => [...words, ...words],
  (words) => [words.join('')],
];

const changed = fc
  .tuple(
    command,
    fc.array(fc.tuple(fc.constantFrom(...changes), fc.nat(20), fc.constantFrom(...wrong)), {
      minLength: 1,
      maxLength: 2,
    }),
    fc.constantFrom(' ', '\t', '\n', '  '),
    fc.constantFrom('', '\n', ' \n\n'),
  )
  .map(([words, list, between, end]) => {
    const out = list.reduce<readonly string[]>(
      (before, [change, at, value]) =>
        before.length === 0 ? before : change(before, at % before.length, value),
      words,
    );
    return Buffer.from(`${out.join(between)}${end}` || '\n', 'latin1');
  });

const noise = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const long = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(controlBytes - 1, controlBytes, controlBytes + 1, longestBytes),
      fc.integer({ min: controlBytes, max: longestBytes }),
    ),
    fc.constantFrom('a', ' ', '\n', '=', 'action=arm ', 'action=disarm\n', `nonce=${guestNonce} `, '\u0000'),
  )
  .map(([length, part]) => Buffer.alloc(length, part, 'latin1'));

/** `count` inputs, of which none could arm. */
export function corpus(count: number, seed: number): Buffer[] {
  const input = fc.oneof(
    { weight: 70, arbitrary: changed },
    { weight: 27, arbitrary: noise },
    { weight: 3, arbitrary: long },
  );
  return fc.sample(
    input.filter((text) => !couldArm(text)),
    { numRuns: count, seed },
  );
}

/** The corpus as the guest reads it: all inputs in one file, and lines `number offset length`, from 1. */
export function corpusFiles(inputs: readonly Buffer[]): CpioEntry[] {
  let offset = 0;
  const index = inputs.map((text, i) => {
    const line = `${i + 1} ${offset} ${text.length}\n`;
    offset += text.length;
    return line;
  });
  return [file('corpus/inputs', Buffer.concat(inputs)), file('corpus/index', index.join(''))];
}
