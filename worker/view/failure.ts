/** Failures as maintainers want them: by signature, with the lines that show it and the command that repeats it. */

import type { FailureEntry } from '../../schema/answer/driver.ts';
import { emulationNote } from '../../schema/emulation.ts';
import { type Cause, causes, driverCauses } from '../../schema/vocabulary.ts';
import { counted } from './format.ts';
import { time } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { driverPath, reportPath } from './paths.ts';
import { reproduceCommand } from './reproduce.ts';
import { command, logLines } from './scroll.ts';
import { failureTitle, meaningOf, outcomeSentence } from './words.ts';

/** Whether a driver's headline counts the failure; the others stand beside it. */
export function countsAgainstDriver(failure: FailureEntry): boolean {
  const counting: readonly (Cause | null)[] = driverCauses;
  return failure.outcome.cause === null || counting.includes(failure.outcome.cause);
}

/** Failures with the same signature, newest first, in the order of their newest. Without a signature each stands alone. */
export function bySignature(failures: readonly FailureEntry[]): readonly (readonly FailureEntry[])[] {
  const groups = Map.groupBy(failures, (f) => f.outcome.signature ?? `report ${f.report_id}`);
  return [...groups.values()];
}

/** A short list with links, for the home page. */
export function failureList(failures: readonly FailureEntry[]): Markup {
  return html`<ol class="failures">${failures.map(
    (f) => html`<li><a href="${reportPath(f.report_id)}">${failureTitle(f)}</a>
      <span class="note">cause: ${f.outcome.cause ?? 'none'}${f.outcome.signature === null ? null : html`, <code>${f.outcome.signature}</code>`},
      ${f.lab_machine ?? f.chipset}, ${time(f.admitted_at)}, <a href="${driverPath(f.driver)}">all of ${f.driver}</a></span></li>
`,
  )}</ol>`;
}

/** One signature with its newest report in full and links to all of them. */
function signatureArticle(group: readonly FailureEntry[]): Markup | null {
  const newest = group[0];
  if (newest === undefined) return null;
  const { outcome } = newest;
  const repeat = reproduceCommand(newest.lab_machine, newest.scenario);
  const note = emulationNote(newest.population, newest.driver);
  return html`<article class="failure">
    <h3>${failureTitle(newest)}</h3>
    <p>${outcomeSentence(newest.mechanism, outcome)}</p>
    <dl class="facts">
      <div><dt>signature</dt><dd><code>${outcome.signature ?? 'none'}</code></dd></div>
      <div><dt>cause</dt><dd>${outcome.cause ?? 'none'}: ${meaningOf(causes, outcome.cause ?? '') ?? 'not given'}</dd></div>
      <div><dt>verdict</dt><dd>${outcome.verdict ?? 'no dump'}${outcome.verdict_reason === null ? null : ` (${outcome.verdict_reason})`}</dd></div>
      <div><dt>machine</dt><dd>${newest.lab_machine ?? 'a real machine'}, ${newest.chipset}, Linux ${newest.kernel_release}</dd></div>
    </dl>
    ${newest.evidence.length === 0 ? html`<p>No log lines came with it.</p>` : logLines(`Log lines of report ${newest.report_id}`, newest.evidence)}
    ${note === null ? null : html`<p>${note}</p>`}
    ${repeat === null ? null : html`<p class="label">Repeat it:</p>${command(repeat)}`}
    <p class="note">${counted(group.length, 'report')}${outcome.signature === null ? '' : ' with this signature'}:
      ${group.map((f, at) => html`${at === 0 ? '' : ', '}<a href="${reportPath(f.report_id)}">${f.report_id}</a>`)}; newest ${time(newest.admitted_at)}.</p>
  </article>`;
}

/** Every signature of these failures. */
export function failureArticles(failures: readonly FailureEntry[]): Markup {
  return html`${bySignature(failures).map(signatureArticle)}`;
}
