import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { readLine, runLine } from './control.ts';

it('an order is one line of three words, from which bash gets the command back', () => {
  const command = "printf 'a\\nb'\n# and a second line";
  const words = runLine('7', command).split(' ');
  expect(words).toHaveLength(3);
  const decoded = spawnSync('bash', ['-c', `base64 -d <<<"${words[2]}"`], { encoding: 'utf8' });
  expect(decoded.stdout).toBe(command);
});

it.each([
  ['up 5a1b2c3d-0000-4000-8000-0123456789ab', { kind: 'up', bootId: '5a1b2c3d-0000-4000-8000-0123456789ab' }],
  ['did 12 0', { kind: 'did', id: '12', status: 0 }],
  ['did 12 127', { kind: 'did', id: '12', status: 127 }],
])('%s is understood', (line, said) => {
  expect(readLine(line)).toEqual(said);
});

it('output comes back byte for byte', () => {
  const said = readLine(`out 3 ${Buffer.from('\xff\n', 'latin1').toString('base64')}`);
  expect(said).toMatchObject({ kind: 'out', id: '3' });
  expect(said?.kind === 'out' && [...said.text]).toEqual([0xff, 0x0a]);
});

it.each(['', 'up', 'up not-an-id', 'did 12', 'did 12 x', 'out', 'SeaBIOS (version 1.16)'])(
  '%j is not of the protocol',
  (line) => {
    expect(readLine(line)).toBeNull();
  },
);
