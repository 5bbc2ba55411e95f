import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, jsonOption, surveyOptions, text } from '../command.ts';
import { askSurvey } from '../doctor/ask-survey.ts';
import { checkAll, isInOrder } from '../doctor/checks.ts';
import { type DoctorFacts, doctorFacts } from '../doctor/facts.ts';
import { report } from '../doctor/print.ts';
import { fileTree } from '../machine/tree.ts';
import { isAgreed, readConsent } from '../metal/consent.ts';
import { systemPrograms } from '../metal/programs.ts';
import { readProof } from '../metal/proof.ts';
import { defaultSettings, readSettings } from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { readStopped } from '../metal/stopped.ts';
import { dataDir } from '../paths.ts';

/** What of the state directory cannot be read is as if it were not there: other checks say what is missing. */
async function orNull<T>(read: Promise<T>): Promise<T | null> {
  return read.catch(() => null);
}

/** Whether a directory can be read. One that is not there hides nothing. */
async function isReadable(directory: string): Promise<boolean> {
  return access(directory, constants.R_OK | constants.X_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  );
}

/** The facts of the machine that this runs on. */
async function thisMachinesFacts(url: string | null): Promise<DoctorFacts> {
  const data = dataDir();
  const paths = metalPaths(data);
  const keys = join(data, 'keys');
  const isStateReadable = (await isReadable(paths.dir)) && (await isReadable(keys));
  const settings = await orNull(readSettings(paths));
  const survey = await askSurvey(url ?? settings?.survey ?? defaultSettings.survey, Date.now);
  return doctorFacts(fileTree(), systemPrograms, {
    consent: isAgreed(await orNull(readConsent(paths))),
    nowMs: Date.now(),
    settings,
    isEnrolled: (await orNull(readFile(join(keys, 'machine.key')))) !== null,
    stopped: isStateReadable ? ((await readStopped(paths))?.why ?? null) : null,
    watchdogProof: (await orNull(readProof(paths)))?.state ?? null,
    survey,
    isRoot: process.geteuid?.() === 0,
    isStateReadable,
  });
}

export const doctor: Command = {
  description:
    'Looks whether a crash of this machine would be captured, and whether the machine would come back: capture kernel,\nkernel module, watchdog, dump target, clock, survey, consent. For each thing that is not so it says what follows, and\nthe exact commands for this distribution. Nothing is changed. As root it sees more.',
  options: {
    url: surveyOptions.url,
    ...jsonOption,
  },
  examples: ['dumpsurvey doctor', 'dumpsurvey doctor --json'],
  exits: {
    0: 'the machine can be tested; warnings say what is lost',
    3: 'something is to be mended first: each finding says how',
  },
  run: async (values) => {
    const findings = checkAll(await thisMachinesFacts(text(values, 'url')));
    const ready = isInOrder(findings);
    console.log(values.json ? JSON.stringify({ ready, checks: findings }) : report(findings));
    return ready ? 0 : 3;
  },
};
