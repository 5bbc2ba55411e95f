/**
 * Systems that are damaged, half there, or made to confuse: nothing of what the agent reads of them makes it throw, and
 * what it would send is still a profile.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { profile } from '../../schema/profile.ts';
import { answering } from '../../test/fixtures/metal/answers.ts';
import { soundMachine } from '../../test/fixtures/metal/facts.ts';
import { memoryTree } from '../../test/fixtures/metal/memory.ts';
import { type Planted, parseTree, system, treeNames, treeText } from '../../test/fixtures/metal/plant.ts';
import { machineInventory, profileText } from '../machine/inventory.ts';
import { explained } from '../machine/origins.ts';
import { checkAll, isInOrder } from './checks.ts';
import { doctorFacts } from './facts.ts';

const hostile = [
  '',
  '\n\n\n',
  '0',
  '-1',
  '99999999999999999999',
  '9'.repeat(400),
  '0x',
  'a=b\n'.repeat(300),
  'processor: 1\nmodel: 99999999\ncpu family: 1e9\nvendor_id: <b>\nflags: ',
  'MemTotal: 99999999999999999999999 kB',
  '28 1 8:1 / / rw - ext4 /dev/sda1 rw',
  '28 1 0:1 / / rw - btrfs ../../../etc rw',
  '../../../../../../etc/passwd',
  'ID=<b>\nVERSION_ID=" "',
  'SSH="a@[::"\nNFS=":"\nKDUMP_COREDIR=$(reboot)',
  'nfs [fe80::1%eth0]:/x\nraw\npath',
  'eth0 00000000 00000000 0003 0 0 x FFFFFFFF',
  'zz '.repeat(200),
  '<script>alert(1)</script>',
];

const texts = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(...hostile),
);

/** One change of a system: a file that says something else, is gone, is a directory, or leads somewhere else. */
const change = fc.tuple(fc.nat(), fc.constantFrom('text', 'gone', 'directory', 'link'), texts, fc.nat());

function changed(
  entries: readonly Planted[],
  changes: readonly [number, string, string, number][],
): Planted[] {
  const all = [...entries];
  for (const [at, how, text, other] of changes) {
    const index = at % Math.max(1, all.length);
    const entry = all[index];
    const target = all[other % Math.max(1, all.length)]?.path ?? '/';
    if (entry === undefined) continue;
    const { path } = entry;
    if (how === 'gone') all.splice(index, 1);
    else if (how === 'directory') all[index] = { path, directory: true };
    else if (how === 'link') all[index] = { path, target };
    else all[index] = { path, contents: text };
  }
  return all;
}

const known = {
  ...soundMachine,
  survey: { url: 'https://x', reached: false, why: 'no answer' },
} as const;

describe.each(treeNames)('%s, damaged', (name) => {
  const entries = parseTree(treeText(name));

  it('gives a profile of the agreed form, explained to its end', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), texts, (changes, version) => {
        const tree = memoryTree(changed(entries, changes));
        const found = machineInventory(tree, { kexec: version });
        expect(profile.parse(JSON.parse(profileText(found.profile)))).toEqual(found.profile);
        expect(explained(tree, found).every(({ from }) => from.length > 0)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('is judged, whatever its programs say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 30 }), texts, async (changes, said) => {
        const names = [
          'systemctl',
          'loginctl',
          'who',
          'df',
          'modinfo',
          'dkms',
          'dmsetup',
          'rpm',
          'dpkg-query',
          'kexec',
          'timedatectl',
        ];
        const programs = answering(Object.fromEntries(names.map((program) => [program, said])));
        const facts = await doctorFacts(memoryTree(changed(entries, changes)), programs, known);
        const findings = checkAll(facts);
        for (const { meaning, fix } of findings)
          expect([meaning, ...fix].every((line) => line !== '')).toBe(true);
        expect(typeof isInOrder(findings)).toBe('boolean');
      }),
      { numRuns: 40 },
    );
  });

  it('survives each text in each file that it reads by its own name', () => {
    const tree = memoryTree(entries);
    const read = new Set<string>();
    const noting = (path: string) => {
      read.add(path);
      return tree.read(path);
    };
    machineInventory({ ...tree, read: noting }, {});
    const failed: string[] = [];
    for (const path of [...read].filter((p) => !/^\/sys\/bus\//.test(p)))
      for (const text of hostile)
        try {
          machineInventory({ ...tree, read: (p) => (p === path ? text : tree.read(p)) }, {});
        } catch {
          failed.push(`${path}: ${JSON.stringify(text.slice(0, 40))}`);
        }
    expect(failed).toEqual([]);
  });

  it('in memory is what it is on a disk', () => {
    const tools = { kexec: '2.0.25' };
    expect(machineInventory(memoryTree(entries), tools)).toEqual(machineInventory(system(name), tools));
  });
});
