/**
 * Tickets that were fetched ahead, in `tickets.json`: a machine without a network takes one of these. Each is used for
 * one trial; the journal says which were.
 */
import * as z from 'zod';
import { scenarioId } from '../../schema/scenario.ts';
import { type Ticket, ticket } from '../../schema/wire.ts';
import { writeDurably } from '../durable.ts';
import type { Journal } from '../trial/journal.ts';
import { type MetalPaths, readState } from './state.ts';

const bundle = z.strictObject({ version: z.literal(1), tickets: z.array(ticket).max(10_000) });

/** The tickets of the bundle, used ones too. Throws Advice where the file is damaged. */
export async function readTickets({ tickets: path }: Pick<MetalPaths, 'tickets'>): Promise<Ticket[]> {
  return (await readState(path, bundle, [`rm ${path}`]))?.tickets ?? [];
}

/** Takes tickets into the bundle. Those that it has already stay as they are. */
export async function keepTickets(
  paths: Pick<MetalPaths, 'tickets'>,
  came: readonly Ticket[],
): Promise<void> {
  const before = await readTickets(paths);
  const known = new Set(before.map(({ nonce }) => nonce));
  const tickets = [...before, ...came.filter(({ nonce }) => !known.has(nonce))];
  await writeDurably(paths.tickets, `${JSON.stringify({ version: 1, tickets })}\n`);
}

/** A ticket of the bundle that fits, that can still be armed, and that no trial has had. Null where there is none. */
export async function bundledTicket(
  paths: Pick<MetalPaths, 'tickets'>,
  journal: Pick<Journal, 'trials'>,
  wanted: { readonly machine: string; readonly scenario: string; readonly profileSha256: string },
  nowMs: number,
): Promise<Ticket | null> {
  const trials = [...journal.trials().values()];
  const used = new Set(
    trials.flatMap(({ ticket: of, formerNonces = [] }) => [...formerNonces, of?.nonce ?? '']),
  );
  const fits = (t: Ticket) =>
    t.machine === wanted.machine &&
    t.profile_sha256 === wanted.profileSha256 &&
    scenarioId(t.scenario) === wanted.scenario &&
    nowMs <= Date.parse(t.arm_by) &&
    !used.has(t.nonce);
  return (await readTickets(paths)).find(fits) ?? null;
}
