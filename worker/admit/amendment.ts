/** One ticket has one report, and at most one amendment of it: a dump found later is said, and both stay. */
import type { ReportBody } from '../../schema/wire.ts';
import type { Fault } from '../refusal.ts';
import type { ReportRow } from '../store/reports.ts';

/** What a trial has already. */
interface Reported {
  readonly report: Pick<ReportRow, 'log_index' | 'report_hash'> | null;
  readonly amendment: Pick<ReportRow, 'log_index'> | null;
}

/** Why this report cannot stand beside what the trial has already, or null. The very same report was answered before. */
export function faultOfAmendment(body: ReportBody, { report, amendment }: Reported): Fault | null {
  const named = body.version === '1.0' ? null : body.amends;
  if (named === null) {
    return (
      report &&
      differs(`Ticket ${body.nonce} has report ${report.log_index}, whose bytes are others than these.`)
    );
  }
  if (report === null) {
    return {
      slug: 'ticket-mismatch',
      detail: `amends names a report on ticket ${body.nonce}, which has none. Send it first.`,
    };
  }
  if (named.report_hash !== report.report_hash) {
    return {
      slug: 'ticket-mismatch',
      detail: `amends.report_hash is ${named.report_hash}; the first report on ticket ${body.nonce} has ${report.report_hash}.`,
    };
  }
  return (
    amendment && differs(`Ticket ${body.nonce} has an amendment already, report ${amendment.log_index}.`)
  );
}

function differs(detail: string): Fault {
  return { slug: 'different-report', detail };
}
