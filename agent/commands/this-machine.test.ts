/** `doctor` and `inventory` on the machine that the tests run on: whatever it is, they say it in the agreed form. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { profile } from '../../schema/profile.ts';
import type { OptionValues } from '../command.ts';
import { checks } from '../doctor/checks.ts';
import { doctor } from './doctor.ts';
import { inventoryCommand } from './inventory.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'doctor-'));
  vi.stubEnv('DUMPSURVEY_DATA', data);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(data, { recursive: true });
});

/** What a command prints, and its exit status. */
async function run(command: typeof doctor, values: OptionValues): Promise<{ text: string; status: number }> {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  try {
    return { status: await command.run(values, null), text: lines.join('\n') };
  } finally {
    log.mockRestore();
  }
}

describe('doctor', () => {
  const nowhere = { url: 'http://127.0.0.1:9' };

  it('--json has every check with its state, and what is to be done where it is not as it should be', async () => {
    const { text, status } = await run(doctor, { ...nowhere, json: true });
    const said = JSON.parse(text) as {
      ready: boolean;
      checks: { id: string; state: string; fix: string[] }[];
    };
    expect(said.checks.map(({ id }) => id)).toEqual(Object.keys(checks));
    const stateOf = (id: string) => said.checks.find((check) => check.id === id)?.state;
    expect([stateOf('consent'), stateOf('enrolled'), stateOf('survey')]).toEqual([
      'failed',
      'failed',
      'warning',
    ]);
    expect([said.ready, status]).toEqual([false, 3]);
  });

  it('in words names the same', async () => {
    const { text, status } = await run(doctor, nowhere);
    for (const { title } of Object.values(checks)) expect(text).toContain(title);
    expect(status).toBe(3);
  });

  it('leaves the data directory as it was', async () => {
    mkdirSync(join(data, 'metal'));
    const { status } = await run(doctor, { ...nowhere, json: true });
    expect([status, readdirSync(data, { recursive: true })]).toEqual([3, ['metal']]);
  });
});

describe('inventory', () => {
  it('prints the bytes that would be sent, and nothing else', async () => {
    const { text, status } = await run(inventoryCommand, {});
    const said = profile.parse(JSON.parse(text));
    expect([said.version, said.population, status]).toEqual(['1.1', 'metal', 0]);
    expect(JSON.stringify(said)).toBe(text);
    expect(JSON.parse((await run(inventoryCommand, { pretty: true })).text)).toEqual(said);
  });

  it('--explain has a line for each value and one for its files', async () => {
    const listed = JSON.parse((await run(inventoryCommand, { explain: true, json: true })).text) as {
      field: string;
      from: string[];
    }[];
    const { text } = await run(inventoryCommand, { explain: true });
    expect(text.split('\n')).toHaveLength(2 * listed.length);
    expect(text).toMatch(/^kernel\.release = "[^"]+"\n {4}\/proc\/sys\/kernel\/osrelease$/m);
    expect(listed.every(({ from }) => from.length > 0)).toBe(true);
  });
});
