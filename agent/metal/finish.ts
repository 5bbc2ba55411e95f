/**
 * Finishes a trial that was armed: evidence, report, outbox. From wherever its journal stands it ends in one report,
 * whose bytes are durable before they are signed.
 */
import { fromBase64, toBase64, utf8 } from '../../schema/bytes.ts';
import type { Evidence } from '../../schema/evidence.ts';
import { type VersionOf, versionsOf } from '../../schema/payload-versions.ts';
import type { ReportBody } from '../../schema/wire.ts';
import { Unreachable } from '../link/api.ts';
import type { KeyPair } from '../link/keys.ts';
import type { Outbox } from '../link/outbox.ts';
import { sign } from '../link/sign.ts';
import type { Survey } from '../link/survey-api.ts';
import type { Journal, TrialState } from '../trial/journal.ts';
import { listingIn } from '../trial/listing-text.ts';
import { reportOf } from '../trial/report.ts';
import type { ArmedTrial, MetalMachine } from './machine.ts';

export interface FinishContext {
  readonly machine: MetalMachine;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly survey: Pick<Survey, 'version'>;
  /** The key of this name: the machine's, or one that it replaced. */
  readonly keyNamed: (name: string) => Promise<KeyPair>;
  /** The machine's present key's name. */
  readonly machineName: string;
}

/** The trial that a journal says was armed. Throws where it was armed by another program than this one. */
export function armedTrialOf({ ticket, arming }: TrialState): ArmedTrial {
  if (!ticket || !arming) throw new Error('the journal has an arming without its ticket');
  if (!arming.metal)
    throw new Error('the journal has an arming that says nothing of the machine: it is of a lab');
  return {
    nonce: ticket.nonce,
    control: ticket.control,
    armedAt: arming.armed_at,
    planted: listingIn(arming.listing),
    metal: arming.metal,
  };
}

/** The version of the report: without a network the newest, which is what the survey takes when it is there again. */
async function reportVersion({ survey }: FinishContext): Promise<VersionOf<'report'>> {
  try {
    return await survey.version('report');
  } catch (error) {
    const newest = versionsOf('report').at(-1);
    if (error instanceof Unreachable && newest !== undefined) return newest;
    throw error;
  }
}

/** What is known of a control trial must show that nothing could capture: else it proves nothing, and says so. */
const lookAt = (trial: ArmedTrial, { machine }: FinishContext): Promise<Evidence> =>
  trial.metal.boot_id === machine.bootId() ? machine.evidenceHere(trial) : machine.evidenceAfter(trial);

/** Brings the trial to the outbox and gives its report. `known`: the evidence, where the system went on after it. */
export async function finishTrial(
  ordinal: number,
  context: FinishContext,
  known?: Evidence,
): Promise<ReportBody> {
  const { machine, journal, outbox, keyNamed, machineName } = context;
  const state = journal.trials().get(ordinal);
  if (state?.ticket === undefined) throw new Error(`the journal has no ticket of trial ${ordinal}`);
  await machine.freeReserve();
  if (state.payload === undefined) {
    const evidence = known ?? (await lookAt(armedTrialOf(state), context));
    const report = reportOf({
      version: await reportVersion(context),
      machine: machineName,
      ticket: state.ticket,
      population: 'metal',
      triggeredBy: 'crashpoint',
      emulator: null,
      sysctls: state.arming?.sysctls ?? {},
      armedAt: state.arming?.armed_at ?? null,
      evidence,
      nowMs: machine.now(),
    });
    await journal.append({ step: 'report', ordinal, payload: toBase64(utf8(JSON.stringify(report))) });
  }
  const payload = fromBase64(journal.trials().get(ordinal)?.payload ?? '');
  const report = JSON.parse(new TextDecoder().decode(payload)) as ReportBody;
  await outbox.put(report.nonce, sign('report', payload, await keyNamed(report.machine)));
  await journal.append({ step: state.ticket.control ? 'control' : 'closed', ordinal });
  if (state.arming) await machine.removeDump(armedTrialOf(state));
  return report;
}
