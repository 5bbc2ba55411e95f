/** docs/verifying.md: its tables against the code, and its worked example computed with nothing but Node's own cryptography. */
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { logEntry } from '../schema/log/entry.ts';
import { rows } from '../schema/log/row.ts';
import { armedBody, limits, promiseBody } from '../schema/wire.ts';
import { checks, outcomes } from '../worker/audit/checks.ts';
import { verify } from '../worker/audit/command.ts';

const page = readFileSync(new URL('../docs/verifying.md', import.meta.url), 'utf8');

/** The blocks of the worked example. */
const blocks = [...page.matchAll(/```text\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

/** Its values by their names. */
const values = new Map(
  blocks.flatMap((block) =>
    [...block.matchAll(/^(\w+) {2,}(.*)$/gm)].map(([, name, value]) => [name, value ?? '']),
  ),
);

function value(name: string): string {
  const found = values.get(name);
  if (found === undefined) throw new Error(`the example has no ${name}`);
  return found;
}

const hex = (name: string) => Buffer.from(value(name), 'hex');
const text = (name: string) => Buffer.from(value(name), 'utf8');
const sha256 = (...parts: (string | Buffer)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();

function isSigned(key: Buffer, message: Buffer, signature: Buffer): boolean {
  const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key]);
  return verifySignature(
    null,
    message,
    createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    signature,
  );
}

function isEnvelope(type: string, key: string, payload: string, signature: string): boolean {
  const body = text(payload);
  const message = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} `), body]);
  return isSigned(hex(key), message, Buffer.from(value(signature), 'base64'));
}

describe('the worked example', () => {
  it('has an envelope', () => {
    expect(isEnvelope('application/vnd.dumpsurvey.armed.v1+json', 'key', 'payload', 'signature')).toBe(true);
    expect(armedBody.parse(JSON.parse(value('payload'))).machine).toBe(value('key'));
  });

  it('has its commitments', () => {
    const hash = sha256('dumpsurvey/armed/v1\n', hex('key'), text('payload'));
    expect(hash.toString('hex')).toBe(value('hash'));
    const signature = Buffer.from(value('signature'), 'base64');
    expect(sha256('dumpsurvey/envelope/v1\n', hex('envelope_salt'), hash, signature).toString('hex')).toBe(
      value('envelope_commitment'),
    );
    expect(sha256('dumpsurvey/row/v1\n', hex('row_salt'), text('row')).toString('hex')).toBe(
      value('row_commitment'),
    );
    expect(rows.armed.parse(JSON.parse(value('row')))).toEqual(JSON.parse(value('row')));
  });

  it('has an entry and its leaf', () => {
    const entry = logEntry.parse(JSON.parse(value('entry')));
    expect(JSON.stringify(entry)).toBe(value('entry'));
    expect([entry.envelope, entry.row]).toEqual([value('envelope_commitment'), value('row_commitment')]);
    expect(sha256(Buffer.from([0]), text('entry')).toString('hex')).toBe(value('leaf'));
  });

  it('has a promise', () => {
    const type = 'application/vnd.dumpsurvey.promise.v1+json';
    expect(isEnvelope(type, 'log_key', 'promise', 'promise_signature')).toBe(true);
    const promise = promiseBody.parse(JSON.parse(value('promise')));
    expect(promise.leaf_hash).toBe(value('leaf'));
    const { admitted_at } = logEntry.parse(JSON.parse(value('entry')));
    expect(Date.parse(promise.merge_by) - Date.parse(admitted_at)).toBe(limits.mergeWithinMs);
  });

  it('has a checkpoint under the verifier key', () => {
    const note = blocks.find((block) => block.includes('\n— ')) ?? '';
    const [signed = '', line = ''] = note.split('\n\n');
    const [name, size, root] = signed.split('\n');
    expect([name, size, Buffer.from(root ?? '', 'base64').toString('hex')]).toEqual([
      'example.test/log',
      '1',
      value('leaf'),
    ]);
    const typed = Buffer.concat([Buffer.from([1]), hex('log_key')]);
    const id = sha256(`${name}\n`, typed).subarray(0, 4);
    expect(value('verifier_key')).toBe(`${name}+${id.toString('hex')}+${typed.toString('base64')}`);
    const signature = Buffer.from(line.trim().split(' ')[2] ?? '', 'base64');
    expect(signature.subarray(0, 4)).toEqual(id);
    expect(isSigned(hex('log_key'), Buffer.from(`${signed}\n`), signature.subarray(4))).toBe(true);
  });
});

/** First and second cells of the table whose head begins so. */
function tableOf(head: string): (readonly [string, string])[] {
  const table = page.slice(page.indexOf(`| ${head} |`)).split('\n\n')[0] ?? '';
  return table
    .split('\n')
    .slice(2)
    .map((row) => row.split(' | '))
    .map(([first = '', second = '']) => [first.replace(/^\| /, ''), second.replace(/ \|$/, '')] as const);
}

describe('the tables', () => {
  it('name every check and every outcome', () => {
    expect(tableOf('check').map(([name]) => name)).toEqual(Object.keys(checks).map((name) => `\`${name}\``));
    expect(tableOf('outcome').map(([name]) => name)).toEqual(
      Object.keys(outcomes).map((name) => `\`${name}\``),
    );
    for (const [i, meaning] of Object.values(outcomes).entries())
      expect(meaning.startsWith(tableOf('outcome')[i]?.[1] ?? '?')).toBe(true);
  });

  it('name every option', () => {
    const named = tableOf('option').map(([option]) => option.replaceAll('`', ''));
    const known = Object.entries(verify.options).map(([name, option]) =>
      option.type === 'string' ? `--${name} ${option.value}` : `--${name}`,
    );
    expect(named.toSorted()).toEqual(known.toSorted());
  });
});
