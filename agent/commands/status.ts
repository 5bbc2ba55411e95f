import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, jsonOption, surveyOptions } from '../command.ts';
import { openCampaign, openItems } from '../lab/campaign.ts';
import { LogFault } from '../link/log-fault.ts';
import type { LogMemory } from '../link/log-memory.ts';
import { outboxIn } from '../link/outbox.ts';
import { standings } from '../link/standing.ts';
import { metalPaths } from '../metal/state.ts';
import { dataDir } from '../paths.ts';
import { checkLog, type LogCheck } from './check-log.ts';
import { type SurveyLink, surveyLink } from './survey-api.ts';

/** What the survey says of itself, or why it does not. */
async function askSurvey(url: string): Promise<unknown> {
  try {
    const answer = await fetch(new URL('/v1/status', url), { signal: AbortSignal.timeout(5000) });
    return await answer.json();
  } catch (error) {
    return { unreachable: error instanceof Error ? error.message : String(error) };
  }
}

/** What this agent remembers of the survey's log. */
async function logStatus(memory: LogMemory) {
  const [pinned, held, stopped, evidence] = await Promise.all([
    memory.pinned(),
    memory.held(),
    memory.stopped(),
    memory.evidence(),
  ]);
  return {
    origin: pinned?.verifier_key.split('+')[0] ?? null,
    pinned,
    size_held: held[0]?.size ?? null,
    stopped: stopped?.trimEnd() ?? null,
    evidence,
  };
}

function describeLog({
  origin,
  pinned,
  size_held,
  stopped,
  evidence,
}: Awaited<ReturnType<typeof logStatus>>) {
  if (pinned === null) return ['no key is pinned: nothing was sent to this survey yet'];
  const how = pinned.how === 'given' ? 'given' : 'believed on first use';
  return [
    `${origin}, ${size_held ?? 'no'} entries held; its key was ${how}, ${pinned.at}`,
    ...(evidence.length > 0 ? [`evidence against it: ${evidence.join(', ')}`] : []),
    ...(stopped === null ? [] : [`STOPPED: ${stopped}`]),
  ];
}

function describeCheck({ size, counts, faults, others }: LogCheck): string[] {
  const rest = Object.entries(standings).filter(([name]) => counts[name as keyof typeof standings] > 0);
  return [
    `${size} entries, consistent with what was held`,
    ...rest.map(([name, meaning]) => `${counts[name as keyof typeof standings]} ${name}: ${meaning}`),
    ...(others > 0 ? [`${others} receipts are of another log, or of an older agent`] : []),
    ...faults.map(
      ({ file, standing, log_index, merge_by }) =>
        `${standing}: entry ${log_index}, promised for ${merge_by} (${file})`,
    ),
  ];
}

/** The check, or why there is none. A log that contradicts itself is no failure of the check. */
async function tryCheck(link: SurveyLink): Promise<LogCheck | { readonly failed: string }> {
  try {
    return await checkLog(link, Date.now());
  } catch (error) {
    if (error instanceof LogFault) throw error;
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

/** Where this machine stands, in fields and in lines; null where it was never set up to be crashed. */
async function machineStanding(data: string) {
  if (!existsSync(metalPaths(data).settings)) return null;
  // Loaded here alone: what it needs would make every other command slower to start.
  const { describeStanding, standingOf } = await import('../metal/standing.ts');
  const { thisSystem } = await import('../metal/system.ts');
  try {
    const standing = await standingOf(thisSystem(), data);
    return standing && { ...standing, lines: describeStanding(standing) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

export const status: Command = {
  description:
    "Reads the journal, the outbox and what is remembered of the survey's log in the data directory, and asks the survey\nfor its status. Of a machine that is set up for it, it says what will be done next. With --check it looks whether the\nlog keeps its promises: every entry that it has given a receipt for must be under its newest checkpoint, in time. Exit\nstatus 1 where one is not.",
  options: {
    check: { type: 'boolean', help: 'checks every receipt against the newest checkpoint of the log' },
    ...surveyOptions,
    ...jsonOption,
  },
  examples: ['dumpsurvey status', 'dumpsurvey status --check', 'dumpsurvey status --json'],
  run: async (values) => {
    const data = dataDir();
    const link = surveyLink(values, 10_000);
    const campaign = await openCampaign(data);
    const left = campaign ? openItems(campaign).length : 0;
    const planned = campaign?.items.length ?? 0;
    const outbox = await (await outboxIn(join(data, 'outbox'))).count();
    const check = values.check ? await tryCheck(link) : null;
    const log = await logStatus(link.memory);
    const survey = await askSurvey(link.url);
    const machine = await machineStanding(data);
    if (values.json) {
      console.log(JSON.stringify({ data, campaign: { planned, left }, machine, outbox, log, check, survey }));
    } else {
      const show = (name: string, lines: readonly string[]) =>
        console.log(`${name.padEnd(10)}${lines.join(`\n${' '.repeat(10)}`)}`);
      show('Data', [data]);
      show('Campaign', [planned === 0 ? 'none' : `${planned - left} of ${planned} trials closed`]);
      if (machine !== null)
        show('Machine', 'failed' in machine ? [`failed: ${machine.failed}`] : machine.lines);
      show('Outbox', [`${outbox.waiting} waiting, ${outbox.sent} sent, ${outbox.refused} refused`]);
      show('Log', describeLog(log));
      if (check !== null)
        show('Check', 'failed' in check ? [`failed: ${check.failed}`] : describeCheck(check));
      show('Survey', [link.url, JSON.stringify(survey)]);
    }
    return check !== null && ('failed' in check || check.faults.length > 0) ? 1 : 0;
  },
};
