/** `dumpsurvey verify-dump`: judges dumps that a machine sends to another one, on the side that receives them. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64, fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { type Envelope, envelope, hashInput } from '../../schema/envelope.ts';
import { type ReportBody, reportBody } from '../../schema/wire.ts';
import { Advice } from '../advice.ts';
import { type Command, dryRunOption, jsonOption, keyOptions, type OptionValues, text } from '../command.ts';
import { fileSource } from '../dump/file_source.ts';
import { keyIn, keyNamed } from '../link/keys.ts';
import { outboxIn } from '../link/outbox.ts';
import { sign } from '../link/sign.ts';
import {
  amendedBy,
  findingOn,
  openReceived,
  plantedIn,
  signFinding,
  trialFileText,
} from '../metal/evidence/received.ts';
import { metalPaths } from '../metal/state.ts';
import { dataDir } from '../paths.ts';
import { foldJournal, parseJournal } from '../trial/journal.ts';
import { machineKeyPath } from './key-files.ts';

async function textOf(path: string, what: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Advice(`${path}, ${what}, cannot be read: ${error.code ?? error.message}.`);
  });
}

function signedIn(content: string, path: string): Envelope {
  try {
    return envelope.parse(JSON.parse(content));
  } catch {
    throw new Advice(`${path} holds no signed envelope.`);
  }
}

/** Prints what the receiving side needs of the trial that was armed last. */
async function exportTrial(): Promise<number> {
  const { journal } = metalPaths(dataDir());
  const { entries } = parseJournal(await textOf(journal, 'the journal of this machine'));
  const armed = [...foldJournal(entries).values()]
    .flatMap(({ arming }) => (arming ? [arming] : []))
    .sort((a, b) => (a.armed_at < b.armed_at ? 1 : -1))[0];
  if (armed === undefined)
    throw new Advice('No trial was armed on this machine: there is nothing to look for in a dump.');
  process.stdout.write(trialFileText(armed.listing));
  return 0;
}

/** Looks at a dump and prints the signed finding. */
async function judge(dump: string, trial: string | null, keyFile: string): Promise<number> {
  if (trial === null)
    throw new Advice('Which trial is the dump of? Name its file, made on the machine that crashed:', [
      'dumpsurvey verify-dump --export > trial.json',
      `dumpsurvey verify-dump ${dump} --trial trial.json > finding.json`,
    ]);
  const planted = plantedIn(await textOf(trial, 'the file of the trial'));
  const key = await keyIn(keyFile, randomBytes);
  const source = await fileSource(dump);
  try {
    const body = await findingOn(source, planted, key.name, Date.now());
    process.stdout.write(`${JSON.stringify(signFinding(body, key))}\n`);
    return 0;
  } finally {
    await source.close();
  }
}

/** The report that was sent on a trial, with its signer. Throws Advice where it was not sent yet. */
async function sentReport(nonce: string): Promise<{ readonly body: ReportBody; readonly hash: string }> {
  const path = join(dataDir(), 'outbox', 'sent', `${nonce}.json`);
  const content = await textOf(path, `the report on trial ${nonce} that was sent`);
  const { payload, signatures } = signedIn(content, path);
  const bytes = fromBase64(payload);
  const body = reportBody.parse(JSON.parse(new TextDecoder().decode(bytes)));
  const signer = fromHex(signatures[0]?.keyid ?? '');
  return { body, hash: toHex(await sha256(hashInput('report', signer, bytes))) };
}

/** Puts the amendment of a report into the outbox, with what the receiving side found. */
async function attach(findingFile: string, keyFile: string, values: OptionValues): Promise<number> {
  const received = await openReceived(signedIn(await textOf(findingFile, 'the finding'), findingFile));
  const { body, hash } = await sentReport(received.body.nonce);
  const amended = amendedBy(body, hash, received, Date.now());
  const key = await keyNamed(keyFile, body.machine);
  const signed = sign('report', utf8(JSON.stringify(amended)), key);
  if (values['dry-run'] === true) {
    console.log(JSON.stringify(signed));
    return 0;
  }
  const outbox = await outboxIn(join(dataDir(), 'outbox'));
  // One amendment for each report: the name follows from the report's.
  await outbox.put(hash.slice(0, 32), signed);
  const { result, verdict } = amended.outcome;
  console.log(
    values.json === true
      ? JSON.stringify({ nonce: body.nonce, result, verdict })
      : `Trial ${body.nonce}: ${result}, the dump is ${verdict}. The amendment waits in the outbox; \`dumpsurvey submit\` sends it.`,
  );
  return 0;
}

export const verifyDumpCommand: Command = {
  description: `For machines whose dumps go to another one, over NFS or SSH. A report on such a dump says
"unverifiable" unless the receiving side has looked at it:

  1. on the machine that crashed, --export prints what was planted for the trial;
  2. on the receiving side, DUMP is judged by it, and the finding is signed with a key of that side;
  3. on the machine that crashed, --attach amends its report with the signed finding.

Nothing of a dump is sent anywhere: only what was found in it.`,
  argument: { value: 'DUMP', help: 'the dump file on the receiving side' },
  options: {
    export: { type: 'boolean', help: 'prints the file of the trial that was armed last on this machine' },
    trial: { type: 'string', value: 'FILE', help: 'the file of the trial, to judge DUMP by' },
    'receiver-key': {
      type: 'string',
      value: 'FILE',
      help: "the receiving side's key (keys/receiver.key in the data directory; made where it is missing)",
    },
    attach: {
      type: 'string',
      value: 'FILE',
      help: 'a signed finding, to amend the report on its trial with',
    },
    key: keyOptions.key,
    ...dryRunOption,
    ...jsonOption,
  },
  examples: [
    'dumpsurvey verify-dump --export > trial.json',
    'dumpsurvey verify-dump /srv/crash/host-202611241001/dump.202611241001 --trial trial.json > finding.json',
    'dumpsurvey verify-dump --attach finding.json && dumpsurvey submit',
  ],
  run: async (values, dump) => {
    const attached = text(values, 'attach');
    if (values.export === true) return exportTrial();
    if (attached !== null) return attach(attached, machineKeyPath(values), values);
    if (dump === null) throw new Advice('What is to be judged? Name a dump, --export or --attach FILE.');
    const keyFile = text(values, 'receiver-key') ?? join(dataDir(), 'keys', 'receiver.key');
    return judge(dump, text(values, 'trial'), keyFile);
  },
};
