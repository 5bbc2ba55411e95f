/** The state directory as hostile hands, power cuts and full disks leave it: a clear word, and nothing is touched. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { playedSystem } from '../../test/fixtures/metal/played-system.ts';
import { Advice } from '../advice.ts';
import { type MetalCampaign, readCampaign, writeCampaign } from './campaign.ts';
import { isAgreed, readConsent, writeConsent } from './consent.ts';
import { openMetalJournal } from './open.ts';
import { giveReserveBack, reserveBytes, takeReserve } from './reserve.ts';
import { defaultSettings, readSettings, writeSettings } from './settings.ts';
import { situationOf } from './situation.ts';
import { seeStart } from './start-of-boot.ts';
import { readStarts, recordLook, recordStart } from './starts.ts';
import { type MetalPaths, metalPaths } from './state.ts';
import { clearStopped, readStopped, stop } from './stopped.ts';
import { countTrouble, obstacleOf, readTroubles } from './trouble.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const campaign: MetalCampaign = {
  version: 1,
  id: 'ab'.repeat(16),
  seed: 1,
  set: 'metal/1',
  first_ordinal: 0,
  trials: 3,
  started_at: '2026-11-24T11:00:00.000Z',
};

let data: string;
let paths: MetalPaths;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'state-'));
  paths = metalPaths(data);
  mkdirSync(paths.dir);
});
afterEach(() => rmSync(data, { recursive: true }));

/** Every file with its contents. */
const contents = () =>
  readdirSync(paths.dir).map((name) => [name, readFileSync(join(paths.dir, name), 'utf8')]);

describe('state files', () => {
  it('are read as they were written', async () => {
    await writeSettings(paths, { ...defaultSettings, scratch: '/srv/scratch' });
    await writeCampaign(paths, campaign);
    await writeConsent(paths, '1.0.0', nowMs);
    expect(await readSettings(paths)).toEqual({ ...defaultSettings, scratch: '/srv/scratch' });
    expect(await readCampaign(paths)).toEqual(campaign);
    expect(isAgreed(await readConsent(paths))).toBe(true);
  });

  it('that are not there say nothing', async () => {
    expect(await readSettings(paths)).toBeNull();
    expect(await readCampaign(paths)).toBeNull();
    expect(isAgreed(await readConsent(paths))).toBe(false);
    expect(await readStopped(paths)).toBeNull();
  });

  it.each<[string, string]>([
    ['torn', '{"version":1,"sur'],
    ['empty', ''],
    ['of another version', '{"version":2}'],
    ['with a field more', JSON.stringify({ ...defaultSettings, shell: 'rm -rf /' })],
    [
      'with a device that is a path elsewhere',
      JSON.stringify({ ...defaultSettings, beacon: { kind: 'disk', device: '/etc/passwd' } }),
    ],
    ['with a disk that is a path', JSON.stringify({ ...defaultSettings, dump_disk: '../../etc' })],
  ])('%s are refused with what to do', async (_, text) => {
    writeFileSync(paths.settings, text);
    const before = contents();
    const error = await readSettings(paths).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Advice);
    expect(String(error)).toContain(paths.settings);
    expect((error as Advice).commands.length).toBeGreaterThan(0);
    expect(contents()).toEqual(before);
  });

  it('a consent to another text is none, and a damaged one is an error, not a consent', async () => {
    await writeConsent(paths, '1.0.0', nowMs);
    const text = readFileSync(paths.consent, 'utf8');
    writeFileSync(paths.consent, text.replace(/"text_sha256":"../, '"text_sha256":"00'));
    expect(isAgreed(await readConsent(paths))).toBe(false);
    writeFileSync(paths.consent, text.slice(0, 20));
    await expect(readConsent(paths)).rejects.toThrow('it is no JSON');
  });
});

describe('the journal', () => {
  it.each<[string, string]>([
    ['a line that is none', '{"step":"closed","ordinal":0}\nhello\n{"step":"closed","ordinal":1}\n'],
    ['a step that there is not', '{"step":"delete","ordinal":0}\n{"step":"closed","ordinal":1}\n'],
    ['an ordinal that is none', '{"step":"closed","ordinal":-1}\n{"step":"closed","ordinal":1}\n'],
  ])('with %s in its middle is refused, and nothing is touched', async (_, text) => {
    writeFileSync(paths.journal, text);
    const before = contents();
    await expect(openMetalJournal(paths)).rejects.toThrow(
      /line \d of the journal is damaged[\s\S]*Nothing was crashed/,
    );
    expect(contents()).toEqual(before);
  });

  it('that is gone while its campaign is there is missed: what it said cannot be run again', async () => {
    await writeCampaign(paths, campaign);
    await expect(openMetalJournal(paths)).rejects.toThrow('it alone says which trials were run');
    expect(existsSync(paths.journal)).toBe(false);
    writeFileSync(paths.journal, '');
    expect((await openMetalJournal(paths)).trials().size).toBe(0);
  });
});

describe('the starts of a machine', () => {
  it('are kept once for each boot, with whether the agent caused them', async () => {
    const asked: (string | null)[] = [];
    const expected = (before: string | null) => {
      asked.push(before);
      return before === null;
    };
    for (const boot of ['a', 'a', 'b', 'b']) await recordStart(paths, boot, nowMs, expected);
    expect((await readStarts(paths)).counted.map((s) => [s.boot_id, s.expected])).toEqual([
      ['a', true],
      ['b', false],
    ]);
    expect(asked).toEqual([null, 'a']);
  });

  it('are counted from the last look of the owner on, and survive a torn line', async () => {
    await recordStart(paths, 'a', nowMs, () => false);
    appendFileSync(paths.starts, '{"boot_id":"torn');
    await recordStart(paths, 'b', nowMs, () => false);
    expect((await readStarts(paths)).counted.map((s) => s.boot_id)).toEqual(['a', 'b']);
    await recordLook(paths, nowMs);
    expect((await readStarts(paths)).counted).toEqual([]);
    await recordStart(paths, 'b', nowMs, () => false);
    expect((await readStarts(paths)).counted).toEqual([]);
  });

  it('that nobody ordered stop everything, until the owner looked', async () => {
    const trials = new Map();
    for (const boot of ['1', '2', '3', '4']) {
      const system = playedSystem({
        '/proc/sys/kernel/random/boot_id': `${boot.repeat(8)}-0000-0000-0000-000000000000`,
      });
      await seeStart(system, paths, trials, 4);
      // The first start that the agent sees is not held against the machine.
      expect((await readStopped(paths)) !== null).toBe(boot === '4');
    }
    expect((await readStopped(paths))?.why).toContain('started 3 times in a row');
    const situation = await situationOf(playedSystem(), paths, { trials: () => trials }, defaultSettings);
    expect(situation.stopped?.fix).toContain('dumpsurvey run --again');
    await recordLook(paths, nowMs);
    await clearStopped(paths);
    expect(
      (await situationOf(playedSystem(), paths, { trials: () => trials }, defaultSettings)).stopped,
    ).toBeNull();
  });

  it('in a capture kernel are none: there nothing is done at all', async () => {
    const system = playedSystem({ '/proc/vmcore': '' });
    await seeStart(system, paths, new Map(), 4);
    expect(contents()).toEqual([]);
    const { stopped } = await situationOf(system, paths, { trials: () => new Map() }, defaultSettings);
    expect(stopped?.why).toContain('capture kernel');
  });
});

describe('a stop', () => {
  it('keeps its first reason, and one that cannot be read stops as well', async () => {
    await stop(paths, 'the first', nowMs);
    await stop(paths, 'the second', nowMs);
    expect(await readStopped(paths)).toMatchObject({ why: 'the first', at: '2026-11-24T12:00:00.000Z' });
    writeFileSync(paths.stopped, 'garbage');
    expect((await readStopped(paths))?.why).toContain('cannot be used');
  });
});

describe('room for what follows a crash', () => {
  it('is taken on the disk, and given back', async () => {
    await takeReserve(paths.dir);
    expect(readFileSync(join(paths.dir, 'reserve')).length).toBe(reserveBytes);
    await giveReserveBack(paths.dir);
    expect(readdirSync(paths.dir)).toEqual([]);
  });

  it('that is not there is said before anything is crashed', async () => {
    await expect(takeReserve(join(paths.dir, 'missing'))).rejects.toThrow('Nothing was crashed');
  });
});

describe('a scenario that cannot be made ready', () => {
  it('is left out for a day after three times, and is tried again once it could', async () => {
    const id = 'direct/panic/disk/distribution';
    for (let i = 0; i < 3; i++) {
      expect(obstacleOf(await readTroubles(paths), id, nowMs)).toBeNull();
      await countTrouble(paths, id, 'the load did not start', nowMs);
    }
    expect(obstacleOf(await readTroubles(paths), id, nowMs)?.why).toContain('3 times');
    expect(obstacleOf(await readTroubles(paths), id, nowMs + 25 * 3600_000)).toBeNull();
    await countTrouble(paths, id, null, nowMs);
    expect(obstacleOf(await readTroubles(paths), id, nowMs)).toBeNull();
  });
});
