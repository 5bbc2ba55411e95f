/** The operator's decisions from the command line, against a running server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cellOf, enrol, labelsOf, rowCounts, runTrial } from './client.ts';
import { operator } from './command-line.ts';
import { readLog } from './log-reader.ts';
import { type Runtime, startRuntime } from './runtimes.ts';
import { keyPair, type SampleMachine, sampleMachine, sampleProfile } from './samples.ts';

let folder: string;
let keyFile: string;
let publicKey: string;
let runtime: Runtime;
let machine: SampleMachine;
let owner: string;
let reportId: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dumpsurvey-decisions-'));
  keyFile = join(folder, 'operator.key');
  const made = await operator(['key', '--key', keyFile, '--json']);
  publicKey = (JSON.parse(made.out) as { operator: string }).operator;
  runtime = await startRuntime('node', { operators: [publicKey], referenceOwners: [] });
  machine = sampleMachine('decided', sampleProfile('decided'));
  owner = machine.owner.publicHex;
  await enrol(runtime.url, machine);
  reportId = (await runTrial(runtime.url, machine, 'decided', 'captured')).receipt.report_id;
});
afterAll(async () => {
  await runtime.stop();
  await rm(folder, { recursive: true, force: true });
});

const decide = (...args: string[]) =>
  operator([...args, '--survey', runtime.url, '--key', keyFile, '--reason', 'because']);

describe('the command line', () => {
  it('makes the key once, and shows it again', async () => {
    const again = await operator(['key', '--key', keyFile]);
    expect([again.status, again.err]).toEqual([0, '']);
    expect(again.out).toContain(`DUMPSURVEY_OPERATORS=${publicKey}`);
    expect(publicKey).toMatch(/^[0-9a-f]{64}$/);
  });

  it('vouches, holds back, lets go, revokes and distrusts: each is an entry, and counts', async () => {
    const steps: readonly [string[], string[], number | null][] = [
      [['vouch', '--owner', owner], ['enrolled', 'vouched'], 1],
      [['quarantine', '--machine', machine.key.publicHex], ['enrolled', 'vouched', 'quarantined'], null],
      [['release', '--machine', machine.key.publicHex], ['enrolled', 'vouched'], 1],
      [['quarantine', '--agent-version', '0.1.0'], ['enrolled', 'vouched', 'quarantined'], null],
      [['release', '--agent-version', '0.1.0'], ['enrolled', 'vouched'], 1],
      [['quarantine', '--scenario-set', 'standard/1'], ['enrolled', 'vouched', 'quarantined'], null],
      [['release', '--scenario-set', 'standard/1'], ['enrolled', 'vouched'], 1],
      [['distrust', '--owner', owner], ['enrolled'], null],
      [['reference', '--owner', owner], ['enrolled', 'reference'], 1],
      [
        ['revoke', '--machine', machine.key.publicHex, '--from-index', '0'],
        ['enrolled', 'reference', 'revoked'],
        null,
      ],
    ];
    for (const [args, labels, trials] of steps) {
      const { status, out, err } = await decide(...args);
      expect([args, status, err]).toEqual([args, 0, '']);
      expect([args, await labelsOf(runtime.url, reportId)]).toEqual([args, labels]);
      expect([args, (await cellOf(runtime, 'decided'))?.trials ?? null]).toEqual([args, trials]);
      const index = Number(/^Entry (\d+) of the log: /.exec(out)?.[1]);
      const entry = (await readLog(runtime.url))[index];
      expect(JSON.parse(entry?.row ?? '')).toMatchObject({ action: args[0], reason: 'because' });
      expect(entry?.envelope?.signatures[0]?.keyid).toBe(publicKey);
    }
  }, 120_000);

  it('shows what it would sign, and sends nothing', async () => {
    const before = await rowCounts(runtime);
    const { status, out } = await decide(
      'vouch',
      '--owner',
      keyPair('somebody').publicHex,
      '--dry-run',
      '--json',
    );
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ action: 'vouch', operator: publicKey, from_index: null });
    expect(await rowCounts(runtime)).toEqual(before);
  });

  it.each<[string, string[], number, RegExp]>([
    ['no subject', ['vouch'], 2, /vouch is about one thing: give one of --owner\./],
    ['two subjects', ['quarantine', '--owner', 'x', '--machine', 'y'], 2, /is about one thing/],
    ['a subject of another action', ['vouch', '--machine', 'x'], 2, /Unknown option '--machine'/],
    ['no index', ['revoke', '--owner', 'ab'.repeat(32)], 2, /--from-index is needed/],
    [
      'an index that is none',
      ['revoke', '--owner', 'ab'.repeat(32), '--from-index', 'soon'],
      2,
      /from_index/,
    ],
    ['an owner who is none', ['vouch', '--owner', 'alice'], 3, /refused it \(422\): alice is no public key/],
    ['a decision that changes nothing', ['release', '--agent-version', '1'], 3, /not quarantined/],
  ])('says what is wrong: %s', async (_, args, status, words) => {
    const before = await rowCounts(runtime);
    const ended = await decide(...args);
    expect([ended.status, ended.out]).toEqual([status, '']);
    expect(ended.err).toMatch(words);
    expect(ended.err).not.toMatch(/\n\s+at /);
    expect(await rowCounts(runtime)).toEqual(before);
  });

  it('says that the survey does not know the key', async () => {
    const args = ['vouch', '--owner', owner, '--survey', runtime.url, '--reason', 'because'];
    const ended = await operator([...args, '--key', join(folder, 'another.key')]);
    expect(ended.status).toBe(3);
    expect(ended.err).toMatch(/refused it \(403\): Key [0-9a-f]{64} is no operator of this survey/);
  });

  it('says that a key file holds none, and leaves it', async () => {
    const path = join(folder, 'broken.key');
    await writeFile(path, 'this is no key\n');
    const ended = await operator(['vouch', '--owner', owner, '--key', path, '--reason', 'because']);
    expect(ended.status).toBe(3);
    expect(ended.err).toContain(`${path} does not hold a key`);
    expect(ended.err).not.toContain("log's");
  });

  it('says that nobody is there', async () => {
    const args = ['vouch', '--owner', owner, '--survey', 'http://127.0.0.1:9', '--reason', 'because'];
    const ended = await operator([...args, '--key', keyFile]);
    expect([ended.status, ended.out]).toEqual([3, '']);
    expect(ended.err).toContain('http://127.0.0.1:9/v1/decisions cannot be reached');
  });
});
