/**
 * How many tickets a key may hold without using them. A ticket fixes a cell before its result is known; whoever could
 * take many and use only some would choose among results.
 */
import type { Fault } from '../refusal.ts';
import type { Unused } from '../store/tickets.ts';

export interface TicketLimits {
  /** Open at the same time, for one machine and for all machines of one owner. */
  readonly openPerMachine: number;
  readonly openPerOwner: number;
  /** Let pass without a word within `unusedWithinMs`, for one machine. */
  readonly unusedPerMachine: number;
  readonly unusedWithinMs: number;
}

/** Two bundles for a machine without a network, and what goes wrong with a few of them. */
export const ticketLimits: TicketLimits = {
  openPerMachine: 128,
  openPerOwner: 2048,
  unusedPerMachine: 256,
  unusedWithinMs: 30 * 24 * 3600_000,
};

/** Why a machine gets no `wanted` tickets now, or null. */
export function faultOfHoarding(
  limits: TicketLimits,
  wanted: number,
  machine: Unused,
  owner: Unused,
): Fault | null {
  const excess = (what: string, has: number, most: number): Fault => ({
    slug: 'too-many-tickets',
    detail: `${what} ${has}; with ${wanted} more it would be over ${most}.`,
  });
  if (machine.open + wanted > limits.openPerMachine)
    return excess('Open tickets of this machine:', machine.open, limits.openPerMachine);
  if (owner.open + wanted > limits.openPerOwner)
    return excess('Open tickets of this owner:', owner.open, limits.openPerOwner);
  if (machine.unused + wanted > limits.unusedPerMachine)
    return excess('Tickets that this machine let pass in 30 days:', machine.unused, limits.unusedPerMachine);
  return null;
}
