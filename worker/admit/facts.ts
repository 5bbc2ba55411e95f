/** The facts of a trial: what its ticket and its machine's profile fix, for each driver and role, with a result. */
import { type Part, type Profile, partsOf } from '../../schema/profile.ts';
import type { Result, Stage } from '../../schema/vocabulary.ts';
import type { Fact } from '../store/facts.ts';
import type { TicketRow } from '../store/tickets.ts';

/** A machine without any known driver still had a trial that counts. No driver can have this name. */
const nobody: Part = { driver: '(none)', role: 'present' };

/** What an armed note or a report says of its trial. */
export interface Standing {
  readonly kind: 'armed' | 'report';
  readonly result: Result;
  readonly stage: Stage | null;
  /** Only of an armed note. */
  readonly report_by_ms: number | null;
}

/** One fact for each driver and role, each pair once. */
export function factsOf(ticket: TicketRow, profile: Profile, standing: Standing): Fact[] {
  const parts = partsOf(profile, ticket);
  return (parts.length > 0 ? parts : [nobody]).map(({ driver, role }) => ({
    nonce: ticket.nonce,
    machine: ticket.machine,
    population: ticket.population,
    driver,
    role,
    chipset: profile.chipset,
    kernel_series: profile.kernel.series,
    crash_point: ticket.crash_point,
    crash_type: ticket.crash_type,
    load: ticket.load,
    mitigation: ticket.mitigation,
    set_up: ticket.set_up,
    mechanism: ticket.mechanism,
    environment: ticket.environment,
    ...standing,
  }));
}
