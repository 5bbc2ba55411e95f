/** A survey with two witnesses that two other parties run: real witness programs, over HTTP. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningWitness, startWitness } from '../../agent/witness/server.ts';
import { formatVerifierKey, openNote, parseVerifierKey } from '../../schema/log/note.ts';
import { logIdentity } from '../../worker/log/identity.ts';
import { integrate } from '../../worker/log/sequencer.ts';
import { parseWitness } from '../../worker/log/witnesses.ts';
import { publishedCheckpoint } from '../../worker/store/checkpoints.ts';
import { haltedWhy } from '../../worker/store/lease.ts';
import type { Told } from '../../worker/telemetry/events.ts';
import { type InProcess, origin, startInProcess } from '../http/in-process.ts';
import { sampleMachine, seal } from '../http/samples.ts';

const signer = await logIdentity(new Uint8Array(32).fill(9), 'witnessed.example/log');
const startMs = Date.parse('2026-11-20T12:00:00.000Z');
let nowMs = startMs;
const folders: string[] = [];
const witnesses: RunningWitness[] = [];
const surveys: InProcess[] = [];
let told: Told[] = [];

async function witness(name: string, port = 0, at?: string): Promise<RunningWitness> {
  const state = at ?? (await mkdtemp(join(tmpdir(), 'dumpsurvey-witness-')));
  folders.push(state);
  const running = await startWitness({
    logs: [await parseVerifierKey(signer.verifierKey)],
    state,
    name,
    port,
    host: '127.0.0.1',
    nowSeconds: () => Math.floor(nowMs / 1000),
    onError: (error) => {
      throw error;
    },
  });
  witnesses.push(running);
  return running;
}

async function survey(asked: readonly RunningWitness[]): Promise<InProcess> {
  const started = await startInProcess({
    now: () => nowMs,
    random: (count) => crypto.getRandomValues(new Uint8Array(count)),
    signer,
    witnesses: await Promise.all(asked.map(({ vkey, url }) => parseWitness(`${vkey}=${url}/`))),
    log: (event) => told.push(event),
  });
  surveys.push(started);
  return started;
}

async function enrol({ fetch }: InProcess, name: string): Promise<number> {
  const machine = sampleMachine(name);
  const answer = await fetch(
    new Request(`${origin}/v1/machines`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(seal('enrol', machine.enrol(), machine.key)),
    }),
  );
  return answer.status;
}

async function noteOf({ services }: InProcess): Promise<string> {
  const checkpoint = await publishedCheckpoint(services.store);
  return checkpoint?.note ?? '';
}

beforeEach(() => {
  told = [];
  nowMs = startMs;
});
afterEach(async () => {
  for (const running of surveys.splice(0)) await running.stop();
  for (const running of witnesses.splice(0)) await running.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

describe('a survey with two witnesses', () => {
  it('publishes no checkpoint that they have not cosigned, and each that grows is', async () => {
    const [first, second] = [await witness('one.example/w'), await witness('two.example/w')];
    const running = await survey([first, second]);
    const verifiers = await Promise.all(
      [signer.verifierKey, first.vkey, second.vkey].map((vkey) => parseVerifierKey(vkey)),
    );
    for (const name of ['a', 'b', 'c']) {
      expect(await enrol(running, name)).toBe(201);
      await running.publish();
      const { verified } = await openNote(await noteOf(running), verifiers);
      expect(verified.map((v) => v.name).sort()).toEqual(['one.example/w', 'two.example/w', signer.name]);
    }
    expect(told.filter(({ event }) => event === 'witness-trouble')).toEqual([]);
  });

  it('goes on without one that does not answer, says so, and asks it again', async () => {
    const [first, second] = [await witness('one.example/w'), await witness('two.example/w')];
    const running = await survey([first, second]);
    await witnesses.pop()?.close();
    expect(await enrol(running, 'a')).toBe(201);
    await running.publish();
    const verifiers = await Promise.all(
      [signer.verifierKey, first.vkey].map((vkey) => parseVerifierKey(vkey)),
    );
    const { verified, unknown } = await openNote(await noteOf(running), verifiers);
    expect(verified).toHaveLength(2);
    expect(unknown).toEqual([]);
    expect(told).toContainEqual(
      expect.objectContaining({ event: 'witness-trouble', witness: 'two.example/w' }),
    );
    const back = await witness('two.example/w', Number(new URL(second.url).port), folders.at(-1));
    expect(back.vkey).toBe(second.vkey);
    await running.publish();
    expect((await openNote(await noteOf(running), verifiers)).unknown).toEqual([]);
    nowMs += 61_000;
    await running.publish();
    expect((await openNote(await noteOf(running), verifiers)).unknown).toMatchObject([
      { name: 'two.example/w' },
    ]);
  });

  it('halts where a witness has cosigned more than the store has', async () => {
    const only = await witness('one.example/w');
    const whole = await survey([only]);
    for (const name of ['a', 'b', 'c']) await enrol(whole, name);
    await whole.publish();
    // The same log from a backup of before, on a machine that does not know what was signed.
    const restored = await survey([]);
    await enrol(restored, 'a');
    await restored.publish();
    const services = { ...restored.services, witnesses: whole.services.witnesses };
    await enrol(restored, 'x');
    expect(await integrate(services)).toMatchObject({
      state: 'halted',
      why: expect.stringContaining('one.example/w has cosigned'),
    });
    expect(await haltedWhy(restored.services.store)).toContain('older backup');
    expect(await enrol(restored, 'y')).toBe(503);
  });

  it('shows two histories to nobody whom both witnesses serve', async () => {
    const [first, second] = [await witness('one.example/w'), await witness('two.example/w')];
    const [left, right] = [await survey([first]), await survey([second])];
    await enrol(left, 'left');
    await enrol(right, 'right');
    await left.publish();
    await right.publish();
    // One key, one size, two trees: each witness has seen one of them, and neither cosigns the other.
    for (const [running, own, other] of [
      [left, first, second],
      [right, second, first],
    ] as const) {
      const note = await noteOf(running);
      const verifiers = await Promise.all(
        [signer.verifierKey, own.vkey].map((vkey) => parseVerifierKey(vkey)),
      );
      expect((await openNote(note, verifiers)).verified).toHaveLength(2);
      await expect(openNote(note, [await parseVerifierKey(other.vkey)])).rejects.toThrow();
      const asking = { ...running.services, witnesses: [await parseWitness(`${other.vkey}=${other.url}`)] };
      await enrol(running, `more ${own.vkey}`);
      await integrate(asking);
      await expect(openNote(await noteOf(running), [await parseVerifierKey(other.vkey)])).rejects.toThrow();
    }
    expect(told.filter(({ event }) => event === 'witness-trouble').length).toBeGreaterThanOrEqual(2);
  });
});

describe('the setting of a witness', () => {
  it.each([
    ['', /VKEY=URL/],
    ['name+12345678+AAAA', /VKEY=URL/],
    ['nonsense=http://127.0.0.1:1', /.+/],
  ])('%s is refused', async (text, why) => {
    await expect(parseWitness(text)).rejects.toThrow(why);
  });

  it("the log's own kind of key is refused", async () => {
    const vkey = await formatVerifierKey('w.example', signer.publicKey, 1);
    await expect(parseWitness(`${vkey}=http://127.0.0.1:1`)).rejects.toThrow(/cosignatures/);
  });
});
