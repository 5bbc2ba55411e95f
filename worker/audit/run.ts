/** Runs `verify`: reads the files that the options name, audits, keeps what is to be kept, and prints the report. */
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatVerifierKey, parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { type AuditReport, audit } from './audit.ts';
import type { Values } from './command.ts';
import type { TrustedWitness } from './heads.ts';
import { reportJson, reportText, statusOf } from './print.ts';
import { type Environment, type Settings, settingsOf, Usage } from './settings.ts';
import { copyIn, keeping, moveInto } from './source/copy.ts';
import { surveyAt } from './source/http.ts';
import { Incomplete, type Source } from './source/source.ts';
import { keepState, type Remembered, stateIn } from './state.ts';

/** What a run is given by its process, or by a test. */
export interface Rim {
  readonly environment: Environment;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly print: (text: string) => void;
  readonly complain: (text: string) => void;
  readonly progress: (done: number, total: number) => void;
}

/**
 * The command. Gives the exit status, and never throws: 1 says that a survey is dishonest, so a fault of the auditor
 * must not come out as that.
 */
export async function run(values: Values, rim: Rim = processRim()): Promise<number> {
  try {
    const settings = await settingsOf(values, rim.environment);
    const { report, kept } = await verify(settings, rim);
    rim.print(settings.json ? JSON.stringify(reportJson(report)) : reportText(report, kept));
    return statusOf(report);
  } catch (error) {
    if (error instanceof Usage) {
      rim.complain(`${error.message} See dumpsurvey verify --help.`);
      return 2;
    }
    rim.complain(
      error instanceof Incomplete
        ? error.message
        : `The auditor itself failed, which says nothing of the survey: ${error instanceof Error ? error.stack : error}`,
    );
    return 3;
  }
}

/** Audits as the settings ask, and remembers and keeps what they ask for. Throws Usage and Incomplete. */
export async function verify(
  settings: Settings,
  rim: Rim,
): Promise<{ readonly report: AuditReport; readonly kept: string | null }> {
  const state = settings.state === null ? null : await stateIn(settings.state);
  const key = await keyToTrust(settings, state);
  const sources = await sourcesOf(settings, rim);
  const report = await audit({
    ...sources,
    key,
    witnessesNeeded: settings.witnessesNeeded,
    operators: settings.operators,
    lastNote: state?.note ?? null,
    receipts: await Promise.all(
      settings.receipts.map(async (name) => ({ name, text: await receiptIn(name) })),
    ),
    edition: settings.edition,
    now: rim.now,
    sleep: rim.sleep,
    progress: rim.progress,
  });
  if (settings.state !== null) await remember(settings.state, report);
  let kept = sources.kept;
  if (settings.keep !== null && kept !== null && key !== null) await keepKey(kept, key);
  if (settings.keep !== null && kept !== null && kept !== settings.keep && statusOf(report) === 0) {
    await moveInto(kept, settings.keep);
    kept = settings.keep;
  }
  return { report, kept };
}

/** A copy names the key that it was made under, also where that was known before. */
async function keepKey(kept: string, { name, key }: Verifier): Promise<void> {
  await mkdir(join(kept, 'log'), { recursive: true });
  await writeFile(join(kept, 'log', 'key'), `${await formatVerifierKey(name, key)}\n`);
}

/** The key that is given, or else the one of the run before. Throws Usage where they differ. */
async function keyToTrust(
  { key, state: path }: Settings,
  state: Remembered | null,
): Promise<Verifier | null> {
  if (state === null) return key;
  const kept = await parseVerifierKey(state.key).catch(() => {
    throw new Incomplete(`The state ${path} does not hold a log's key. Restore it from a backup.`);
  });
  if (key === null || (await formatVerifierKey(key.name, key.key)) === state.key) return kept;
  throw new Usage(`${path} is the state of the log ${state.key}, and --log-key names another one.`);
}

async function receiptIn(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Incomplete(`The receipt ${path} cannot be read (${error.code ?? error.message}).`);
  });
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

interface Sources {
  readonly source: Source;
  readonly earlier: Source | null;
  readonly witnesses: readonly TrustedWitness[];
  /** Where the answers lie. */
  readonly kept: string | null;
}

/** A file name that no other name has. */
function folderOf({ name }: Verifier): string {
  return join('witness', encodeURIComponent(name));
}

async function sourcesOf({ from, keep, token, witnesses }: Settings, rim: Rim): Promise<Sources> {
  if ('copy' in from) {
    const trusted = witnesses.map(async ({ verifier }) => {
      const directory = join(from.copy, folderOf(verifier));
      return { verifier, source: (await isThere(directory)) ? copyIn(directory) : null };
    });
    return {
      source: copyIn(from.copy),
      earlier: null,
      witnesses: await Promise.all(trusted),
      kept: from.copy,
    };
  }
  // What an earlier run kept stays until this one has found nothing wrong: it is what this one is compared with.
  const isAgain = keep !== null && (await isThere(join(keep, 'log', 'checkpoint')));
  const kept = isAgain ? join(keep, 'next') : keep;
  const keptIn = (source: Source, folder: string) =>
    kept === null ? source : keeping(source, join(kept, folder));
  return {
    source: keptIn(surveyAt(from.url, { token, sleep: rim.sleep }), ''),
    earlier: isAgain ? copyIn(keep) : null,
    witnesses: witnesses.map(({ verifier, url }) => ({
      verifier,
      source: url === null ? null : keptIn(surveyAt(url, { sleep: rim.sleep }), folderOf(verifier)),
    })),
    kept,
  };
}

/** Remembers the newest checkpoint, if the entries are its own and nothing contradicts it. */
async function remember(path: string, { key, head, isTreeRight, tally }: AuditReport): Promise<void> {
  const { consistency, checkpoint, cosignatures } = tally.counts();
  const isContradicted = consistency.mismatch + checkpoint.mismatch + cosignatures.mismatch > 0;
  if (key === null || head === null || !isTreeRight || isContradicted) return;
  await keepState(path, { key, note: head.note });
}

function processRim(): Rim {
  return {
    environment: process.env,
    now: Date.now,
    sleep: (ms) => sleep(ms),
    print: (text) => console.log(text),
    complain: (text) => console.error(text),
    progress: progressOn(process.stderr),
  };
}

/** Says how far it is, now and then, where somebody looks; and leaves nothing of that behind. */
function progressOn(stream: NodeJS.WriteStream): Rim['progress'] {
  const everyMs = 500;
  let saidMs = performance.now();
  let isSaid = false;
  return (done, total) => {
    if (!stream.isTTY) return;
    if (done === total && isSaid) stream.write('\r\u001b[K');
    if (done === total || performance.now() < saidMs + everyMs) return;
    saidMs = performance.now();
    isSaid = true;
    stream.write(`\r${done} of ${total} entries\u001b[K`);
  };
}
