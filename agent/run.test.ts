import { expect, test } from 'vitest';
import { CommandError, run } from './run.ts';

const node = process.execPath;

test('gives what a program printed, in its directory and environment, with its input', async () => {
  const script = 'process.stdin.on("data", (d) => console.log(process.cwd(), process.env.A, String(d)))';
  expect(await run([node, '-e', script], { cwd: '/', env: { A: 'b' }, input: 'é' })).toBe('/ b é\n');
});

test('a program that does not read its input is no error', async () => {
  expect(await run(['true'], { input: 'x'.repeat(1 << 20) })).toBe('');
});

test.each<[string, string[], string]>([
  ['an exit status', ['sh', '-c', 'echo why >&2; exit 3'], 'exit 3\nwhy'],
  ['a signal', ['sh', '-c', 'kill -9 $$'], 'exit SIGKILL'],
  ['no such program', ['/no/such/program', 'x'], 'ENOENT'],
  ['no command', [], 'no command'],
  ['what it said on standard output', ['sh', '-c', 'echo out; exit 1'], 'out'],
])('names the command, and %s', async (_, command, said) => {
  const error = await run(command).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(CommandError);
  expect(String(error)).toContain(command.join(' '));
  expect(String(error)).toContain(said);
});

test('an error carries the last lines, not all', async () => {
  const error = await run(['sh', '-c', 'seq 1 500 >&2; exit 1']).catch((e: unknown) => e);
  expect(String(error).split('\n')).toHaveLength(13);
  expect(String(error)).toMatch(/\n489\n(\d+\n)+500$/);
});

test('what a large program prints is whole, and no character is cut in two', async () => {
  const out = await run([node, '-e', 'process.stdout.write("€".repeat(300000))']);
  expect(out).toBe('€'.repeat(300_000));
});
