import { stat } from 'node:fs/promises';
import { Advice } from '../advice.ts';
import { carriedFiles, isBundled } from '../carried.ts';
import { type Command, jsonOption, type OptionValues, surveyOptions, text } from '../command.ts';
import { loadCommands } from '../command-table.ts';
import { applySteps } from '../install/apply.ts';
import { beaconDiskSteps, beaconParts } from '../install/beacons.ts';
import { installPlan } from '../install/plan.ts';
import { demandInstalledDataDir, thisSite } from '../install/site.ts';
import { describeStep } from '../install/steps.ts';
import { fileTree } from '../machine/tree.ts';
import { pages } from '../manual/pages.ts';
import { consentText, isAgreed, readConsent, writeConsent } from '../metal/consent.ts';
import { systemPrograms } from '../metal/programs.ts';
import {
  type BeaconChannel,
  defaultSettings,
  type MetalSettings,
  metalSettings,
  readSettings,
  writeSettings,
} from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { installedDataDir } from '../paths.ts';
import { agentVersion } from '../version.ts';

function beaconOf(word: string): BeaconChannel {
  return word === 'none' || word === 'ramoops' ? { kind: word } : { kind: 'disk', device: word };
}

/** The settings as they were, with what the options say. Gives what is wrong in words. */
function chosenSettings(
  before: MetalSettings,
  values: OptionValues,
): { readonly settings: MetalSettings } | { readonly fault: string } {
  const given = (name: string) => text(values, name);
  const beacon = given('beacon');
  const perDay = given('trials-per-day');
  const { data, error } = metalSettings.safeParse({
    ...before,
    survey: (given('url') ?? process.env.DUMPSURVEY_URL) || before.survey,
    log_key: (given('log-key') ?? process.env.DUMPSURVEY_LOG_KEY) || before.log_key,
    dump_disk: given('dump-disk') ?? before.dump_disk,
    scratch: given('scratch') ?? before.scratch,
    beacon: beacon === null ? before.beacon : beaconOf(beacon),
    trials_per_day: perDay === null ? before.trials_per_day : Number(perDay),
  });
  if (error === undefined) return { settings: data };
  const [issue] = error.issues;
  const option = String(issue?.path[0] ?? '').replaceAll('_', '-');
  return { fault: `--${option === 'survey' ? 'url' : option}: ${issue?.message}` };
}

async function demandDirectory(path: string | null): Promise<void> {
  if (path === null) return;
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isDirectory)
    throw new Advice(`--scratch names ${path}, which is no directory. Make it:`, [`mkdir -p ${path}`]);
}

export const install: Command = {
  description:
    'Puts the crash module (by DKMS), a service and a timer on this machine, and a directory for its state:\n/var/lib/dumpsurvey. What the Debian package has brought already is left as it is. Nothing is crashed, loaded or started.\nOnly with --spare-machine may the machine be crashed, later: by `dumpsurvey run`, and by the timer from the next start\non. All of it is written down, and `dumpsurvey uninstall` takes exactly that back. Called again, it changes the settings\nthat are named, and keeps the others.',
  needs: 'root',
  options: {
    'spare-machine': {
      type: 'boolean',
      help: 'shows what is going to happen, and marks this machine as a spare one that may be crashed',
    },
    ...surveyOptions,
    scratch: {
      type: 'string',
      value: 'DIR',
      help: "a directory on the dump target's file system, for writes in flight (none: without disk load)",
    },
    beacon: {
      type: 'string',
      value: 'CHANNEL',
      help: 'where the capture kernel tells how far it is: none, ramoops, or an empty partition as /dev/… (none)',
    },
    'dump-disk': {
      type: 'string',
      value: 'NAME',
      help: 'the disk that dumps are written to, as in /sys/block (found from the configuration of kdump)',
    },
    'trials-per-day': {
      type: 'string',
      value: 'N',
      help: 'how often it may be crashed in a day at most (4)',
    },
    'dry-run': { type: 'boolean', help: 'prints each step, and does nothing' },
    ...jsonOption,
  },
  exits: { 3: 'the crash module does not build here yet, or root is needed: the message says what to do' },
  examples: [
    'dumpsurvey install --spare-machine --dry-run',
    'dumpsurvey install --spare-machine --url https://survey.example --scratch /var/tmp/dumpsurvey',
    'dumpsurvey install --trials-per-day 12',
  ],
  run: async (values) => {
    demandInstalledDataDir(process.env);
    // Whatever root's own is: users look at the state, and systemd at the units.
    process.umask(0o022);
    const paths = metalPaths(installedDataDir);
    const chosen = chosenSettings((await readSettings(paths)) ?? defaultSettings, values);
    if ('fault' in chosen) {
      console.error(`${chosen.fault}. See dumpsurvey install --help.`);
      return 2;
    }
    await demandDirectory(text(values, 'scratch'));
    const spare = values['spare-machine'] === true;
    const isSpare = isAgreed(await readConsent(paths));
    const site = await thisSite(systemPrograms);
    if (!isBundled && !values['dry-run'])
      throw new Advice('A checkout is not installed as it is. Make one file of it, and install that:', [
        'npm run bundle',
        'sudo node dist/dumpsurvey.cjs install',
      ]);
    const { beacon } = chosen.settings;
    const parts = beaconParts(fileTree('/'), beacon);
    const plan = installPlan(
      site,
      paths,
      {
        settings: () => writeSettings(paths, chosen.settings),
        consent: spare ? () => writeConsent(paths, agentVersion, Date.now()) : null,
        isSpare,
      },
      {
        module: await carriedFiles('kmod'),
        pages: pages(await loadCommands(), agentVersion, 'local'),
        hooks: parts.hooks,
        hooksCommand: parts.hooksCommand,
      },
    );
    const steps = [...beaconDiskSteps(beacon), ...plan];
    const json = values.json === true;
    if (spare && !json) console.log(consentText);
    if (values['dry-run']) {
      const lines = steps.map(describeStep);
      console.log(
        json
          ? JSON.stringify({ steps: lines, settings: chosen.settings, consent: spare ? consentText : null })
          : [...lines, `settings: ${JSON.stringify(chosen.settings)}`].join('\n'),
      );
      return 0;
    }
    const done: string[] = [];
    const troubles = await applySteps(steps, {
      root: '/',
      data: installedDataDir,
      programs: systemPrograms,
      agentVersion,
      nowMs: Date.now(),
      told: (step) => {
        done.push(step);
        if (!json) console.log(step);
      },
    });
    if (!site.hasDkms)
      troubles.push(
        'There is no DKMS on this machine, so the crash module was not built. Nothing can be crashed without.',
      );
    const next =
      spare || isSpare
        ? 'Nothing is crashed yet. Next: dumpsurvey doctor, dumpsurvey enroll, then dumpsurvey run. From the next start of this\nmachine on the timer does that by itself. To end it: dumpsurvey uninstall.'
        : 'Nothing will be crashed: this machine is not marked as spare. For that: dumpsurvey install --spare-machine';
    if (json) console.log(JSON.stringify({ steps: done, troubles, settings: chosen.settings, spare }));
    else
      console.log([...troubles, ...(troubles.length > 0 ? ['See dumpsurvey doctor.'] : []), next].join('\n'));
    return troubles.length > 0 ? 3 : 0;
  },
};
