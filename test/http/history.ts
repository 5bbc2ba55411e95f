/** A varied history for a survey: every kind of entry, and every way in which an entry can stand to others. */
import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import type { Ticket } from '../../schema/wire.ts';
import { type Answer, enrol, eventually, get, post, takeTicket, takeTickets } from './client.ts';
import type { Runtime } from './runtimes.ts';
import {
  decision,
  invitation,
  keyPair,
  requestId,
  revocation,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  seal,
  withdrawal,
} from './samples.ts';

/** Who decides in the history. */
export const operator = keyPair('operator');

/** What an auditor shows to see what real machines have signed. */
export const auditorToken = 'auditor-of-the-tests';

const hourMs = 3600_000;
/** How far the history reaches beyond the real time. */
export const endsMs = 3 * 24 * hourMs;

/** The server's time at the end of the history, as it stands in requests. */
export const storyTime = () => new Date(Date.now() + endsMs).toISOString();

async function admitted(url: string, kind: PayloadKind, envelope: Envelope): Promise<Answer> {
  const answer = await post(url, kind, envelope);
  if (answer.status === 201 || answer.status === 200) return answer;
  throw new Error(`${kind} was answered ${answer.status}: ${answer.text}`);
}

/** The log index of an admission. */
export function indexOf(answer: Answer): number {
  return (answer.json as { log_index: number }).log_index;
}

function armed(url: string, machine: SampleMachine, ticket: Ticket): Promise<Answer> {
  return admitted(
    url,
    'armed',
    seal('armed', machine.armed(ticket, Date.parse(ticket.issued_at)), machine.key),
  );
}

export function report(
  url: string,
  machine: SampleMachine,
  ticket: Ticket,
  fate: Parameters<SampleMachine['report']>[1],
  changes: object = {},
): Promise<Answer> {
  const body = machine.report(ticket, fate, Date.parse(ticket.issued_at), changes);
  return admitted(url, 'report', seal('report', body, machine.key));
}

/** What a test may want to reach into. */
export interface Story {
  readonly trials: SampleMachine;
  /** The answers to two reports, the second of them the newest entry that reports. */
  readonly firstReport: Answer;
  readonly lastReport: Answer;
  readonly withdrawn: SampleMachine;
}

/** Waits until every entry is under the published checkpoint and an edition covers them. */
export async function settle(runtime: Runtime): Promise<void> {
  const { rows } = await runtime.database.execute('select count(*) as size from log_entries');
  const size = Number(rows[0]?.size);
  await eventually(runtime, async () => {
    const status = (await get(runtime.url, '/v1/status')).json as { edition_manifest: { log_size: number } };
    return status.edition_manifest.log_size === size;
  });
}

/** Tells the whole history to a survey that has `operator` as its operator and gives controls (controlShare 1). */
export async function tellHistory(runtime: Runtime): Promise<Story> {
  const { url } = runtime;

  // Trials of one machine: captured, failed, silent, amended, and a second profile.
  const trials = sampleMachine('trials', sampleProfile('ahci'));
  await enrol(url, trials);
  const [one, two, three, silent] = await takeTickets(url, trials, 'four', [
    'direct/panic/idle/none',
    'direct/exception/disk/none',
    'timer/exception/disk/none',
    'tasklet/panic/disk/none',
  ]);
  if (!one || !two || !three || !silent) throw new Error('four tickets were not issued');
  await armed(url, trials, one);
  const firstReport = await report(url, trials, one, 'captured');
  await report(url, trials, two, 'device');
  await armed(url, trials, three);
  await report(url, trials, three, 'hang');
  await armed(url, trials, silent);
  const first = await runtime.database.execute({
    sql: 'select report_hash from reports where nonce = ?',
    args: [three.nonce],
  });
  await report(url, trials, three, 'captured', {
    version: '1.1',
    amends: { report_hash: String(first.rows[0]?.report_hash), reason: 'dump-found' },
  });
  const differing = await takeTicket(url, trials, 'differing');
  const captured = trials.report(differing, 'captured', 0).outcome;
  await report(url, trials, differing, 'device', { outcome: captured });

  // A real machine, whose requests only auditors see.
  const metal = sampleMachine('metal', sampleProfile('nvme', { population: 'metal', lab_machine: null }));
  await enrol(url, metal);
  const real = await takeTicket(url, metal, 'real');
  await armed(url, metal, real);
  await report(url, metal, real, 'captured', { population: 'metal' });

  // A machine whose key is rotated: its successor ends what it began, and begins something.
  const old = sampleMachine('old', sampleProfile('sym53c8xx'), 'second owner');
  await enrol(url, old);
  const begun = await takeTicket(url, old, 'begun');
  const next = { ...sampleMachine('next', sampleProfile('sym53c8xx'), 'second owner') };
  await admitted(url, 'rotate', rotation('machine', old.key, next.key));
  await report(url, next, begun, 'captured', { machine: next.key.publicHex });
  const after = await takeTicket(url, next, 'after');
  await report(url, next, after, 'device');

  // Trust: the operator vouches, the vouched one invites, an owner's key is rotated.
  await admitted(url, 'decision', decision(operator, 'vouch', 'owner', keyPair('second owner').publicHex));
  await admitted(url, 'invite', invitation(keyPair('second owner'), keyPair('third owner').publicHex));
  await admitted(url, 'rotate', rotation('owner', keyPair('second owner'), keyPair('second owner, next')));
  const third = sampleMachine('third', sampleProfile('megaraid_sas'), 'third owner');
  await enrol(url, third);
  const vouched = await takeTicket(url, third, 'vouched');
  await report(url, third, vouched, 'captured');

  // A quarantine and its release, a revocation by the owner, a revocation by the operator.
  await admitted(url, 'decision', decision(operator, 'quarantine', 'agent_version', '0.0.9'));
  await admitted(url, 'decision', decision(operator, 'release', 'agent_version', '0.0.9'));
  const revoked = sampleMachine('revoked', sampleProfile('mptsas'), 'third owner');
  await enrol(url, revoked);
  const lost = await takeTicket(url, revoked, 'lost');
  const lostReport = await report(url, revoked, lost, 'captured');
  await admitted(
    url,
    'revoke',
    revocation(keyPair('third owner'), 'machine', revoked.key.publicHex, indexOf(lostReport)),
  );

  // Control trials: one that says so, and one that claims a capture, for which the survey holds its machine back.
  const control = sampleMachine('control', sampleProfile('virtio_scsi'));
  await enrol(url, control);
  const body = {
    ...control.tickets(requestId('controls'), ['direct/panic/idle/none', 'direct/exception/idle/none']),
    version: '1.1' as const,
    controls: true,
    offline: true,
  };
  const answer = await admitted(url, 'tickets', seal('tickets', body, control.key));
  const [honest, lying] = (answer.json as { tickets: Ticket[] }).tickets;
  if (!honest || !lying) throw new Error('two controls were not issued');
  await report(url, control, honest, 'device');
  await report(url, control, lying, 'captured');

  // A machine that withdraws its data, and one whose owner does.
  const withdrawn = sampleMachine('withdrawn', sampleProfile('pvscsi'), 'third owner');
  await enrol(url, withdrawn);
  const gone = await takeTicket(url, withdrawn, 'gone');
  await armed(url, withdrawn, gone);
  await report(url, withdrawn, gone, 'captured');
  await settle(runtime);
  await admitted(url, 'withdraw', withdrawal(withdrawn.key, 'machine', withdrawn.key.publicHex));
  const owned = sampleMachine('owned', sampleProfile('am53c974'), 'fourth owner');
  await enrol(url, owned);
  const bygone = await takeTicket(url, owned, 'bygone');
  await report(url, owned, bygone, 'captured');
  await admitted(
    url,
    'withdraw',
    withdrawal(keyPair('fourth owner'), 'owner', keyPair('fourth owner').publicHex),
  );

  // Late: the armed and silent one becomes no_reply, another one reports after all.
  const tardy = await takeTicket(url, trials, 'tardy');
  await armed(url, trials, tardy);
  await runtime.setClock(endsMs);
  await settle(runtime);
  await report(url, trials, tardy, 'captured');
  await admitted(
    url,
    'decision',
    decision(operator, 'revoke', 'owner', keyPair('fifth owner').publicHex, {
      from_index: 0,
      created_at: storyTime(),
    }),
  );
  const recent = await takeTicket(url, trials, 'recent');
  const lastReport = await report(url, trials, recent, 'captured');
  await settle(runtime);
  return { trials, firstReport, lastReport, withdrawn };
}
