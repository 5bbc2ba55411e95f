/** Rotations that end after any step, or are refused, by the files that they leave. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromBase64, fromHex } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { type Envelope, preAuthEncoding, rotationStatement } from '../../schema/envelope.ts';
import { rotateBody } from '../../schema/wire.ts';
import { Refused, Unreachable } from './api.ts';
import { keyPairOf } from './keys.ts';
import { prepareRotation, type RotationStep, rotateKey } from './rotation.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rotation-'));
  path = join(dir, 'machine.key');
  writeFileSync(path, `${'01'.repeat(32)}\n`);
});
afterEach(() => rmSync(dir, { recursive: true }));

const old = keyPairOf(new Uint8Array(32).fill(1));
const oldFile = `machine.key.before-${old.name.slice(0, 8)}`;
let nextSeed = 2;
const options = (onStep?: (step: RotationStep) => void) => ({
  path,
  role: 'machine' as const,
  url: 'http://survey.test',
  // Each call makes another key: what is made twice shows.
  randomBytes: (count: number) => new Uint8Array(count).fill(nextSeed++),
  nowMs: Date.parse('2026-11-24T12:00:00.000Z') + nextSeed,
  ...(onStep && { onStep }),
});
const files = () => readdirSync(dir).sort();
const seedIn = (name: string) => readFileSync(join(dir, name), 'utf8').trim();
const nameIn = (name: string) => keyPairOf(fromHex(seedIn(name))).name;
const bodyOf = (e: Envelope) => rotateBody.parse(JSON.parse(new TextDecoder().decode(fromBase64(e.payload))));

/** A survey that takes each rotation once, and repeats itself for the same bytes. */
function survey() {
  const taken: Envelope[] = [];
  return {
    taken,
    send: async (e: Envelope) => {
      if (taken.some((t) => JSON.stringify(t) === JSON.stringify(e))) return;
      if (taken.length > 0) throw new Refused(403, '/problems/rotated-key', 'It was replaced.', '');
      taken.push(e);
    },
  };
}

/** What must be so when a rotation has ended. */
function expectDone(request: Envelope | undefined): void {
  expect(files()).toEqual(['machine.key', oldFile]);
  expect(seedIn(oldFile)).toBe('01'.repeat(32));
  expect(request && bodyOf(request).next).toBe(nameIn('machine.key'));
  for (const name of files()) expect(statSync(join(dir, name)).mode & 0o777 & ~0o644).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);
}

describe('a rotation', () => {
  it('is signed by both keys, and leaves the old one beside the new', async () => {
    const { send, taken } = survey();
    const steps: RotationStep[] = [];
    const { key, next } = await rotateKey(
      options((step) => steps.push(step)),
      send,
    );
    expect(steps).toEqual(['next key made', 'request written', 'accepted', 'old key kept', 'key replaced']);
    expectDone(taken[0]);
    expect([key, next]).toEqual([old.name, nameIn('machine.key')]);
    const [request] = taken as [Envelope];
    const body = bodyOf(request);
    expect(body).toMatchObject({ role: 'machine', key: old.name, next });
    const statement = rotationStatement(fromHex(key), fromHex(next));
    expect(await verifies(fromHex(next), fromHex(body.next_signature), statement)).toBe(true);
    const signature = fromBase64(request.signatures[0]?.sig ?? '');
    const signed = preAuthEncoding(request.payloadType, fromBase64(request.payload));
    expect(await verifies(fromHex(key), signature, signed)).toBe(true);
  });

  it('after another one keeps both old keys', async () => {
    await rotateKey(options(), survey().send);
    await rotateKey(options(), survey().send);
    expect(files()).toHaveLength(3);
    expect(new Set(files().map(seedIn)).size).toBe(3);
  });

  it.each<RotationStep>(['next key made', 'request written', 'accepted', 'old key kept', 'key replaced'])(
    'that ends after “%s” is ended by the next run, with the same keys and bytes',
    async (last) => {
      const { send, taken } = survey();
      const dies = options((step) => {
        if (step === last) throw new Error('killed');
      });
      await expect(rotateKey(dies, send)).rejects.toThrow('killed');
      const made = files().includes('machine.key.next') ? nameIn('machine.key.next') : nameIn('machine.key');
      const { next } = await rotateKey(options(), send);
      expect(next).toBe(made);
      expect(taken).toHaveLength(1);
      expectDone(taken[0]);
    },
  );

  it('that may have been accepted, without an answer, is sent again as it was', async () => {
    const { send, taken } = survey();
    const lost = async (e: Envelope) => {
      await send(e);
      throw new Unreachable('no answer');
    };
    await expect(rotateKey(options(), lost)).rejects.toThrow(Unreachable);
    expect(nameIn('machine.key')).toBe(old.name);
    await rotateKey(options(), send);
    expectDone(taken[0]);
  });

  it('is prepared without being sent, and then sent with exactly these bytes', async () => {
    const { request } = await prepareRotation(options());
    expect((await prepareRotation(options())).request).toEqual(request);
    expect(nameIn('machine.key')).toBe(old.name);
    const { send, taken } = survey();
    await rotateKey(options(), send);
    expect(taken).toEqual([request]);
  });

  it('of two processes at once is one rotation', async () => {
    const { send, taken } = survey();
    const both = await Promise.allSettled([rotateKey(options(), send), rotateKey(options(), send)]);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(taken).toHaveLength(1);
    expectDone(taken[0]);
  });
});

describe('a rotation that is refused', () => {
  it('leaves the key as it was, loses none, and the next one begins anew', async () => {
    const refuse = () => Promise.reject(new Refused(404, '/problems/unknown-machine', 'No.', ''));
    await expect(rotateKey(options(), refuse)).rejects.toThrow(Refused);
    const [kept, refused = ''] = files();
    expect(kept).toBe('machine.key');
    expect(nameIn('machine.key')).toBe(old.name);
    expect(refused).toBe(`machine.key.refused-${nameIn(refused).slice(0, 8)}`);
    const { send, taken } = survey();
    await rotateKey(options(), send);
    expect(bodyOf(taken[0] as Envelope).next).not.toBe(nameIn(refused));
  });

  it('by somebody in between is not over: the survey may have taken it in', async () => {
    const { send, taken } = survey();
    const proxied = async (e: Envelope) => {
      await send(e);
      throw new Refused(403, 'unknown', '<html>', '');
    };
    await expect(rotateKey(options(), proxied)).rejects.toThrow(Refused);
    await rotateKey(options(), send);
    expectDone(taken[0]);
  });
});

describe('what a person must mend', () => {
  const begin = () => prepareRotation(options());
  it.each<[string, () => void | Promise<void>, RegExp]>([
    ['no key', () => rmSync(path), /There is no key in .*machine\.key/],
    [
      'a rotation that was begun for another survey',
      async () => {
        await prepareRotation({ ...options(), url: 'http://other.test' });
      },
      /begun for http:\/\/other\.test/,
    ],
    [
      'a request that is torn',
      () => writeFileSync(`${path}.rotation`, '{"url":'),
      /does not hold a request.*Restore/,
    ],
    [
      'a next key that is gone',
      async () => {
        await begin();
        rmSync(`${path}.next`);
      },
      /do not hold the keys of the rotation/,
    ],
    [
      'a key that is another one',
      async () => {
        await begin();
        writeFileSync(path, `${'99'.repeat(32)}\n`);
      },
      /do not hold the keys of the rotation/,
    ],
    ['a file that holds no key', () => writeFileSync(path, 'hello'), /does not hold a key/],
  ])('%s is said, and nothing is sent', async (_, spoil, message) => {
    await spoil();
    const before = files().map((name) => [name, readFileSync(join(dir, name), 'utf8')]);
    const { send, taken } = survey();
    await expect(rotateKey(options(), send)).rejects.toThrow(message);
    expect(taken).toEqual([]);
    expect(files().map((name) => [name, readFileSync(join(dir, name), 'utf8')])).toEqual(before);
  });

  it('a directory in the way of a key is', async () => {
    mkdirSync(`${path}.next`);
    await expect(rotateKey(options(), survey().send)).rejects.toThrow('EISDIR');
  });
});
