import { join } from 'node:path';
import { type Command, dryRunOption, jsonOption, surveyOptions } from '../command.ts';
import { outboxIn } from '../link/outbox.ts';
import { dataDir } from '../paths.ts';
import { surveyLink } from './survey-api.ts';

export const submit: Command = {
  description:
    'Sends each waiting report until the survey gives a receipt. Sending again does no harm: a report that the\nsurvey has is answered with its first receipt. Refused reports are set aside with the reason.',
  options: { ...dryRunOption, ...surveyOptions, ...jsonOption },
  examples: ['dumpsurvey submit', 'dumpsurvey submit --url https://survey.example'],
  run: async (values) => {
    const outbox = await outboxIn(join(dataDir(), 'outbox'));
    if (values['dry-run']) {
      const waiting = await outbox.waiting();
      for (const { name, text } of waiting) console.log(values.json ? text : `${name}\n${text}\n`);
      if (waiting.length === 0 && !values.json) console.log('Nothing waits in the outbox.');
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
