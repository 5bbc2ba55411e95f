/** One report: its outcome in a sentence, then everything that the outcome rests on. */

import type { LabReport } from '../../schema/answer/report.ts';
import { crashPoints, taskKinds } from '../../schema/crash-point.ts';
import { crashTypes, setUps } from '../../schema/crash-type.ts';
import { emulationNote } from '../../schema/emulation.ts';
import { contextFaults, type DumpFinding, type Evidence } from '../../schema/evidence.ts';
import type { Outcome } from '../../schema/outcome.ts';
import type { Profile } from '../../schema/profile.ts';
import { loads, mitigations, scenarioId, triggers } from '../../schema/scenario.ts';
import {
  causes,
  environments,
  labels as labelTable,
  populations,
  recoveries,
  stages,
  verdicts,
} from '../../schema/vocabulary.ts';
import type { ReportBody } from '../../schema/wire.ts';
import { counted, seconds, whole } from './format.ts';
import { page, time } from './layout.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { driverPath, reportApiPath } from './paths.ts';
import { reproduceCommand } from './reproduce.ts';
import { command, logLines, scrollRegion } from './scroll.ts';
import { meaningOf, outcomeSentence, resultWords, type StageState, stageStates } from './words.ts';

type Fact = readonly [term: string, value: Piece];

function facts(rows: readonly Fact[]): Markup {
  return html`<dl class="facts">${rows.map(
    ([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>
`,
  )}</dl>`;
}

/** A name with its meaning from the vocabulary. */
function explained(name: string, table: Readonly<Record<string, string>>): Markup {
  const meaning = meaningOf(table, name);
  return html`<code>${name}</code>${meaning === null ? null : `: ${meaning}`}`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

/** The fields of two outcomes that are not alike, as text. */
export function outcomeDifferences(
  agent: Outcome,
  server: Outcome,
): readonly { readonly field: string; readonly agent: string; readonly server: string }[] {
  const flat = (o: Outcome): Readonly<Record<string, string | null>> => ({
    result: o.result,
    'proven stage': o.reached.proven,
    'excluded stage': o.reached.excluded,
    verdict: o.verdict,
    'verdict reason': o.verdict_reason,
    recovery: o.recovery,
    cause: o.cause,
    signature: o.signature,
  });
  const ours = flat(server);
  return Object.entries(flat(agent))
    .filter(([field, value]) => value !== ours[field])
    .map(([field, value]) => ({ field, agent: value ?? 'none', server: ours[field] ?? 'none' }));
}

function disagreement(agent: Outcome, server: Outcome): Markup | null {
  const rows = outcomeDifferences(agent, server);
  if (rows.length === 0) return null;
  return html`<section class="alert" aria-labelledby="differs"><h2 id="differs">The server derives another outcome</h2>
<p>From the same evidence, the agent and the server come to different outcomes. The figures use the server’s.</p>
${scrollRegion(
  'Outcomes that differ',
  html`<table><caption>Fields of the outcome that differ</caption><thead><tr><th scope="col">field</th><th scope="col">agent</th><th scope="col">server</th></tr></thead>
<tbody>${rows.map((row) => html`<tr><th scope="row">${row.field}</th><td>${row.agent}</td><td>${row.server}</td></tr>`)}</tbody></table>`,
)}</section>`;
}

const stateWords = {
  reached: '✓ reached',
  'not-reached': '✗ not reached',
  unknown: '? not known',
} as const satisfies Record<StageState, string>;

function stageTable(body: ReportBody, outcome: Outcome): Markup {
  const { channel } = body.evidence;
  const rows = stageStates(body.mechanism, outcome.reached).map(({ stage, state }) => {
    const seen = channel.saw.filter((sighting) => sighting.stage === stage);
    const unseen = channel.could_see.includes(stage) ? 'not seen' : 'not visible on this channel';
    const at = seen.map((sighting) => html`<span class="row">${seconds(sighting.at_ms)}</span>`);
    const line = seen.map((sighting) => html`<code class="row">${sighting.line}</code>`);
    return html`<tr><th scope="row"><span class="term">${stage}</span> <span class="note">${stages[stage]}</span></th>
      <td class="state ${state}">${stateWords[state]}</td><td class="number">${seen.length === 0 ? '–' : at}</td><td>${seen.length === 0 ? unseen : line}</td></tr>`;
  });
  const watched =
    channel.name === 'none' ? 'Nothing watched the stages of this trial.' : `Watched over: ${channel.name}.`;
  return scrollRegion(
    'Stages of this trial',
    html`<table class="stages"><caption>Stages of ${body.mechanism}, in order. ${watched} Times count from the arming.</caption>
<thead><tr><th scope="col">stage</th><th scope="col">outcome</th><th scope="col" class="number">seen at</th><th scope="col">line that showed it</th></tr></thead>
<tbody>${rows}</tbody></table>`,
  );
}

function triggerFacts({ trigger: t, at_crash: c, survived }: Evidence, realtime: boolean): Markup {
  if (t === null) return html`<p>The line that the trigger prints was not seen.</p>`;
  const faults = contextFaults(t, realtime);
  return facts([
    ['fired', html`<code>${t.crash_point}</code>, <code>${t.crash_type}</code>`],
    ['in the context that this crash point claims', faults.length === 0 ? 'yes' : `no: ${faults.join(', ')}`],
    ['in NMI', yesNo(t.in_nmi)],
    ['in hard interrupt', yesNo(t.in_hardirq)],
    ['in softirq', yesNo(t.in_softirq)],
    ['interrupts off', yesNo(t.irqs_off)],
    ['preemption count', t.preempt],
    ['task', explained(t.task, taskKinds)],
    ['processor', t.cpu],
    ['requests in flight', t.in_flight < 0 ? 'no count is kept' : t.in_flight],
    ...(c === null
      ? []
      : ([
          [
            'at the crash itself',
            `interrupts ${c.irqs_off ? 'off' : 'on'}, preemption count ${c.preempt}, ${c.lock_held ? 'a lock held' : 'no lock held'}`,
          ],
        ] as const)),
    ...(survived === null ? [] : ([['survived', survived]] as const)),
  ]);
}

function dumpFacts(dump: DumpFinding | null, outcome: Outcome): Markup {
  if (dump === null) return html`<p>There was no dump to verify.</p>`;
  const { pages, canaries } = dump;
  return facts([
    ['verdict', outcome.verdict === null ? 'none' : explained(outcome.verdict, verdicts)],
    ['reason', outcome.verdict_reason === null ? 'none' : html`<code>${outcome.verdict_reason}</code>`],
    ['format', dump.format],
    ['size', counted(dump.byte_count, 'byte')],
    [
      'pages',
      `${whole(pages.present)} of ${whole(pages.promised)} promised are present, ${whole(pages.undecodable)} could not be decoded`,
    ],
    [
      'canaries',
      `sampled: ${whole(canaries.good)} of ${whole(canaries.planted)} good, ${whole(canaries.changed)} changed, ${whole(canaries.missing)} missing`,
    ],
    ['records in memory', html`armed: ${dump.armed}, fired: ${dump.fired}`],
    ['truncated', yesNo(dump.truncated)],
    ['marked incomplete by makedumpfile', yesNo(dump.incomplete_flag)],
    ['vmcoreinfo', dump.vmcoreinfo],
    ['log lines in the dump', dump.log_lines === null ? 'not read' : whole(dump.log_lines)],
    ['kernel of the dump', dump.kernel_release ?? 'not named'],
    ['where the reading ended', dump.fault ?? 'at the end'],
  ]);
}

/** The drivers of the controllers that the dump goes through. */
function dumpTargetDrivers(profile: Profile | null): readonly string[] {
  const targets = profile?.devices.filter(({ address }) => profile.dump_target.includes(address)) ?? [];
  return [...new Set(targets.flatMap(({ driver }) => driver ?? []))];
}

function machineFacts(body: ReportBody, profile: Profile | null): Markup {
  const emulator: Fact = ['emulator', body.emulator ?? 'none'];
  const key: Fact = ['key', html`<code class="hash">${body.machine}</code>`];
  const hash: Fact = ['profile, SHA-256', html`<code class="hash">${body.profile_sha256}</code>`];
  if (profile === null) return facts([emulator, key, hash]);
  const drivers = dumpTargetDrivers(profile);
  const tools = Object.entries(profile.tools).map(([tool, version]) => `${tool} ${version}`);
  return facts([
    ['row of the machine catalogue', profile.lab_machine ?? 'none: a real machine'],
    [
      'driver of the dump target',
      drivers.length === 0
        ? 'none'
        : drivers.map((d, at) => html`${at === 0 ? '' : ', '}<a href="${driverPath(d)}">${d}</a>`),
    ],
    ['chipset', profile.chipset],
    ['kernel', profile.kernel.release],
    ['preemption model', profile.kernel.preemption],
    ['firmware', profile.firmware],
    [
      'processors',
      `${profile.cpu.count}, ${profile.cpu.vendor} family ${profile.cpu.family} model ${profile.cpu.model}`,
    ],
    [
      'memory',
      `${whole(profile.memory_mib)} MiB, of which ${whole(profile.crash_kernel_mib)} MiB are reserved for the capture kernel`,
    ],
    ['IOMMU', yesNo(profile.iommu)],
    ['tools', tools.length === 0 ? 'none named' : tools.join(', ')],
    emulator,
    key,
    hash,
  ]);
}

function logs(evidence: Evidence): Markup {
  const log = (title: string, id: string, lines: readonly string[], none: string) =>
    html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${lines.length === 0 ? html`<p>${none}</p>` : logLines(title, lines)}</section>
`;
  return html`${log('Log of the crashing kernel', 'crash-log', evidence.crash_log, 'No lines were reported.')}
${log('Log of the capture kernel', 'capture-log', evidence.capture_log, 'No lines were reported.')}`;
}

function outcomeFacts(outcome: Outcome, evidence: Evidence): Markup {
  const { proven, excluded } = outcome.reached;
  const { watchdog } = evidence;
  return facts([
    ['proven to have reached', proven === null ? 'nothing' : explained(proven, stages)],
    ['proven not to have reached', excluded === null ? 'nothing' : explained(excluded, stages)],
    ['verdict on the dump', outcome.verdict === null ? 'no dump' : explained(outcome.verdict, verdicts)],
    [
      'reason of the verdict',
      outcome.verdict_reason === null ? 'none' : html`<code>${outcome.verdict_reason}</code>`,
    ],
    ['cause', outcome.cause === null ? 'none' : explained(outcome.cause, causes)],
    ['signature', outcome.signature === null ? 'none' : html`<code>${outcome.signature}</code>`],
    ['recovery', explained(outcome.recovery, recoveries)],
    ['how the run ended', html`<code>${evidence.exit}</code> after ${seconds(evidence.duration_ms)}`],
    [
      'watchdog',
      watchdog.present
        ? `${watchdog.fired ? 'fired' : 'did not fire'}, set to ${seconds(watchdog.timeout_ms)}`
        : 'none',
    ],
    ...(evidence.harness_fault === null ? [] : ([['fault of the harness', evidence.harness_fault]] as const)),
  ]);
}

function scenarioFacts(body: ReportBody): Markup {
  const { scenario } = body;
  const sysctls = Object.entries(body.sysctls).map(([name, value]) => `${name}=${value}`);
  return facts([
    ['scenario', html`<code>${scenarioId(scenario)}</code> of <code>${scenario.set}</code>`],
    ['crash point', html`<code>${scenario.crash_point}</code>: ${crashPoints[scenario.crash_point]?.where}`],
    ['crash type', html`<code>${scenario.crash_type}</code>: ${crashTypes[scenario.crash_type]?.what}`],
    ['load', explained(scenario.load, loads)],
    ['mitigation', explained(scenario.mitigation, mitigations)],
    ['set-up', html`<code>${scenario.set_up}</code>: ${setUps[scenario.set_up]?.what}`],
    ['requests in flight, at least', scenario.in_flight_min],
    ['mechanism', html`<code>${body.mechanism}</code>`],
    ['environment', explained(body.environment, environments)],
    ['triggered by', explained(body.triggered_by, triggers)],
    ['sysctls', sysctls.length === 0 ? 'none set' : html`<code>${sysctls.join(' ')}</code>`],
    ['population', explained(body.population, populations)],
    ['armed', body.armed_at === null ? 'never' : time(body.armed_at)],
    ['reported', time(body.reported_at)],
    ['agent', body.agent_version],
  ]);
}

function labelList(d: LabReport): Markup {
  if (d.labels.length === 0) return html`<p>The server has put no label on it.</p>`;
  return html`<ul class="labels">${d.labels.map((label) => html`<li>${explained(label, labelTable)}</li>`)}</ul>`;
}

/** The page at `/reports/<id>`. */
export function renderReport(d: LabReport): string {
  const { body, outcome } = d;
  const repeat = reproduceCommand(d.profile?.lab_machine ?? null, body.scenario);
  const note =
    outcome.result === 'failed'
      ? emulationNote(body.population, dumpTargetDrivers(d.profile)[0] ?? '')
      : null;
  const signature = d.envelope.signatures[0];
  const json = reportApiPath(d.report_id);
  return page({
    title: `Report ${d.report_id}: ${resultWords[outcome.result] ?? outcome.result} · Dump Survey`,
    description: outcomeSentence(body.mechanism, outcome),
    json,
    main: html`<h1>Report ${d.report_id}: <span class="result ${outcome.result === 'captured' ? 'good' : 'bad'}">${resultWords[outcome.result] ?? outcome.result}</span></h1>
<p class="lead">${outcomeSentence(body.mechanism, outcome)}</p>
<p class="note">Admitted ${time(d.admitted_at)} as entry ${d.report_id} of the log.
  <a href="${json}">This report as JSON, with its signed envelope</a></p>
${disagreement(body.outcome, outcome)}
<section aria-labelledby="outcome"><h2 id="outcome">Outcome</h2>
${outcomeFacts(outcome, body.evidence)}
${note === null ? null : html`<p>${note}</p>`}
${repeat === null ? null : html`<h3>Repeat it</h3>${command(repeat)}`}</section>
<section aria-labelledby="stages"><h2 id="stages">How far it got</h2>
${stageTable(body, outcome)}</section>
${logs(body.evidence)}
<section aria-labelledby="dump"><h2 id="dump">The dump</h2>
${dumpFacts(body.evidence.dump, outcome)}</section>
<section aria-labelledby="scenario"><h2 id="scenario">What was tried</h2>
${scenarioFacts(body)}</section>
<section aria-labelledby="trigger"><h2 id="trigger">The moment of the crash</h2>
${triggerFacts(body.evidence, d.profile?.kernel.preemption === 'rt')}</section>
<section aria-labelledby="machine"><h2 id="machine">The machine</h2>
${machineFacts(body, d.profile)}</section>
<section aria-labelledby="labels"><h2 id="labels">What the server says of it</h2>
${labelList(d)}</section>
<section aria-labelledby="envelope"><h2 id="envelope">Signature</h2>
<p>The report is a DSSE envelope, signed by the machine’s key over exactly the bytes that the <a href="${json}">JSON</a> repeats.</p>
${facts([
  ['payload type', html`<code>${d.envelope.payloadType}</code>`],
  ['key', html`<code class="hash">${signature?.keyid ?? 'none'}</code>`],
  ['Ed25519 signature', html`<code class="hash">${signature?.sig ?? 'none'}</code>`],
  ['nonce of the ticket', html`<code class="hash">${body.nonce}</code>`],
])}</section>`,
  });
}
