import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { type Command, jsonOption, surveyOptions, text } from '../command.ts';
import { checkAll, isInOrder } from '../doctor/checks.ts';
import { type DoctorFacts, doctorFacts, type SurveySeen } from '../doctor/facts.ts';
import { report } from '../doctor/print.ts';
import { fileTree } from '../machine/tree.ts';
import { isAgreed, readConsent } from '../metal/consent.ts';
import { systemPrograms } from '../metal/programs.ts';
import { readProof } from '../metal/proof.ts';
import { defaultSettings, readSettings } from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { readStopped } from '../metal/stopped.ts';
import { dataDir } from '../paths.ts';

const surveyTimeoutMs = 5000;
const index = z.object({ scenario_sets: z.record(z.string(), z.unknown()) });

/** Asks a survey what it is, once. Never rejects. */
export async function askSurvey(url: string, now: () => number): Promise<SurveySeen> {
  try {
    const answer = await fetch(new URL('/v1', url), { signal: AbortSignal.timeout(surveyTimeoutMs) });
    const dateMs = Date.parse(answer.headers.get('date') ?? '');
    const aheadMs = Number.isNaN(dateMs) ? null : now() - dateMs;
    const { data } = index.safeParse(await answer.json().catch(() => null));
    if (!answer.ok || data === undefined)
      return { url, reached: false, why: `it answers ${answer.status}, and not as a survey does` };
    return { url, reached: true, clockAheadMs: aheadMs, sets: Object.keys(data.scenario_sets) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { url, reached: false, why: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** What of the state directory cannot be read is as if it were not there: other checks say what is missing. */
async function orNull<T>(read: Promise<T>): Promise<T | null> {
  return read.catch(() => null);
}

/** The facts of the machine that this runs on. */
async function thisMachinesFacts(url: string | null): Promise<DoctorFacts> {
  const data = dataDir();
  const paths = metalPaths(data);
  const settings = await orNull(readSettings(paths));
  const survey = await askSurvey(url ?? settings?.survey ?? defaultSettings.survey, Date.now);
  return doctorFacts(fileTree(), systemPrograms, {
    consent: isAgreed(await orNull(readConsent(paths))),
    nowMs: Date.now(),
    settings,
    isEnrolled: (await orNull(readFile(join(data, 'keys', 'machine.key')))) !== null,
    stopped: (await readStopped(paths))?.why ?? null,
    watchdogProof: (await orNull(readProof(paths)))?.state ?? null,
    survey,
    isRoot: process.geteuid?.() === 0,
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
