/** The matrix as a page in Markdown; the terminal shows the same. Pure. */
import type { KernelName } from '../../agent/lab/flavors.ts';
import { type CrashPoint, crashPoints } from '../../schema/crash-point.ts';
import { type CrashType, crashTypes, sysctlsOf } from '../../schema/crash-type.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { contextWords, type Finding } from './judge.ts';
import { impossiblePairs, isOnAxis, pairs } from './rows.ts';

type Cells = readonly string[];

/** A Markdown table, padded so that it can be read as text. */
export function table(head: Cells, rows: readonly Cells[]): string {
  const escaped = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, i) => Math.max(3, ...escaped.map((row) => (row[i] ?? '').length)));
  const line = (row: Cells) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [first = [], ...rest] = escaped;
  return [line(first), `| ${widths.map((w) => '-'.repeat(w)).join(' | ')} |`, ...rest.map(line)].join('\n');
}

const marks: Readonly<Record<string, string>> = {
  captured: 'C',
  'not detected': 'N',
  survived: 'S',
  inconclusive: '?',
};

function mark(finding: Finding | undefined): string {
  if (finding === undefined) return '';
  return `${marks[finding.outcome] ?? 'E'}${finding.faults.length === 0 ? '' : '!'}`;
}

export const legend =
  '`C` captured, `N` not detected, `S` survived, `E` detected and not captured, `·` makes no sense, blank not run; `!` something was not as the catalogue claims: see below.';

function isPair({ row }: Finding): boolean {
  return row.triggeredBy === 'crashpoint' && row.scenario.set_up === 'panic';
}

/** Crash point × crash type: what each pair came to. */
export function grid(kernel: KernelName, findings: readonly Finding[]): string {
  const impossible = impossiblePairs(kernel);
  const found = new Map(
    findings.filter(isPair).map((f) => [`${f.row.scenario.crash_point}/${f.row.scenario.crash_type}`, f]),
  );
  const types = namesOf(crashTypes);
  const rows = namesOf(crashPoints).map((point) => [
    point,
    ...types.map((type) => (impossible.has(`${point}/${type}`) ? '·' : mark(found.get(`${point}/${type}`)))),
  ]);
  return table(['', ...types], rows);
}

/** How often each of these words was seen: `softirq, irqs on, idle (9), …`. */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([word, count]) => `${word} (${count})`)
    .join('; ');
}

/** The context in which each point really fired, over all its trials. */
export function contextTable(findings: readonly Finding[]): string {
  const rows = namesOf(crashPoints).map((point) => {
    const own = findings.filter(({ row }) => row.scenario.crash_point === point);
    const triggers = own.flatMap(({ trigger }) => (trigger === null ? [] : [trigger]));
    const inFlight = triggers.map((t) => t.in_flight).filter((count) => count > 0);
    const [least, most] = [Math.min(...inFlight), Math.max(...inFlight)];
    const flying = inFlight.length === 0 ? '' : least === most ? String(least) : `${least}–${most}`;
    return [point, String(triggers.length), tally(triggers.map(contextWords)), flying];
  });
  return table(['crash point', 'fired', 'in context, interrupts, task (how often)', 'in flight'], rows);
}

/** A line of a log without what differs from run to run: its time, and where a source lay that was built here. */
function logWords(line: string): string {
  return line
    .replace(/^\[[\s\d.]+\] /, '')
    .replaceAll(/\/\S*\/([\w-]+\.c)\b/g, '$1')
    .slice(0, 90);
}

/** What the kernel's own log said of each type, and what was true at the crash itself. */
export function typeTable(findings: readonly Finding[]): string {
  const rows = namesOf(crashTypes).map((type) => {
    const own = findings.filter((f) => isPair(f) && f.row.scenario.crash_type === type);
    const direct = own.find(isDirect);
    const at = own.flatMap(({ atCrash }) => (atCrash === null ? [] : [atCrash]));
    const off = at.filter((a) => a.irqs_off).length;
    const held = at.filter((a) => a.lock_held).length;
    return [
      type,
      tally(own.map(({ outcome }) => outcome)),
      `irqs off ${off}, lock held ${held} of ${at.length}`,
      logWords(direct?.log ?? ''),
    ];
  });
  return table(['crash type', 'outcomes', 'at the crash', "the kernel's log, at `direct`"], rows);
}

function isDirect({ row }: Finding): boolean {
  return row.scenario.crash_point === 'direct' && isOnAxis(row);
}

function sysctlWords(type: CrashType, setUp: Finding['row']['scenario']['set_up']): string {
  const sysctls = Object.entries(sysctlsOf(type, setUp)).map(([name, value]) => `${name}=${value}`);
  const nmi = setUp === 'watchdog-nmi' ? ['i6300esb sends an NMI'] : [];
  return [...sysctls, ...nmi].join(', ') || 'nothing';
}

/** With and without what would notice: each type at `direct` under each set-up. */
export function setUpTable(findings: readonly Finding[]): string {
  const compared = new Set(
    findings.filter(({ row }) => row.scenario.set_up !== 'panic').map(({ row }) => row.scenario.crash_type),
  );
  const rows = findings
    .filter(
      (f) => isDirect(f) && compared.has(f.row.scenario.crash_type) && f.row.triggeredBy === 'crashpoint',
    )
    .toSorted((a, b) => (a.row.scenario.crash_type < b.row.scenario.crash_type ? -1 : 1))
    .map(({ row, outcome, seconds }) => [
      row.scenario.crash_type,
      row.scenario.set_up,
      sysctlWords(row.scenario.crash_type, row.scenario.set_up),
      outcome,
      String(seconds),
    ]);
  return table(['crash type', 'set-up', 'what is set', 'outcome', 's'], rows);
}

/** The triggers that need no module of ours. */
export function fallbackTable(findings: readonly Finding[]): string {
  const rows = findings
    .filter(({ row }) => row.triggeredBy !== 'crashpoint')
    .map(({ row, outcome, log }) => [row.triggeredBy, row.scenario.crash_type, outcome, logWords(log ?? '')]);
  return table(['trigger', 'crash type', 'outcome', "the kernel's log"], rows);
}

/** What was not as the catalogue claims. */
export function faultList(findings: readonly Finding[]): string {
  const faulty = findings.filter(({ faults }) => faults.length > 0);
  if (faulty.length === 0) return 'Everything was as the catalogue claims.';
  return faulty.map(({ id, faults }) => `- ${id}: ${faults.join('; ')}`).join('\n');
}

/** The tables of one kernel. */
export function kernelReport(kernel: KernelName, all: readonly Finding[]): string {
  const findings = all.filter(({ row }) => row.kernel === kernel);
  const fallback = findings.some(({ row }) => row.triggeredBy !== 'crashpoint');
  const setUps = findings.some(({ row }) => row.scenario.set_up !== 'panic');
  return [
    `## Linux ${findings[0]?.release ?? kernel}`,
    `${findings.length} trials; ${findings.filter(isPair).length} of the ${pairs(kernel).length} pairs that make sense were run. ${legend}`,
    grid(kernel, findings),
    'Where each crash point fired:',
    contextTable(findings),
    'What each crash type showed:',
    typeTable(findings),
    ...(setUps ? ['With and without what would notice:', setUpTable(findings)] : []),
    ...(fallback ? ['Without the crash module:', fallbackTable(findings)] : []),
    faultList(findings),
  ].join('\n\n');
}

/** Points and types that have no finding at all. */
export function unseen(findings: readonly Finding[]): { points: CrashPoint[]; types: CrashType[] } {
  return {
    points: namesOf(crashPoints).filter((p) => !findings.some(({ row }) => row.scenario.crash_point === p)),
    types: namesOf(crashTypes).filter((t) => !findings.some(({ row }) => row.scenario.crash_type === t)),
  };
}
