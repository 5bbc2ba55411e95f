/** The log as an agent sees it, against honest logs in any order of answers, and against every lie. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { origin, type SampleLog, sampleLog } from '../../test/agent/sample-log.ts';
import { type ApiIndex, Refused, Unreachable, Unusable } from './api.ts';
import { keyPairOf } from './keys.ts';
import { surveyLog } from './log.ts';
import { LogFault } from './log-fault.ts';
import { logMemoryIn, surveyDir } from './log-memory.ts';
import { signBody } from './sign.ts';

let dir: string;
beforeEach(() => {
  dir = join(mkdtempSync(join(tmpdir(), 'log-')), 'surveys/one');
});
afterEach(() => rmSync(join(dir, '../..'), { recursive: true }));

const names = (count: number, prefix = 'entry') => Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
const nowMs = Date.parse('2026-11-24T12:00:00.000Z');

/** What a survey with this log answers, as far as it has published it. */
function readsOf(log: SampleLog) {
  return {
    index: (): Promise<ApiIndex> => log.index(),
    consistency: async (from: number, to: number): Promise<Uint8Array[]> => {
      if (to > log.size()) throw new Refused(400, '/problems/invalid-query', `to is ${to}.`, '');
      return log.consistency(from, to);
    },
  };
}

function view(log: SampleLog, changes: Partial<ReturnType<typeof readsOf>> = {}, givenKey?: string) {
  const reads = { ...readsOf(log), ...changes };
  return surveyLog({ memory: logMemoryIn(dir), reads, givenKey: givenKey ?? null, now: () => nowMs });
}

/** The sizes of the checkpoints that are held, and the pieces of evidence. */
const held = async () => (await logMemoryIn(dir).held()).map(({ size }) => size);
const evidence = async () => {
  const all = await logMemoryIn(dir).evidence();
  return all.map((name) => ({
    name,
    files: Object.fromEntries(
      readdirSync(join(dir, 'evidence', name)).map((file) => [
        file,
        readFileSync(join(dir, 'evidence', name, file), 'utf8'),
      ]),
    ),
  }));
};

async function faultOf(doing: Promise<unknown>): Promise<LogFault> {
  const error = await doing.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(LogFault);
  return error as LogFault;
}

describe('the key', () => {
  it('is pinned on first use, before anything is sent, and stays', async () => {
    const log = await sampleLog();
    const key = await view(log).ready();
    expect(key.name).toBe(origin);
    const pinned = { verifier_key: log.verifierKey, how: 'first-use', at: '2026-11-24T12:00:00.000Z' };
    expect(await logMemoryIn(dir).pinned()).toEqual(pinned);
    const other = await sampleLog(8);
    expect((await view(other).ready()).key).toEqual(key.key);
    expect(await logMemoryIn(dir).pinned()).toEqual(pinned);
  });

  it('is the given one, whatever the survey says', async () => {
    const [log, other] = [await sampleLog(), await sampleLog(8)];
    expect((await view(other, {}, log.verifierKey).ready()).key).toEqual(log.key);
    expect(await logMemoryIn(dir).pinned()).toMatchObject({ how: 'given', verifier_key: log.verifierKey });
    expect((await faultOf(view(log).observe(await other.checkpoint()))).kind).toBe('unsigned');
  });

  it('that is given and not the pinned one is a matter for the person', async () => {
    const [log, other] = [await sampleLog(), await sampleLog(8)];
    await view(log).ready();
    await expect(view(log, {}, other.verifierKey).ready()).rejects.toThrow(
      /not the one that is pinned.*first-use/,
    );
    await expect(view(log, {}, other.verifierKey).ready()).rejects.toThrow(`rm -r ${dir}`);
  });

  it.each([
    ['no key', 'hello'],
    ['a key with another id', `${origin}+00000000+AZqdjVaW9rq5ItK2DhRHhY0ZJBtAwHrbi4gAFfMI2wM0`],
    ['nothing', ''],
  ])('that is %s is refused', async (_, text) => {
    await expect(view(await sampleLog(), {}, text).ready()).rejects.toMatchObject({ name: 'Advice' });
    expect(await logMemoryIn(dir).pinned()).toBeNull();
  });

  it('is asked for again where the survey could not be reached', async () => {
    const log = await sampleLog();
    let asked = 0;
    const index = () => (++asked === 1 ? Promise.reject(new Unreachable('no')) : log.index());
    const seen = view(log, { index });
    await expect(seen.ready()).rejects.toThrow(Unreachable);
    expect((await seen.ready()).name).toBe(origin);
  });

  it('that is damaged on disk is said, and not pinned anew', async () => {
    const log = await sampleLog();
    await view(log).ready();
    writeFileSync(join(dir, 'log-key.json'), '{"verifier_key":');
    await expect(view(log).ready()).rejects.toThrow('Restore it from a backup');
  });
});

describe('an honest log', () => {
  it('is believed in whatever order its answers come, and the largest checkpoint is held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 12 }), async (sizes) => {
        rmSync(dir, { recursive: true, force: true });
        const log = await sampleLog(7, names(40));
        const seen = view(log);
        const notes = await Promise.all(sizes.map((size) => log.checkpoint(size)));
        // All at once: they are taken one after the other.
        await Promise.all(notes.map((note) => seen.observe(note)));
        expect(await held()).toEqual([Math.max(...sizes)]);
        expect(await evidence()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('is believed by two processes at once', async () => {
    const log = await sampleLog(7, names(30));
    const [one, two] = [view(log), view(log)];
    const notes = await Promise.all(names(30).map((_, i) => log.checkpoint(i + 1)));
    await Promise.all(notes.map((note, i) => (i % 2 === 0 ? one : two).observe(note)));
    expect(Math.max(...(await held()))).toBe(30);
    await one.observe(await log.checkpoint());
    await view(log).observe(await log.checkpoint());
    expect(await evidence()).toEqual([]);
  });

  it('needs no proof where nothing is held, or where nothing is new', async () => {
    const log = await sampleLog(7, names(5));
    const consistency = () => Promise.reject(new Error('was asked'));
    const seen = view(log, { consistency });
    await seen.observe(await log.checkpoint());
    await seen.observe(await log.checkpoint());
    await expect(seen.observe(await log.checkpoint(4))).rejects.toThrow('was asked');
  });

  it('is held over restarts: another run begins from there', async () => {
    const log = await sampleLog(7, names(5));
    await view(log).observe(await log.checkpoint());
    log.append(...names(3, 'more'));
    const asked: number[][] = [];
    const consistency = (from: number, to: number) => {
      asked.push([from, to]);
      return log.consistency(from, to);
    };
    await view(log, { consistency }).observe(await log.checkpoint());
    expect(asked).toEqual([[5, 8]]);
    expect(await held()).toEqual([8]);
  });

  it('that is unreachable or slow is no contradiction: nothing is taken, and nothing is over', async () => {
    const log = await sampleLog(7, names(5));
    const note = await log.checkpoint();
    await view(log).observe(note);
    log.append('more');
    let isUp = false;
    const consistency = (from: number, to: number) =>
      isUp ? log.consistency(from, to) : Promise.reject(new Unreachable('no answer'));
    const seen = view(log, { consistency });
    await expect(seen.observe(await log.checkpoint())).rejects.toThrow(Unreachable);
    expect(await held()).toEqual([5]);
    isUp = true;
    await seen.observe(await log.checkpoint());
    expect(await held()).toEqual([6]);
    expect(await evidence()).toEqual([]);
  });
});

describe('a contradiction', () => {
  it('of two trees of one size stops everything, for good, and keeps both', async () => {
    const [log, fork] = [await sampleLog(7, names(5)), await sampleLog(7, names(5, 'other'))];
    const [note, other] = [await log.checkpoint(), await fork.checkpoint()];
    const seen = view(log);
    await seen.observe(note);
    const fault = await faultOf(seen.observe(other));
    expect(fault.kind).toBe('forked');
    expect(fault.message).toMatch(/signed two different trees of 5 entries.*one history.*evidence is in/s);
    expect(await evidence()).toEqual([
      {
        name: '2026-11-24T12-00-00-000Z-forked',
        files: { 'held.checkpoint': note, 'shown.checkpoint': other, 'proof.txt': '' },
      },
    ]);
    // Neither this process nor the next sends anything, although the log is itself again.
    expect(await faultOf(seen.ready())).toBe(fault);
    expect(await faultOf(view(log).observe(note))).toMatchObject({ kind: 'stopped', message: fault.message });
    expect(await held()).toEqual([5]);
    // Until a person decides so.
    rmSync(logMemoryIn(dir).stopPath);
    await view(log).observe(note);
  });

  it('of a tree that does not begin with the one before is found by its own proof', async () => {
    const [log, fork] = [await sampleLog(7, names(5)), await sampleLog(7, names(9, 'other'))];
    await view(log).observe(await log.checkpoint());
    const fault = await faultOf(view(fork).observe(await fork.checkpoint()));
    expect(fault.kind).toBe('unproven');
    expect(fault.message).toContain('does not prove that its 9 entries begin with the 5');
    const [kept] = await evidence();
    expect(Object.keys(kept?.files ?? {}).sort()).toEqual([
      'held.checkpoint',
      'proof.txt',
      'shown.checkpoint',
    ]);
    expect(kept?.files['shown.checkpoint']).toBe(await fork.checkpoint());
    expect(await held()).toEqual([5]);
  });

  it.each<[string, (log: SampleLog) => Promise<Uint8Array[]>]>([
    ['nothing', async () => []],
    ['random hashes', async () => [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]],
    ['the hashes in another order', async (log) => (await log.consistency(5, 9)).reverse()],
    ['a proof between other sizes', (log) => log.consistency(4, 9)],
    ['a refusal', () => Promise.reject(new Refused(404, '/problems/not-found', 'No.', ''))],
    ['what is no answer', () => Promise.reject(new Unusable('it is not as agreed'))],
  ])('is what a log does that proves its growth by %s', async (_, consistency) => {
    const log = await sampleLog(7, names(5));
    await view(log).observe(await log.checkpoint());
    log.append(...names(4, 'more'));
    const lying = view(log, { consistency: () => consistency(log) });
    const fault = await faultOf(lying.observe(await log.checkpoint()));
    expect(fault.kind).toBe('unproven');
    expect(await held()).toEqual([5]);
    expect(await evidence()).toHaveLength(1);
    // Within this run it is over; the next one checks again, and an honest proof mends it.
    expect(await faultOf(lying.ready())).toBe(fault);
    await view(log).observe(await log.checkpoint());
    expect(await held()).toEqual([9]);
  });

  it('is a log that shrinks; one that only lags behind is not', async () => {
    const log = await sampleLog(7, names(9));
    await view(log).observe(await log.checkpoint());
    await view(log).observe(await log.checkpoint(4));
    const restored = await sampleLog(7, names(4));
    const fault = await faultOf(view(restored).observe(await restored.checkpoint()));
    expect(fault.kind).toBe('shrunk');
    expect(fault.message).toMatch(/shows 4 entries, and has signed 9.*older backup/s);
    expect(await held()).toEqual([9]);
    expect((await evidence())[0]?.files['held.checkpoint']).toBe(await log.checkpoint());
  });

  it('is a smaller tree of another history', async () => {
    const [log, fork] = [await sampleLog(7, names(9)), await sampleLog(7, names(4, 'other'))];
    await view(log).observe(await log.checkpoint());
    const fault = await faultOf(view(log).observe(await fork.checkpoint()));
    expect(fault.kind).toBe('unproven');
  });

  it('between what two processes hold is found by the next', async () => {
    const [log, fork] = [await sampleLog(7, names(5)), await sampleLog(7, names(7, 'other'))];
    const memory = logMemoryIn(dir);
    await view(log).observe(await log.checkpoint());
    // What a process leaves that verified at the same moment, before either saw the other's.
    await memory.hold({ size: 7, note: await fork.checkpoint() }, []);
    log.append(...names(3, 'more'));
    const fault = await faultOf(view(log).observe(await log.checkpoint()));
    expect(fault.kind).toBe('unproven');
  });
});

describe('a checkpoint that is not the log’s', () => {
  it.each<[string, (log: SampleLog) => Promise<string>]>([
    ['signed by another key', async () => (await sampleLog(8, names(5))).checkpoint()],
    ['of another log of the same key', (log) => log.checkpoint(5, 'other.test/log')],
    ['no note', async () => 'hello'],
    ['nothing', async () => ''],
    ['changed', async (log) => (await log.checkpoint()).replace('\n5\n', '\n6\n')],
    ['longer than a note may be', async (log) => `${'x\n'.repeat(600_000)}${await log.checkpoint()}`],
  ])('because it is %s is an error that keeps it, and holds nothing', async (_, make) => {
    const log = await sampleLog(7, names(5));
    const note = await make(log);
    const fault = await faultOf(view(log).observe(note));
    expect(fault.kind).toBe('unsigned');
    expect((await evidence())[0]?.files).toEqual({ 'shown.checkpoint': note });
    expect(await held()).toEqual([]);
  });

  it('because it is damaged on this disk is said, and is not the log’s fault', async () => {
    const log = await sampleLog(7, names(5));
    await view(log).observe(await log.checkpoint());
    writeFileSync(join(dir, 'checkpoints/5'), (await log.checkpoint()).slice(0, -20));
    await expect(view(log).observe(await log.checkpoint())).rejects.toMatchObject({ name: 'Advice' });
    expect(await evidence()).toEqual([]);
  });
});

describe('an admission', () => {
  const sent = signBody('report', { a: 1 }, keyPairOf(new Uint8Array(32).fill(1)));

  it('is taken with its checkpoint', async () => {
    const log = await sampleLog(7, names(5));
    await view(log).admitted('report', sent, await log.admit('report', sent));
    expect(await held()).toEqual([5]);
  });

  it('whose promise is for something else is not, and both sides of it are kept', async () => {
    const log = await sampleLog(7, names(5));
    const answer = await log.admit('report', sent, { promise: { log_index: 9 } });
    const fault = await faultOf(view(log).admitted('report', sent, answer));
    expect(fault.kind).toBe('mismatch');
    expect(fault.message).toContain('is for entry 9');
    expect((await evidence())[0]?.files).toEqual({
      'request.json': JSON.stringify(sent),
      'answer.json': JSON.stringify(answer),
    });
    expect(await held()).toEqual([]);
  });
});

it('each survey has a memory of its own, and a final slash makes no other', () => {
  const dirs = ['http://127.0.0.1:8787', 'http://127.0.0.1:8788', 'https://127.0.0.1:8787', 'https://a.b/c'];
  expect(new Set(dirs.map((url) => surveyDir('/data', url))).size).toBe(4);
  expect(surveyDir('/data', 'https://a.b/c/')).toBe(surveyDir('/data', 'https://a.b/c'));
  expect(surveyDir('/data', 'https://a.b/../../etc')).toMatch(/^\/data\/surveys\/[a-z0-9._-]+$/);
});
