import { join } from 'node:path';
import { type Command, jsonOption, surveyUrl, urlOption } from '../command.ts';
import { openCampaign, openItems } from '../lab/campaign.ts';
import { outboxIn } from '../link/outbox.ts';
import { dataDir } from '../paths.ts';

/** What the survey says of itself, or why it does not. */
async function askSurvey(url: string): Promise<unknown> {
  try {
    const answer = await fetch(new URL('/v1/status', url), { signal: AbortSignal.timeout(5000) });
    return await answer.json();
  } catch (error) {
    return { unreachable: error instanceof Error ? error.message : String(error) };
  }
}

export const status: Command = {
  name: 'status',
  summary: 'says what this agent has done, what waits to be sent, and what the survey counts',
  description: 'Reads the journal and the outbox in the data directory, and asks the survey for its status.',
  options: { ...urlOption, ...jsonOption },
  examples: ['dumpsurvey status', 'dumpsurvey status --json'],
  run: async (values) => {
    const data = dataDir();
    const url = surveyUrl(values);
    const campaign = await openCampaign(data);
    const left = campaign ? openItems(campaign).length : 0;
    const planned = campaign?.items.length ?? 0;
    const outbox = await (await outboxIn(join(data, 'outbox'))).count();
    const survey = await askSurvey(url);
    if (values.json) console.log(JSON.stringify({ data, campaign: { planned, left }, outbox, survey }));
    else {
      console.log(`Data      ${data}`);
      console.log(`Campaign  ${planned === 0 ? 'none' : `${planned - left} of ${planned} trials closed`}`);
      console.log(`Outbox    ${outbox.waiting} waiting, ${outbox.sent} sent, ${outbox.refused} refused`);
      console.log(`Survey    ${url}\n          ${JSON.stringify(survey)}`);
    }
    return 0;
  },
};
