/** The kernel module's own tables and layouts against the catalogue and the verifier, read from its C sources. */
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { parseTrigger } from '../agent/trial/module-lines.ts';
import { parseArmed, parseFired, parseListing, recordFill, recordHeaderBytes } from '../schema/canary.ts';
import { crashPoints } from '../schema/crash-point.ts';
import { crashTypes } from '../schema/crash-type.ts';
import { namesOf } from '../schema/vocabulary.ts';

const source = (name: string) => readFileSync(new URL(`../kmod/${name}`, import.meta.url), 'utf8');
const header = source('crashpoint.h');

/** C without comments. */
function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '');
}

/** The rows of a table of structs, each as its designated initialisers. */
function tableIn(text: string, name: string): Map<string, string>[] {
  const body =
    new RegExp(`const struct \\w+ ${name}\\[\\] = \\{([\\s\\S]*?)\\n\\};`).exec(code(text))?.[1] ?? '';
  return [...body.matchAll(/\{([^{}]*)\}/g)].map(
    ([, row = '']) =>
      new Map([...row.matchAll(/\.(\w+)\s*=\s*("[^"]*"|\w+)/g)].map((m) => [m[1] ?? '', m[2] ?? ''])),
  );
}

const unquote = (text = '') => text.replaceAll('"', '');

const points = tableIn(source('points.c'), 'cp_points');
const types = tableIn(source('types.c'), 'cp_types');

const needsNames: Readonly<Record<string, string>> = {
  CP_NEEDS_DISK: 'device',
  CP_NEEDS_INTERFACE: 'interface',
  CP_NEEDS_PCI: 'pci',
};

function byName<T extends { readonly name: string }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

describe('the tables of the module', () => {
  it('are found', () => {
    expect([points.length > 0, types.length > 0]).toEqual([true, true]);
  });

  it('hold the points of the catalogue, with what each needs, whether it may sleep and whether interrupts are off', () => {
    const module = points.map((row) => ({
      name: unquote(row.get('name')),
      needs: needsNames[row.get('needs') ?? ''] ?? null,
      maySleep: row.get('may_sleep') === 'true',
      irqsOff: row.get('irqs_off') === 'true',
    }));
    const catalogue = namesOf(crashPoints).map((name) => {
      const { needs, maySleep, irqsOff } = crashPoints[name];
      return { name, needs, maySleep, irqsOff: irqsOff === true };
    });
    expect(byName(module)).toEqual(byName(catalogue));
  });

  it('hold the types of the catalogue, with whether each hangs, sleeps, and makes sense in an NMI', () => {
    const module = types.map((row) => ({
      name: unquote(row.get('name')),
      hangs: row.get('hangs') === 'true',
      sleeps: row.get('sleeps') === 'true',
      notInNmi: ['sleeps', 'not_in_nmi', 'needs_irqs'].some((field) => row.get(field) === 'true'),
    }));
    const catalogue = namesOf(crashTypes).map((name) => {
      const { hangs, sleeps, contexts } = crashTypes[name];
      return { name, hangs, sleeps, notInNmi: !(contexts as readonly string[]).includes('nmi') };
    });
    expect(byName(module)).toEqual(byName(catalogue));
  });

  it('have names that fit the records', () => {
    const bytes = Number(/#define CP_NAME_BYTES\s+(\d+)/.exec(header)?.[1]);
    for (const row of [...points, ...types]) expect(unquote(row.get('name')).length).toBeLessThan(bytes);
  });
});

const sizes: Readonly<Record<string, number>> = { char: 1, u8: 1, __le32: 4, __le64: 8 };
const constants = new Map(
  [...header.matchAll(/#define\s+(CP_\w+)\s+(0x[0-9A-F]+|\d+)\s/g)].map((m) => [m[1] ?? '', Number(m[2])]),
);

/** The offset of each field of a struct without padding, and its size under `''`. */
function layoutOf(struct: string): Map<string, number> {
  const body = new RegExp(`struct ${struct} \\{([^}]*)\\}`).exec(code(header))?.[1] ?? '';
  const layout = new Map<string, number>();
  let at = 0;
  for (const [, type = '', name = '', count = '1'] of body.matchAll(/(\w+)\s+(\w+)(?:\[(\w+)\])?;/g)) {
    const size = sizes[type] ?? Number.NaN;
    expect(at % size).toBe(0);
    layout.set(name, at);
    at += size * (constants.get(count) ?? Number(count));
  }
  return layout.set('', at);
}

describe('records', () => {
  const nonce = '57b7ff5c08a898a4faabdbd7e203eb8b';
  const armed = layoutOf('cp_armed_record');
  const fired = layoutOf('cp_fired_record');
  const magicsIn = (text: string) => [...text.matchAll(/"(DS[A-Z0-9]{6})"/g)].map((m) => m[1]);

  it('have the sizes that the verifier and the module itself state', () => {
    expect(armed.get('')).toBe(recordHeaderBytes.armed);
    expect(fired.get('')).toBe(recordHeaderBytes.fired);
    for (const [name, size] of [
      ['armed', armed.get('')],
      ['fired', fired.get('')],
    ]) {
      expect(code(header)).toContain(`static_assert(sizeof(struct cp_${name}_record) == ${size});`);
    }
  });

  it('are filled with the contents of the indices that the verifier uses', () => {
    expect(constants.get('CP_INDEX_ARMED')).toBe(recordFill.armed);
    expect(constants.get('CP_INDEX_FIRED')).toBe(recordFill.fired);
  });

  it('are read where the module writes them', () => {
    const page = Buffer.alloc(4096, 0xee);
    const at = (name: string) => fired.get(name) ?? Number.NaN;
    const values = {
      flags: 0b1010 | (3 << 4) | 0x100 | 0x200 | 0x800,
      preempt_count: 0x101,
      cpu: -2,
      inflight: -1,
    };
    page.write(nonce, at('nonce'), 'hex');
    page.write('timer\0', at('point'), 'latin1');
    page.write('exception\0', at('type'), 'latin1');
    for (const [name, value] of Object.entries(values)) page.writeInt32LE(value, at(name));
    page.writeBigUInt64LE(11_205_512_000n, at('time_ns'));
    const record = {
      nonce,
      task: 'kworker',
      at_crash: { irqs_off: true, preempt_off: false, lock_held: true, console_held: false },
      point: 'timer',
      type: 'exception',
      in_nmi: false,
      in_hardirq: true,
      in_softirq: false,
      irqs_off: true,
      preempt: 0x101,
      cpu: -2,
      in_flight: -1,
      timeNs: 11_205_512_000n,
    };
    const [planted] = magicsIn(source('canary.c')).filter((magic) => magic !== 'DSARMED1');
    const [stored] = magicsIn(source('fire.c'));
    page.write(planted ?? '', at('magic'), 'latin1');
    expect(parseFired(page)).toEqual({ ...record, state: 'unfired' });
    page.write(stored ?? '', at('magic'), 'latin1');
    expect(parseFired(page)).toEqual({ ...record, state: 'fired' });
  });

  it('of an armed trial too', () => {
    const page = Buffer.alloc(4096, 0xee);
    page.write(magicsIn(source('canary.c'))[0] ?? '', armed.get('magic') ?? Number.NaN, 'latin1');
    page.write(nonce, armed.get('nonce') ?? Number.NaN, 'hex');
    expect(parseArmed(page)).toBe(nonce);
  });

  it('have the flags that the verifier reads', () => {
    const flags = [...code(header).matchAll(/#define (CP_IN\w*|CP_IRQS_OFF)\s+\(1U << (\d+)\)/g)];
    expect(flags.map((m) => [m[1], Number(m[2])])).toEqual([
      ['CP_IN_NMI', 0],
      ['CP_IN_HARDIRQ', 1],
      ['CP_IN_SOFTIRQ', 2],
      ['CP_IRQS_OFF', 3],
    ]);
    const crash = [...code(header).matchAll(/#define (CP_CRASH_\w+)\s+\(1U << (\d+)\)/g)];
    expect(crash.map((m) => [m[1], Number(m[2])])).toEqual([
      ['CP_CRASH_KNOWN', 8],
      ['CP_CRASH_IRQS_OFF', 9],
      ['CP_CRASH_PREEMPT_OFF', 10],
      ['CP_CRASH_LOCK_HELD', 11],
      ['CP_CRASH_CONSOLE_HELD', 12],
    ]);
  });
});

/** A printf format filled in: the next value for each conversion. */
function printed(format: string, values: readonly (string | number)[]): string {
  let next = 0;
  return format
    .replaceAll(/%(\*ph|0?\d*(?:ll|l|z)?)([a-zN])/g, () => String(values[next++]))
    .replace(/\\n$/, '');
}

/** The format string of the first call of a function whose text begins like this. */
function formatIn(file: string, beginning: string): string {
  const all = [...source(file).matchAll(/(?:pr_emerg|seq_printf)\((?:m, )?"([^"]*)"/g)].map(
    (m) => m[1] ?? '',
  );
  const found = all.find((format) => format.startsWith(beginning));
  if (found === undefined) throw new Error(`${file} prints nothing that begins with ${beginning}`);
  return found;
}

describe('what the module prints, the agent reads', () => {
  const nonce = '57b7ff5c08a898a4faabdbd7e203eb8b';

  it('the trigger line', () => {
    const line = printed(formatIn('fire.c', 'v=2 nonce='), [
      nonce,
      'timer',
      'exception',
      0,
      0,
      1,
      0,
      '00000101',
      'idle',
      1,
      -1,
    ]);
    expect(parseTrigger(`[   11.205512] crashpoint: ${line}`)).toEqual({
      nonce,
      crash_point: 'timer',
      crash_type: 'exception',
      in_nmi: false,
      in_hardirq: false,
      in_softirq: true,
      irqs_off: false,
      preempt: 0x101,
      task: 'idle',
      cpu: 1,
      in_flight: -1,
    });
  });

  it('the listing', () => {
    const record = formatIn('canary.c', 'record=');
    const canary = formatIn('canary.c', 'canary=');
    const lines = [
      printed(formatIn('canary.c', 'v=1 nonce='), [nonce]),
      printed(record, ['armed', '1e9eb000', 'ffff88801e9eb000', 4096]),
      printed(record, ['fired', '1ff77000', 'ffff88801ff77000', 4096]),
      printed(canary, [3, 'module-data', 0, 0, '5eb8000', 'ffffffffc0238000', 2048]),
    ];
    expect(parseListing(lines.join('\n'))).toEqual({
      nonce,
      armed: 0x1e9eb000n,
      fired: 0x1ff77000n,
      canaries: [{ index: 3, kind: 'module-data', phys: 0x5eb8000n, byteCount: 2048 }],
    });
  });

  it('every kind of memory that it plants in', () => {
    const kinds = [
      ...code(source('canary.c')).matchAll(/"(page|slab|vmalloc|module-data|percpu|[a-z-]+data)"/g),
    ].map((m) => m[1] ?? '');
    expect(new Set(kinds)).toEqual(new Set(['page', 'slab', 'vmalloc', 'module-data', 'percpu']));
    const listing = (kind: string) =>
      `v=1 nonce=${nonce}\nrecord=armed phys=0x1\nrecord=fired phys=0x2\ncanary=0 kind=${kind} phys=0x3 bytes=8`;
    for (const kind of new Set(kinds)) expect(parseListing(listing(kind)).canaries[0]?.kind).toBe(kind);
  });

  it('what it prints of a crash that was survived is what the guest looks for', () => {
    const first = readFileSync(new URL('../agent/lab/guest/first.sh', import.meta.url), 'utf8');
    expect(formatIn('fire.c', 'survived')).toMatch(/^survived nonce=/);
    expect(first).toContain("grep -q 'crashpoint: survived'");
    expect(first).toContain("grep -qE 'crashpoint: v=2 nonce|");
  });
});

test('DKMS names the version that the module has', () => {
  const version = /MODULE_VERSION\("(.+)"\)/.exec(source('main.c'))?.[1];
  expect(version).toBeDefined();
  expect(source('dkms.conf')).toContain(`PACKAGE_VERSION="${version}"`);
});

test('the constants of splitmix64 are the same on both sides', () => {
  const ours = readFileSync(new URL('../schema/canary.ts', import.meta.url), 'utf8').toLowerCase();
  const theirs = code(source('canary.c')).toLowerCase();
  for (const constant of ['9e3779b97f4a7c15', 'bf58476d1ce4e5b9', '94d049bb133111eb']) {
    expect(ours).toContain(`0x${constant}n`);
    expect(theirs).toContain(`0x${constant}`);
  }
});
