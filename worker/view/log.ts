/** The page at `/log`: how far the log is signed and by whom, how to check it, and what was decided. */
import type { DecidedEntry, DecisionsAnswer } from '../../schema/answer/decisions.ts';
import type { Manifest } from '../../schema/answer/edition.ts';
import { decisionActions, decisionSubjects, keyRoles } from '../../schema/vocabulary.ts';
import { counted } from './format.ts';
import { page, time } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { decisionsPath, referencePath } from './paths.ts';
import { command, logLines, scrollRegion } from './scroll.ts';

export interface LogData extends DecisionsAnswer {
  readonly edition: Manifest;
  readonly origin: string;
  readonly verifier_key: string;
  readonly checkpoint: {
    readonly note: string;
    readonly signed_at: string;
    /** Names of the witnesses that cosigned it. */
    readonly cosigners: readonly string[];
  } | null;
  /** Of the log at this moment: those beyond the checkpoint wait for the next. */
  readonly entries: number;
  readonly is_halted: boolean;
}

/** The first digits of a key, with all of them for whoever asks. */
function short(key: string): Markup {
  return html`<code title="${key}">${key.length > 20 ? `${key.slice(0, 12)}…` : key}</code>`;
}

function meaning(entry: DecidedEntry): Markup {
  switch (entry.kind) {
    case 'decision': {
      const { action, subject, from_index, reason } = entry.row;
      const who = entry.by === 'rule' ? 'By rule' : 'By an operator';
      const from = from_index === null ? null : html`, from entry ${from_index} on`;
      return html`<strong>${action}</strong> ${subject.kind.replace('_', ' ')} ${short(subject.value)}${from}:
        ${decisionActions[action]} (${decisionSubjects[subject.kind]}). ${who}: “${reason}”`;
    }
    case 'invite':
      return html`<strong>invite</strong>: owner ${short(entry.row.owner)} vouches for ${short(entry.row.invited)}.`;
    case 'revoke':
      return html`<strong>revoke</strong>: the owner takes the trust in ${entry.row.role} ${short(entry.row.key)}
        (${keyRoles[entry.row.role]}) back, from entry ${entry.row.from_index} on.`;
    case 'withdraw': {
      const count = entry.row.entries.reduce((sum, [from, to]) => sum + to - from + 1, 0);
      return html`<strong>withdraw</strong>: the data of ${entry.row.role} ${short(entry.row.key)} was deleted,
        ${counted(count, 'entry', 'entries')}.`;
    }
  }
}

function decided({ decisions, next }: DecisionsAnswer): Markup {
  if (decisions.length === 0) return html`<p>Nothing has been decided.</p>`;
  const table = html`<table><caption>Newest first</caption><thead><tr><th scope="col" class="number">entry</th><th scope="col">when</th><th scope="col">what</th></tr></thead>
<tbody>${decisions.map(
    (entry) =>
      html`<tr><td class="number">${entry.log_index}</td><td>${time(entry.admitted_at)}</td><td>${meaning(entry)}</td></tr>`,
  )}</tbody></table>`;
  return html`${scrollRegion('What was decided', table)}
${next === null ? null : html`<p><a href="${next}">Older ones (JSON)</a></p>`}`;
}

function head({ checkpoint, entries, is_halted, origin, verifier_key }: LogData): Markup {
  const halted = is_halted
    ? html`<p class="warning"><strong>The log is halted.</strong> The store is not what was signed; nothing is admitted until the
      operator has found out why.</p>`
    : null;
  if (checkpoint === null) return html`${halted}<p>Nothing was signed yet.</p>`;
  const { note, signed_at, cosigners } = checkpoint;
  return html`${halted}<p>The log has ${counted(entries, 'entry', 'entries')}. Its newest checkpoint was signed ${time(signed_at)}.
    ${
      cosigners.length === 0
        ? html`<strong>No witness has cosigned it:</strong> against an operator who shows different logs to different people, its
      signature alone does not help.`
        : html`Cosigned by ${cosigners.join(', ')}: each has seen for itself that the log only grew.`
    }</p>
${logLines('The checkpoint as it is signed', note.trimEnd().split('\n'))}
<dl><dt>Name of the log</dt><dd><code>${origin}</code></dd><dt>Its key</dt><dd><code class="hash">${verifier_key}</code></dd></dl>`;
}

/** The page. */
export function renderLog(d: LogData): string {
  return page({
    title: 'The log: Dump Survey',
    description:
      'The append-only log that every figure of the Dump Survey follows from, and how to check it.',
    edition: d.edition,
    json: decisionsPath,
    main: html`<h1>The log</h1>
<p class="lead">Every ticket, armed note, report and decision is an entry of an append-only log, and every figure follows from
  its public rows. Nobody has to take our word for it.</p>
<section aria-labelledby="head"><h2 id="head">Signed head</h2>
${head(d)}</section>
<section aria-labelledby="check"><h2 id="check">Check it yourself</h2>
<p>This downloads the log, checks signatures, tree, rows and rules, rebuilds the newest edition and compares every published cell:</p>
${command(`npx dumpsurvey verify --url ADDRESS --log-key ${d.verifier_key}`)}
<p>The files are those of C2SP tlog-tiles (c2sp.org/tlog-tiles), so that other programs can read them too: see the
  <a href="${referencePath}">reference</a>.</p></section>
<section aria-labelledby="decided"><h2 id="decided">What was decided</h2>
<p>Who is trusted, what is held back, and what was withdrawn. Each is an entry of the log, with its reason.</p>
${decided(d)}</section>`,
  });
}
