/** A sample of `npm run matrix`: contexts and types that no other test crashes in, on two kernels. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KernelName } from '../../agent/lab/flavors.ts';
import { beaconsIn } from '../../agent/lab/observe.ts';
import { type Lab, provision } from '../../agent/lab/provision.ts';
import { runTrial } from '../../agent/lab/trial.ts';
import { dataDir } from '../../agent/paths.ts';
import type { CrashPoint } from '../../schema/crash-point.ts';
import type { CrashType, SetUp } from '../../schema/crash-type.ts';
import type { Scenario } from '../../schema/scenario.ts';
import { detectionRows, fallbackRows, pairs, type Row, rowId } from '../matrix/rows.ts';
import { machine, runRow } from '../matrix/run-row.ts';

const labs = new Map<KernelName, Lab>();
beforeAll(async () => {
  for (const name of ['6.1', '6.12'] as const)
    labs.set(name, await provision(join(dataDir(), 'lab'), console.log, name));
});

/** A task that an oops killed: the system lives on, and its set-up was not about oopses. */
const survivable: Scenario = {
  crash_point: 'direct',
  crash_type: 'exception',
  load: 'idle',
  mitigation: 'none',
  set_up: 'rcu-stall',
  in_flight_min: 0,
};

it.concurrent('what was set for a crash that nothing came of is put back', async () => {
  const lab = labs.get('6.1');
  if (!lab) throw new Error('6.1 was not provisioned');
  const { evidence, prepared, observations } = await runTrial(lab, machine, survivable, {
    now: () => performance.now(),
    beforePlanting: async () => ({ nonce: randomBytes(16).toString('hex') }),
    beforeArming: async () => {},
  });
  expect(evidence.survived).toMatch(/^type=exception: expected an oops; kernel.panic_on_oops=1 would/);
  expect(prepared?.sysctls).toEqual({ 'kernel.panic_on_rcu_stall': 1 });
  const restored = beaconsIn(observations).filter(({ word }) => word === 'restored');
  expect(restored.map(({ rest }) => rest)).toEqual(['kernel.panic_on_rcu_stall=0']);
});

function find(rows: readonly Row[], point: CrashPoint, type: CrashType, setUp: SetUp = 'panic'): Row {
  const row = rows.find(
    ({ scenario: s }) => s.crash_point === point && s.crash_type === type && s.set_up === setUp,
  );
  if (!row) throw new Error(`the matrix has no ${point}/${type}/${setUp}`);
  return row;
}

const old = pairs('6.1');
const recent = pairs('6.12');

describe.concurrent('as the catalogue claims', () => {
  it.each<[string, Row]>(
    [
      find(old, 'nmi', 'panic'),
      find(old, 'threaded-irq', 'exception'),
      find(old, 'driver-irq', 'exception'),
      find(old, 'net-poll', 'exception'),
      find(old, 'ata-ioctl', 'panic'),
      find(old, 'direct', 'hung-task'),
      find(old, 'tasklet', 'spinlock-held'),
      find(detectionRows('6.1'), 'direct', 'exception', 'defaults'),
      find(
        fallbackRows('6.1').filter((row) => row.triggeredBy === 'sysrq'),
        'direct',
        'panic',
      ),
      find(recent, 'irq-entry', 'exception'),
      find(recent, 'workqueue', 'double-fault'),
    ].map((row) => [rowId(row), row]),
  )('%s', async (_, row) => {
    const lab = labs.get(row.kernel);
    if (!lab) throw new Error(`${row.kernel} was not provisioned`);
    const finding = await runRow(lab, row);
    expect(finding.faults, JSON.stringify(finding)).toEqual([]);
  });
});
