/** The report of an audit, for people and for programs. Pure. */
import { toHex } from '../../schema/bytes.ts';
import type { AuditReport } from './audit.ts';
import { type Check, checks, outcomes } from './checks.ts';
import type { Finding } from './tally.ts';

/** 0: all is as it must be. 1: something is not. 3: not all could be had. */
export type Status = 0 | 1 | 3;

export function statusOf({ tally, lacking }: Pick<AuditReport, 'tally' | 'lacking'>): Status {
  if (mismatches({ tally }) > 0) return 1;
  return lacking.length > 0 ? 3 : 0;
}

/** How many things are not as they must be. */
export function mismatches({ tally }: Pick<AuditReport, 'tally'>): number {
  return Object.values(tally.counts()).reduce((sum, { mismatch }) => sum + mismatch, 0);
}

/** The report as JSON. */
export function reportJson(report: AuditReport): unknown {
  const { source, key, isFirstUse, head, tally, lacking } = report;
  const status = statusOf(report);
  return {
    result: status === 0 ? 'ok' : status === 1 ? 'mismatch' : 'incomplete',
    source,
    log: {
      key,
      key_on_first_use: isFirstUse,
      size: head?.checkpoint.size ?? null,
      root: head && toHex(head.checkpoint.root),
      checkpoint: head?.note ?? null,
    },
    checks: tally.counts(),
    findings: tally.findings(),
    notes: tally.notes(),
    lacking,
  };
}

const columns = Object.keys(outcomes) as (keyof typeof outcomes)[];
const nameWidth = 14;
const columnWidth = 11;

function tableOf({ tally }: AuditReport): string[] {
  const counts = tally.counts();
  const cells = (values: readonly string[]) => values.map((value) => value.padStart(columnWidth)).join('');
  const head = `${''.padEnd(nameWidth)}${cells(columns.map((name) => (name === 'mismatch' ? 'MISMATCH' : name)))}`;
  const lines = (Object.keys(checks) as Check[]).map((name) => {
    const values = columns.map((column) => (counts[name][column] === 0 ? '·' : String(counts[name][column])));
    return `${name.padEnd(nameWidth)}${cells(values)}   ${checks[name].title}`;
  });
  return [head, ...lines];
}

function findingLines({ check, log_index, expected, found, means, evidence }: Finding): string[] {
  return [
    `MISMATCH  ${check}${log_index === null ? '' : `, entry ${log_index}`}`,
    `  expected  ${expected}`,
    `  found     ${found}`,
    `  means     ${means}`,
    ...evidence.flatMap((text) => [
      '  evidence',
      ...text
        .trimEnd()
        .split('\n')
        .map((line) => `    ${line}`),
    ]),
    '',
  ];
}

/** The report for a person. `kept` is where the answers lie that prove it, or null. */
export function reportText(report: AuditReport, kept: string | null): string {
  const { source, key, isFirstUse, head, tally, lacking } = report;
  const lines = [
    `Survey  ${source}`,
    `Log     ${head === null ? 'no checkpoint was verified' : `${head.checkpoint.size} entries, root ${toHex(head.checkpoint.root)}`}`,
    `Key     ${key ?? 'unknown'}`,
  ];
  if (isFirstUse && key !== null)
    lines.push(
      '        taken on first use, because the survey names it: whoever stands between could name another.',
      '        Compare it with what the operator publishes elsewhere, and give it with --log-key from now on.',
    );
  lines.push('', ...tableOf(report), '');
  const findings = tally.findings();
  for (const finding of findings) lines.push(...findingLines(finding));
  const more = mismatches(report) - findings.length;
  if (more > 0) lines.push(`… and ${more} more.`, '');
  for (const note of tally.notes()) lines.push(`Note: ${note}`);
  for (const what of lacking) lines.push(`Not checked: ${what}`);
  if (tally.notes().length + lacking.length > 0) lines.push('');
  lines.push(...verdictOf(report, kept));
  return lines.join('\n');
}

function verdictOf(report: AuditReport, kept: string | null): string[] {
  const count = mismatches(report);
  if (count > 0) {
    return [
      `${count} ${count === 1 ? 'thing is' : 'things are'} not as ${count === 1 ? 'it' : 'they'} must be.`,
      kept === null
        ? 'Run it again with --keep DIR: the signed answers are the proof, and the survey may change what it shows.'
        : `The answers that prove it are in ${kept}: keep them, they are signed.`,
      'Ask the operator about it, show it to the witnesses and to other users, and do not rely on these figures until it is explained.',
    ];
  }
  if (report.lacking.length > 0)
    return ['Nothing is wrong in what was checked, and not all of it could be. Run it again when it can.'];
  return [
    'Everything that was checked is as it must be. docs/verifying.md says what one client alone cannot see.',
  ];
}
