/** The exchange with a mailbox, with this machine's own state, keys and profile. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { OptionValues } from '../command.ts';
import { carriedSurvey } from '../link/carried.ts';
import { surveyLog } from '../link/log.ts';
import { mailboxIn } from '../link/mailbox.ts';
import { outboxIn } from '../link/outbox.ts';
import { type Exchanged, exchange } from '../metal/exchange.ts';
import { openMetalJournal, profileOf } from '../metal/open.ts';
import { defaultSettings, readSettings } from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { thisSystem } from '../metal/system.ts';
import { dataDir } from '../paths.ts';
import { keyAt, machineKeyPath, ownerKeyPath } from './key-files.ts';
import { surveyLink } from './survey-api.ts';

/** Exchanges what waits on this machine with the mailbox in `dir`, and asks for `tickets` tickets. */
export async function exchangeHere(dir: string, tickets: number, values: OptionValues): Promise<Exchanged> {
  const data = dataDir();
  const paths = metalPaths(data);
  const settings = (await readSettings(paths)) ?? defaultSettings;
  await mkdir(paths.dir, { recursive: true });
  const mailbox = await mailboxIn(dir);
  const { memory, givenKey } = surveyLink(values, 0);
  // What the survey said of itself came in the mailbox; it is believed once, as over a network, or checked by the given key.
  const reads = { index: mailbox.index, consistency: () => Promise.reject(new Error('there is no network')) };
  const log = surveyLog({ memory, reads, givenKey, now: Date.now });
  return exchange(
    {
      paths,
      survey: carriedSurvey(mailbox, log),
      journal: await openMetalJournal(paths),
      outbox: await outboxIn(join(data, 'outbox')),
      keys: { machine: await keyAt(machineKeyPath(values)), owner: await keyAt(ownerKeyPath(values)) },
      environment: settings.beacon.kind === 'none' ? 'stock' : 'instrumented',
      profile: () => profileOf(thisSystem(), settings),
      randomBytes,
      nowMs: Date.now(),
    },
    tickets,
  );
}
