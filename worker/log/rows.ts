/**
 * From what was admitted to its public row, and from rows to facts. Pure: the server makes rows with it, and the
 * auditor makes them again and compares.
 */
import type { TicketRow as PublicTicket, ReportRow, RowOf } from '../../schema/log/row.ts';
import type { Outcome } from '../../schema/outcome.ts';
import { type Part, type Profile, partsOf } from '../../schema/profile.ts';
import type { Label } from '../../schema/vocabulary.ts';
import type { ReportBody } from '../../schema/wire.ts';
import type { Fact } from '../store/facts.ts';
import type { TicketRow } from '../store/tickets.ts';
import { instant } from '../time.ts';

/** A machine without any known driver still has trials that count. No driver can have this name. */
const nobody: Part = { driver: '(none)', role: 'present' };

/** What a ticket says of its trial. */
export type Terms = Omit<TicketRow, 'log_index' | 'machine' | 'request' | 'ordinal'>;

/** The public row of a ticket: all cells of its trial. */
export function ticketRowOf(ticket: Terms, profile: Profile): PublicTicket {
  const parts = partsOf(profile, ticket);
  return {
    nonce: ticket.nonce,
    machine: ticket.root,
    owner: ticket.owner,
    population: ticket.population,
    scenario: {
      set: ticket.scenario_set,
      crash_point: ticket.crash_point,
      crash_type: ticket.crash_type,
      load: ticket.load,
      mitigation: ticket.mitigation,
      set_up: ticket.set_up,
      in_flight_min: ticket.in_flight_min,
    },
    mechanism: ticket.mechanism,
    environment: ticket.environment,
    control: ticket.control,
    chipset: profile.chipset,
    kernel_series: profile.kernel.series,
    parts: parts.length > 0 ? parts : [nobody],
    issued_at: instant(ticket.issued_at_ms),
    arm_by: instant(ticket.arm_by_ms),
    report_by: instant(ticket.report_by_ms),
  };
}

/** What a ticket's public row says of its trial. The hash of the profile is not in it. */
export function termsOf(row: PublicTicket, profile_sha256: string): Terms {
  const { set: scenario_set, ...scenario } = row.scenario;
  return {
    nonce: row.nonce,
    root: row.machine,
    owner: row.owner,
    control: row.control,
    profile_sha256,
    population: row.population,
    scenario_set,
    ...scenario,
    mechanism: row.mechanism,
    environment: row.environment,
    issued_at_ms: Date.parse(row.issued_at),
    arm_by_ms: Date.parse(row.arm_by),
    report_by_ms: Date.parse(row.report_by),
  };
}

/** The public row of a report. `amends` is the log index of the report that it amends. */
export function reportRowOf(
  body: ReportBody,
  amends: number | null,
  outcome: Outcome,
  labels: readonly Label[],
): ReportRow {
  return { nonce: body.nonce, amends, agent_version: body.agent_version, outcome, labels: [...labels] };
}

/** What becomes of the trial of a ticket by an armed note or a report: one fact for each driver and role. */
export function factsOf(
  ticket: PublicTicket,
  said:
    | { readonly kind: 'armed'; readonly row: RowOf['armed'] }
    | { readonly kind: 'report'; readonly row: ReportRow },
): Fact[] {
  const { set: scenario_set, in_flight_min: _, ...scenario } = ticket.scenario;
  const standing =
    said.kind === 'armed'
      ? {
          kind: said.kind,
          agent_version: null,
          result: 'no_reply' as const,
          stage: 'armed' as const,
          report_by_ms: Date.parse(ticket.report_by),
        }
      : {
          kind: said.kind,
          agent_version: said.row.agent_version,
          result: said.row.outcome.result,
          stage: said.row.outcome.reached.proven,
          report_by_ms: null,
        };
  return ticket.parts.map(({ driver, role }) => ({
    nonce: ticket.nonce,
    machine: ticket.machine,
    owner: ticket.owner,
    scenario_set,
    control: ticket.control,
    population: ticket.population,
    driver,
    role,
    chipset: ticket.chipset,
    kernel_series: ticket.kernel_series,
    ...scenario,
    mechanism: ticket.mechanism,
    environment: ticket.environment,
    ...standing,
  }));
}
