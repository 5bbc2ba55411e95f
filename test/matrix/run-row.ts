/** Runs one row of the matrix in the lab. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileSource } from '../../agent/dump/file_source.ts';
import { dumpLog, openDump } from '../../agent/dump/verify.ts';
import { file } from '../../agent/lab/cpio.ts';
import { lkdtmModule } from '../../agent/lab/lkdtm.ts';
import { build } from '../../agent/lab/machines.ts';
import type { Lab } from '../../agent/lab/provision.ts';
import { runTrial } from '../../agent/lab/trial.ts';
import { type Listing, parseFired } from '../../schema/canary.ts';
import type { LogPlan } from '../../schema/log-canary.ts';
import { type Finding, type InDump, judge } from './judge.ts';
import type { Row } from './rows.ts';

/** The machine that has everything that a crash point needs: an ATA disk behind SCSI, and a network card. */
export const machine = 'ahci-e1000-q35';

/** Long enough for every detector, an RCU stall included, and for the capture of an emulated machine. */
const watchdogMs = 75_000;

async function readDump(image: string, planted: Listing | LogPlan): Promise<InDump> {
  const source = await fileSource(image, { offset: build.dumpAtBytes });
  try {
    const log = (await dumpLog(source)) ?? [];
    if (!('canaries' in planted)) return { record: null, log };
    const page = await (await openDump(source)).dump?.memory.read(planted.fired, 4096);
    return { record: page === undefined || typeof page === 'string' ? null : parseFired(page), log };
  } finally {
    await source.close();
  }
}

/** Runs a row once. Throws only where the host fails. */
export async function runRow(lab: Lab, row: Row): Promise<Finding> {
  const nonce = randomBytes(16).toString('hex');
  let inDump: InDump = { record: null, log: [] };
  const lkdtm =
    row.triggeredBy === 'lkdtm'
      ? [file('modules/lkdtm.ko', await readFile(await lkdtmModule(lab.dir, lab.name, () => {})))]
      : [];
  const run = await runTrial(lab, machine, row.scenario, {
    now: () => performance.now(),
    triggeredBy: row.triggeredBy,
    files: lkdtm,
    ...(row.scenario.set_up === 'watchdog-nmi' ? {} : { watchdogMs }),
    beforePlanting: async () => ({ nonce }),
    beforeArming: async () => {},
    onDisk: async (image, planted) => {
      inDump = await readDump(image, planted);
    },
  });
  return judge(row, lab.kernel.release, run, inDump);
}
