/**
 * Failures as an Atom feed (RFC 4287), for maintainers and their mail. An entry is a report: its id is the
 * report's address and never changes, so a reader shows each failure once.
 */

import type { FailureEntry } from '../../schema/answer/driver.ts';
import { emulationNote } from '../../schema/emulation.ts';
import type { FailuresData } from './data.ts';
import { html, visible } from './markup.ts';
import {
  driverFeedPath,
  driverPath,
  failuresFeedPath,
  homePath,
  reportApiPath,
  reportPath,
} from './paths.ts';
import { reproduceCommand } from './reproduce.ts';
import { failureTitle, outcomeSentence } from './words.ts';
import { xml } from './xml.ts';

function content(f: FailureEntry): string {
  const { outcome, scenario } = f;
  const repeat = reproduceCommand(f.lab_machine, scenario);
  const note = emulationNote(f.population, f.driver);
  return html`<p>${outcomeSentence(f.mechanism, outcome)}</p>
<ul>
<li>stage: ${outcome.reached.proven ?? 'none'} proven, ${outcome.reached.excluded ?? 'none'} excluded</li>
<li>verdict: ${outcome.verdict ?? 'no dump'}${outcome.verdict_reason === null ? '' : ` (${outcome.verdict_reason})`}</li>
<li>cause: ${outcome.cause ?? 'none'}</li>
<li>signature: <code>${outcome.signature ?? 'none'}</code></li>
<li>machine: ${f.lab_machine ?? 'a real machine'}, ${f.chipset}, Linux ${f.kernel_release} (population ${f.population})</li>
</ul>
${note === null ? null : html`<p>${note}</p>`}
${f.evidence.length === 0 ? null : html`<pre>${f.evidence.join('\n')}</pre>`}
${repeat === null ? null : html`<p>Repeat it:</p><pre>${repeat}</pre>`}`.toString();
}

function entry(f: FailureEntry, base: string, idBase: string): string {
  const address = base + reportPath(f.report_id);
  return `<entry>
<id>${xml(idBase + reportPath(f.report_id))}</id>
<title>${xml(visible(failureTitle(f)))}</title>
<published>${xml(f.admitted_at)}</published>
<updated>${xml(f.admitted_at)}</updated>
<link rel="alternate" type="text/html" href="${xml(address)}"/>
<link rel="related" type="application/json" href="${xml(base + reportApiPath(f.report_id))}"/>
<category term="${xml(visible(f.driver))}" label="driver"/>
<content type="html">${xml(content(f))}</content>
</entry>
`;
}

const withoutSlash = (address: string) => address.replace(/\/+$/, '');

/**
 * The feed as text. `baseUrl` is the survey's public address without a path, such as `https://survey.example`,
 * and not what a request called it; empty, links are relative. Ids are made of `idBase`, which must never change.
 */
export function renderFailuresAtom(d: FailuresData, baseUrl: string, idBase = baseUrl): string {
  const base = withoutSlash(baseUrl);
  const ids = withoutSlash(idBase);
  const path = d.driver === null ? failuresFeedPath : driverFeedPath(d.driver);
  const about = base + (d.driver === null ? homePath : driverPath(d.driver));
  const title = d.driver === null ? 'Dump Survey: failures' : `Dump Survey: failures of ${d.driver}`;
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">
<id>${xml(ids + path)}</id>
<title>${xml(visible(title))}</title>
<subtitle>Trials without a verified crash dump. Population lab: driver against QEMU's device model.</subtitle>
<updated>${xml(d.updated_at)}</updated>
<author><name>Dump Survey</name></author>
<link rel="self" type="application/atom+xml" href="${xml(base + path)}"/>
<link rel="alternate" type="text/html" href="${xml(about)}"/>
${d.failures.map((failure) => entry(failure, base, ids)).join('')}</feed>
`;
}
