/** A sample of `npm run matrix`: contexts and types that no other test crashes in, on two kernels. */
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { KernelName } from '../../agent/lab/flavors.ts';
import { type Lab, provision } from '../../agent/lab/provision.ts';
import { dataDir } from '../../agent/paths.ts';
import type { CrashPoint } from '../../schema/crash-point.ts';
import type { CrashType, SetUp } from '../../schema/crash-type.ts';
import { detectionRows, fallbackRows, pairs, type Row, rowId } from '../matrix/rows.ts';
import { runRow } from '../matrix/run-row.ts';

const labs = new Map<KernelName, Lab>();
beforeAll(async () => {
  for (const name of ['6.1', '6.12'] as const)
    labs.set(name, await provision(join(dataDir(), 'lab'), console.log, name));
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
