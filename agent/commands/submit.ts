import { join } from 'node:path';
import { fromBase64 } from '../../schema/bytes.ts';
import {
  type Command,
  dryRunOption,
  jsonOption,
  type OptionValues,
  surveyOptions,
  text,
} from '../command.ts';
import { carry, openRequests } from '../link/mailbox.ts';
import { outboxIn } from '../link/outbox.ts';
import { dataDir } from '../paths.ts';
import { surveyLink } from './survey-api.ts';

/** Exchanges what waits here with a directory. */
async function putInto(dir: string, tickets: number, values: OptionValues): Promise<number> {
  // Loaded here alone: sending what waits needs nothing of it.
  const { exchangeHere } = await import('./exchange-here.ts');
  const done = await exchangeHere(dir, tickets, values);
  if (values.json) console.log(JSON.stringify(done));
  else {
    for (const s of done.sent)
      console.log(
        'receipt' in s ? `${s.nonce}  report ${s.receipt.report_id}` : `${s.nonce}  refused: ${s.refused}`,
      );
    if (done.tickets > 0) console.log(`${done.tickets} tickets came.`);
    if (done.refused !== null) console.log(`The request for tickets was refused: ${done.refused}`);
    console.log(
      done.isWaiting
        ? `What waits lies in ${dir}. Carry it to a machine with a network, and bring it back:\n    dumpsurvey submit --import ${dir}`
        : 'Nothing waits any more.',
    );
  }
  return done.refused !== null || done.sent.some((s) => 'refused' in s) ? 1 : 0;
}

/** Sends what lies in a directory, for another machine. */
async function sendFrom(dir: string, values: OptionValues): Promise<number> {
  const carried = await carry(dir, surveyLink(values, 30_000).api);
  for (const { name, refused } of carried) {
    if (values.json) console.log(JSON.stringify({ name, refused }));
    else console.log(`${name}  ${refused === null ? 'answered' : `refused: ${refused}`}`);
  }
  if (!values.json)
    console.log(`The answers are in ${dir}: bring it back to the machine, and run --export there again.`);
  return carried.some(({ refused }) => refused !== null) ? 1 : 0;
}

/** What would be sent of a directory: the payloads as they were signed. */
async function waitingIn(dir: string): Promise<{ readonly name: string; readonly text: string }[]> {
  const open = await openRequests(dir);
  return open.map(({ name, signed }) => ({
    name,
    text: new TextDecoder().decode(fromBase64(signed.payload)),
  }));
}

export const submit: Command = {
  description:
    'Sends each waiting report until the survey gives a receipt. Sending again does no harm: a report that the\nsurvey has is answered with its first receipt. Refused reports are set aside with the reason.',
  options: {
    export: {
      type: 'string',
      value: 'DIR',
      help: 'on a machine without a network: puts what waits, signed, into DIR, and takes in the answers that came back in it',
    },
    tickets: { type: 'string', value: 'N', help: 'with --export: asks for N tickets ahead (at most 64)' },
    import: {
      type: 'string',
      value: 'DIR',
      help: 'on a machine with a network: sends what lies in DIR, and puts the answers beside it; needs no key',
    },
    ...dryRunOption,
    ...surveyOptions,
    ...jsonOption,
  },
  examples: [
    'dumpsurvey submit',
    'dumpsurvey submit --export /media/stick --tickets 8',
    'dumpsurvey submit --import /media/stick --url https://survey.example',
  ],
  run: async (values) => {
    const { export: into, import: from } = values;
    const exportTo = typeof into === 'string' ? into : null;
    const importFrom = typeof from === 'string' ? from : null;
    const count = Number(text(values, 'tickets') ?? 0);
    if (
      (exportTo !== null && importFrom !== null) ||
      !(Number.isInteger(count) && count >= 0 && count <= 64)
    ) {
      console.error('--export and --import are for two machines; --tickets takes a number up to 64.');
      return 2;
    }
    if (text(values, 'tickets') !== null && exportTo === null) {
      console.error('--tickets goes with --export; with a network, run asks for tickets itself.');
      return 2;
    }
    if (!values['dry-run'] && exportTo !== null) return putInto(exportTo, count, values);
    if (!values['dry-run'] && importFrom !== null) return sendFrom(importFrom, values);
    const outbox = await outboxIn(join(dataDir(), 'outbox'));
    if (values['dry-run']) {
      const waiting = importFrom === null ? await outbox.waiting() : await waitingIn(importFrom);
      for (const { name, text } of waiting) console.log(values.json ? text : `${name}\n${text}\n`);
      if (waiting.length === 0 && !values.json)
        console.log(`Nothing waits in ${importFrom ?? 'the outbox'}.`);
      return 0;
    }
    const sent = await outbox.flush(surveyLink(values, 30_000).survey.report);
    for (const s of sent) {
      if (values.json) console.log(JSON.stringify(s));
      else if ('receipt' in s) console.log(`${s.nonce}  report ${s.receipt.report_id}`);
      else console.log(`${s.nonce}  refused: ${s.refused}`);
    }
    if (sent.length === 0 && !values.json) console.log('Nothing waits in the outbox.');
    return sent.some((s) => 'refused' in s) ? 1 : 0;
  },
};
