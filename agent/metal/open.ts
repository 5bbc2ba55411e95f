/** Opens everything that a run on this machine needs: state files, keys, the survey, and the machine itself. */
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Advice } from '../advice.ts';
import type { KeyPair } from '../link/keys.ts';
import { keyNamed } from '../link/keys.ts';
import { outboxIn } from '../link/outbox.ts';
import type { Survey } from '../link/survey-api.ts';
import { allDevices } from '../machine/devices.ts';
import { distributionOf } from '../machine/distribution.ts';
import { machineInventory, profileText } from '../machine/inventory.ts';
import { dumpTarget } from '../machine/target.ts';
import { toolVersions } from '../machine/tools.ts';
import { type Journal, openJournal } from '../trial/journal.ts';
import { readCampaign } from './campaign.ts';
import { layouts } from './distribution/index.ts';
import { armBeacon } from './evidence/beacon.ts';
import { landingOf } from './evidence/place.ts';
import { historyOf } from './history.ts';
import type { MetalMachine } from './machine.ts';
import type { Site } from './prepare.ts';
import type { RunContext } from './run.ts';
import { defaultSettings, type MetalSettings } from './settings.ts';
import { situationOf } from './situation.ts';
import type { MetalPaths } from './state.ts';
import type { System } from './system.ts';
import { thisMachine } from './this-machine.ts';
import { bundledTicket } from './tickets.ts';
import { countTrouble } from './trouble.ts';
import { systemWitnesses } from './witnesses.ts';

/**
 * The journal of this machine. Throws Advice where it is damaged, or gone while its campaign is there: something could
 * then be run twice. Nothing is touched in either case.
 */
export async function openMetalJournal(paths: MetalPaths): Promise<Journal> {
  const isThere = await stat(paths.journal).then(
    () => true,
    () => false,
  );
  const mend = [
    'Restore it from a backup; or give up what it held, and begin anew:',
    `mv ${paths.journal} ${paths.journal}.damaged; rm ${paths.campaign}`,
  ];
  if (!isThere && (await readCampaign(paths)) !== null)
    throw new Advice(
      `${paths.journal} is gone, and it alone says which trials were run. Nothing was crashed and nothing was changed.`,
      mend,
    );
  try {
    return await openJournal(paths.journal);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Advice(
      `${paths.journal} cannot be used: ${why}. Nothing was crashed and nothing was changed.`,
      mend,
    );
  }
}

/** Where things of a trial are on this machine. */
export function siteOf({ tree }: System, settings: MetalSettings, data: string): Site {
  const { family } = distributionOf(tree);
  const target = dumpTarget(tree, family, allDevices(tree), settings.dump_disk);
  const landing = landingOf(tree);
  const landingAt = landing.kind === 'here' && landing.directory !== null ? [landing.directory] : [];
  return {
    disk: settings.dump_disk ?? target.disks[0] ?? null,
    scratch: settings.scratch,
    needed: [data, ...landingAt, ...(settings.scratch === null ? [] : [settings.scratch])],
    kdumpService: family === null ? null : layouts[family].kdumpService,
    nameTrial: (nonce) => armBeacon(settings.beacon, nonce),
  };
}

/** The exact text of this machine's hardware profile. */
export async function profileOf({ tree, programs }: System, settings: MetalSettings): Promise<string> {
  const tools = await toolVersions(programs, distributionOf(tree).family);
  return profileText(machineInventory(tree, tools, settings.dump_disk).profile);
}

export interface OpenOptions {
  readonly system: System;
  readonly data: string;
  readonly paths: MetalPaths;
  readonly settings: MetalSettings | null;
  readonly survey: Survey;
  readonly journal: Journal;
  readonly keys: { readonly machine: KeyPair; readonly owner: KeyPair };
  readonly on: Pick<RunContext, 'onStep' | 'onReport' | 'onSent' | 'onNext'>;
}

/** The machine and all around it, ready for `runMetal`. */
export async function openRun(options: OpenOptions): Promise<RunContext> {
  const { system, data, paths, survey, journal, keys, on } = options;
  const settings = options.settings ?? defaultSettings;
  await mkdir(paths.dir, { recursive: true });
  const machine: MetalMachine = thisMachine({
    system,
    paths,
    site: () => siteOf(system, settings, data),
    beacon: settings.beacon,
    profile: () => profileOf(system, settings),
    witnesses: systemWitnesses(system, () => historyOf(journal.trials()).shownBy),
    onStep: on.onStep,
  });
  return {
    ...on,
    machine,
    journal,
    survey,
    keys,
    outbox: await outboxIn(join(data, 'outbox')),
    environment: settings.beacon.kind === 'none' ? 'stock' : 'instrumented',
    machineName: keys.machine.name,
    keyNamed: (name) => keyNamed(join(data, 'keys', 'machine.key'), name),
    bundled: (scenario, profileSha256, nowMs) =>
      bundledTicket(paths, journal, { machine: keys.machine.name, scenario, profileSha256 }, nowMs),
    situation: () => situationOf(system, paths, journal, options.settings),
    onTrouble: (scenario, why) => countTrouble(paths, scenario, why, system.now()),
    sleep: system.sleep,
  };
}
