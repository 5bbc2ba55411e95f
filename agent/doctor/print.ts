/** How the findings of `doctor` are shown to a person. Pure. */
import type { CheckState } from './check.ts';
import { type Checked, isInOrder } from './checks.ts';

const words = {
  ok: 'ok     ',
  warning: 'warning',
  failed: 'FAILED ',
  unknown: 'unknown',
} as const satisfies Record<CheckState, string>;

/** One finding: its state and what should be so; what is so and the commands below it, where something is to be done. */
function linesOf({ state, title, meaning, fix }: Checked): string[] {
  if (state === 'ok') return [`${words.ok}  ${title} (${meaning.replace(/\.$/, '')})`];
  return [`${words[state]}  ${title}`, `         ${meaning}`, ...fix.map((line) => `           ${line}`)];
}

const lost = (count: number) =>
  count === 0 ? '' : count === 1 ? '; a warning says what is lost' : `; ${count} warnings say what is lost`;

/** All findings, and what they come to. */
export function report(findings: readonly Checked[]): string {
  const count = (state: CheckState) => findings.filter((f) => f.state === state).length;
  const open = findings.length - count('ok') - count('warning');
  const sum = isInOrder(findings)
    ? `This machine can be tested${lost(count('warning'))}.`
    : `${open} of ${findings.length} checks ${open === 1 ? 'is' : 'are'} to be mended first; nothing was changed.`;
  return [...findings.flatMap(linesOf), '', sum].join('\n');
}
