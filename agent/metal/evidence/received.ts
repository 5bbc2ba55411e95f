/**
 * A dump that went to another machine: what is looked at there, and how it comes into the report here. The receiving side
 * is given what was planted, and signs what it finds with a key of its own.
 */
import * as z from 'zod';
import { utf8 } from '../../../schema/bytes.ts';
import { classify } from '../../../schema/classify/classify.ts';
import type { Envelope } from '../../../schema/envelope.ts';
import type { DumpFinding } from '../../../schema/evidence.ts';
import { type FindingBody, findingBody, openFinding } from '../../../schema/finding.ts';
import { type ReportBody, reportBody } from '../../../schema/wire.ts';
import { Advice } from '../../advice.ts';
import type { ByteSource } from '../../dump/source.ts';
import { dumpLog, verifyDump } from '../../dump/verify.ts';
import type { KeyPair } from '../../link/keys.ts';
import { sign } from '../../link/sign.ts';
import { listingIn } from '../../trial/listing-text.ts';
import { ofTrial, parseAtCrash, parseTrigger } from '../../trial/module-lines.ts';
import { allowedLines, fromTrigger } from './log-lines.ts';

/** What the receiving side is given of a trial: nothing else of it leaves the machine that crashed. */
const trialFile = z.strictObject({
  version: z.literal(1),
  /** What was planted, as the journal keeps it. */
  listing: z.string().max(100_000),
});

/** The text of a trial's file. */
export function trialFileText(listing: string): string {
  return `${JSON.stringify({ version: 1, listing } satisfies z.infer<typeof trialFile>)}\n`;
}

/** What a trial's file says was planted. Throws Advice where it is none. */
export function plantedIn(text: string) {
  try {
    return listingIn(trialFile.parse(JSON.parse(text)).listing);
  } catch {
    throw new Advice('The file of the trial cannot be read. Make it on the machine that crashed:', [
      'dumpsurvey verify-dump --export > trial.json',
    ]);
  }
}

const logLinesMax = 4000;

/** Looks at a dump for a trial, and says what is there. Rejects for I/O errors only. */
export async function findingOn(
  source: ByteSource,
  planted: ReturnType<typeof listingIn>,
  receiver: string,
  nowMs: number,
): Promise<FindingBody> {
  const { nonce } = planted;
  const dump = await verifyDump(source, planted);
  const log = dump.vmcoreinfo === 'absent' ? [] : ((await dumpLog(source, logLinesMax)) ?? []);
  return findingBody.parse({
    version: '1.0',
    receiver,
    nonce,
    dump,
    trigger: ofTrial(log, parseTrigger, nonce),
    at_crash: ofTrial(log, parseAtCrash, nonce),
    crash_log: allowedLines(fromTrigger(log, nonce), 60),
    created_at: new Date(nowMs).toISOString(),
  } satisfies FindingBody);
}

/** The finding as it travels. */
export function signFinding(body: FindingBody, key: KeyPair): Envelope {
  return sign('finding', utf8(JSON.stringify(body)), key);
}

/** A receiver's word that was opened. */
export interface Received {
  readonly envelope: Envelope;
  readonly body: FindingBody;
}

/** Opens a receiver's word. Throws Advice where it is none. */
export async function openReceived(envelope: Envelope): Promise<Received> {
  const opened = await openFinding(envelope);
  if ('body' in opened) return { envelope, body: opened.body };
  throw new Advice(`What the receiving side signed cannot be used: ${opened.fault}.`, [
    'dumpsurvey verify-dump DUMP --trial trial.json > finding.json',
  ]);
}

/**
 * The amendment that brings a receiver's word into a report. `reportHash` names the first report. Throws Advice where the
 * two do not belong together.
 */
export function amendedBy(
  first: ReportBody,
  reportHash: string,
  { envelope, body }: Received,
  nowMs: number,
): ReportBody {
  const refuse = (why: string): never => {
    throw new Advice(`The finding does not amend the report: ${why}.`);
  };
  if (first.version !== '1.2' || first.evidence.after_reboot?.dump_state !== 'elsewhere')
    return refuse(`trial ${first.nonce} did not send its dump to another machine`);
  if (first.amends !== null) return refuse('it amends one itself');
  if (first.nonce !== body.nonce)
    return refuse(`it is of trial ${body.nonce}, the report is of ${first.nonce}`);
  if (first.machine === body.receiver)
    return refuse('a machine cannot vouch for its own dump; use another key');
  const dump: DumpFinding = body.dump;
  const evidence = {
    ...first.evidence,
    dump,
    trigger: first.evidence.trigger ?? body.trigger,
    at_crash: first.evidence.at_crash ?? body.at_crash,
    crash_log: first.evidence.crash_log.length > 0 ? first.evidence.crash_log : body.crash_log,
    after_reboot: { ...first.evidence.after_reboot, receiver: envelope },
  };
  return reportBody.parse({
    ...first,
    amends: { report_hash: reportHash, reason: 'dump-found' },
    evidence,
    outcome: classify(evidence, first.scenario, first.mechanism),
    reported_at: new Date(nowMs).toISOString(),
  } satisfies ReportBody);
}
