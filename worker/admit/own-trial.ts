/** The trial of a signed body, found and checked to be the signer's own. */
import type { Profile } from '../../schema/profile.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { storedProfile } from '../store/stored.ts';
import type { TicketRow } from '../store/tickets.ts';
import { findTrial, type KnownTrial } from '../store/trials.ts';

export type OwnTrial = KnownTrial & { readonly ticket: TicketRow };

/** Throws the refusals `unknown-machine`, `unknown-ticket`, `foreign-ticket` and `withdrawn-key`. */
export async function ownTrial(
  { store }: Services,
  { machine, nonce }: { machine: string; nonce: string },
): Promise<OwnTrial> {
  const trial = await findTrial(store, machine, nonce);
  if (trial === null) throw new Refusal('unknown-machine', `No machine with key ${machine} is enrolled.`);
  // With the data of a machine its tickets are gone.
  if (trial.machine.withdrawn_index !== null) {
    throw new Refusal(
      'withdrawn-key',
      `Machine ${machine} was withdrawn by entry ${trial.machine.withdrawn_index}.`,
    );
  }
  const { ticket } = trial;
  if (ticket === null) throw new Refusal('unknown-ticket', `No ticket with nonce ${nonce} was issued.`);
  // The newest key of a chain may end what its predecessors began.
  const isSuccessor = ticket.root === trial.machine.root && trial.machine.successor === null;
  if (ticket.machine !== machine && !isSuccessor) {
    throw new Refusal('foreign-ticket', `Ticket ${nonce} was issued to another machine than ${machine}.`);
  }
  return { ...trial, ticket };
}

/** The profile that the ticket was issued for. It was checked when it was enrolled. */
export function profileOf({ profile, ticket }: OwnTrial): Profile {
  if (profile === null) throw new Error(`the profile of ticket ${ticket.nonce} is gone`);
  return storedProfile(profile);
}
