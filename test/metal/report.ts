/** What the stories came to, as text for a terminal and as docs/metal.md. Pure. */
import { brokenMachines } from './story/broken.ts';
import type { BrokenFinding } from './story/broken-machine.ts';
import type { TrialRow } from './story/campaign.ts';
import type { PowerCuts } from './story/power-cuts.ts';
import type { Step } from './story/steps.ts';

/** What a run found, and which run that was: its date, the commit, and how busy its host was when it began. */
export interface Found<T> {
  readonly run: string;
  readonly found: T;
}

export interface CampaignFinding {
  readonly steps: readonly Step[];
  readonly rows: readonly TrialRow[];
}

/** What was run, each part of it or null where it was not. Each part, and each broken machine, is of one run. */
export interface Findings {
  readonly campaign: Found<CampaignFinding> | null;
  readonly powerCuts: Found<PowerCuts> | null;
  readonly broken: readonly Found<BrokenFinding>[] | null;
}

/** Whether everything was as it should be. */
export function isGood({ campaign, powerCuts, broken }: Findings): boolean {
  return (
    (campaign?.found.steps.every((step) => step.isGood) ?? true) &&
    (powerCuts?.found.faults.length ?? 0) === 0 &&
    (broken?.every(({ found }) => found.faults.length === 0) ?? true)
  );
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))];
  return lines.map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;

function campaignPart({ run, found: { steps, rows } }: Found<CampaignFinding>): string[] {
  return [
    '## One machine, from the package to its removal',
    `Run: ${run}.`,
    table(
      ['step', 'took', 'what came of it'],
      steps.map(({ what, tookMs, result, isGood: good }) => [
        what,
        seconds(tookMs),
        good ? result : `NOT AS IT SHOULD BE: ${result}`,
      ]),
    ),
    'The trials of its campaign, as the survey has them. The time is from the arming to the evidence.',
    table(
      ['scenario', 'result', 'reached', 'verdict', 'recovery', 'took'],
      rows.map((r) => [r.scenario, r.result, r.reached, r.verdict, r.recovery, `${r.tookS} s`]),
    ),
  ];
}

function cutsPart({ run, found: { cuts, trials, captured, faults } }: Found<PowerCuts>): string[] {
  const after = cuts.map(({ afterMs, step }) => `${seconds(afterMs)} (${step})`).join(', ');
  return [
    '## Power cuts',
    `Run: ${run}.`,
    `The emulator was killed ${cuts.length} times in the middle of a campaign. After each cut the file system's own journal was replayed and every structure of it checked, and the agent's journal was read. ${trials} trials were reported, ${captured} of them captured; each report was held against what the serial console had shown of its trial.`,
    faults.length === 0
      ? 'None was lost, none doubled, none reported as what it was not.'
      : faults.map((fault) => `- NOT AS IT SHOULD BE: ${fault}`).join('\n'),
    `Cut after, and the last step in the journal: ${after}.`,
  ];
}

function brokenPart(broken: readonly Found<BrokenFinding>[]): string[] {
  return [
    '## Broken machines',
    ...[...new Set(broken.map(({ run }) => run))].map((run) => `Run: ${run}.`),
    `${broken.length} of the ${brokenMachines.length} were run. "?" is what the evidence does not tell.`,
    table(
      ['what is broken', 'what the survey was told', 'what the agent does next', ''],
      broken.map(({ found: { name, told, next, faults } }) => [
        name,
        told,
        next,
        faults.length === 0 ? 'as it should be' : faults.join('; '),
      ]),
    ),
  ];
}

/** All parts that were run. */
export function parts({ campaign, powerCuts, broken }: Findings): string[] {
  return [
    ...(campaign ? campaignPart(campaign) : []),
    ...(powerCuts ? cutsPart(powerCuts) : []),
    ...(broken ? brokenPart(broken) : []),
  ];
}

/** docs/metal.md. */
export function page(host: readonly string[], findings: Findings): string {
  return `${[
    '# The agent on a whole machine',
    'What `npm run metal -- --write` last found; each part says of which run it is. The machine is a complete Debian 12 in QEMU: firmware, GRUB, systemd, kdump-tools, and the agent from its Debian package, against a survey on the host. It reboots as a real machine does, and its disk outlives that. Software emulation makes it slow; nothing else is simplified.',
    // How busy the host was is said of each run.
    host
      .filter((line) => !line.startsWith('Load average'))
      .map((line) => `- ${line}`)
      .join('\n'),
    ...parts(findings),
  ].join('\n\n')}\n`;
}
