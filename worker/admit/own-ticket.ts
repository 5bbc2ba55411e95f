/** The ticket and the profile of a signed body, found and checked to be the signer's own. */
import { type Profile, profile as profileSchema } from '../../schema/profile.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { findMachine, findProfile, type MachineRow } from '../store/machines.ts';
import { findTicket, type TicketRow } from '../store/tickets.ts';

/** Throws the refusals `unknown-machine`, `unknown-ticket` and `foreign-ticket`. */
export async function ownTicket(
  { store }: Services,
  { machine, nonce }: { machine: string; nonce: string },
): Promise<{ machine: MachineRow; ticket: TicketRow }> {
  const [row, ticket] = await Promise.all([findMachine(store, machine), findTicket(store, nonce)]);
  if (row === null) throw new Refusal('unknown-machine', `No machine with key ${machine} is enrolled.`);
  if (ticket === null) throw new Refusal('unknown-ticket', `No ticket with nonce ${nonce} was issued.`);
  if (ticket.machine !== machine) {
    throw new Refusal('foreign-ticket', `Ticket ${nonce} was issued to another machine than ${machine}.`);
  }
  return { machine: row, ticket };
}

/** The profile that a ticket was issued for. It was checked when it was enrolled. */
export async function profileOf({ store }: Services, ticket: TicketRow): Promise<Profile> {
  const text = await findProfile(store, ticket.machine, ticket.profile_sha256);
  if (text === null) throw new Error(`the profile of ticket ${ticket.nonce} is gone`);
  return profileSchema.parse(JSON.parse(text));
}
