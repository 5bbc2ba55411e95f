/**
 * The statistics of an edition, rebuilt from public rows alone: facts, trust and holds in a store of the auditor's own,
 * by the code that the server uses, and asked by the same queries.
 */
import type { DecisionRow, RowOf, TicketRow } from '../../schema/log/row.ts';
import type { KeyRole } from '../../schema/vocabulary.ts';
import { dueHolds } from '../admit/control.ts';
import { factsOf } from '../log/rows.ts';
import { consequencesOf } from '../store/decisions.ts';
import { insertFacts } from '../store/facts.ts';
import { hold } from '../store/holds.ts';
import { invitedAtMs, vouchFor } from '../store/invitations.ts';
import { applyMigrations } from '../store/migrations.ts';
import { closeStore, openStore, type Statement, type Store, write } from '../store/open.ts';
import { endTrust, labelsNow, trustIn } from '../store/trust.ts';
import type { Item } from './contents.ts';
import type { Standing } from './rules/decisions.ts';
import type { History } from './rules/history.ts';

export interface Rebuild {
  /** For queries; what was added last is in it after `flush`. */
  readonly store: Store;
  /** Takes what follows from an entry, in the order of the log. Nothing follows from an entry that is wrong in form. */
  readonly add: (item: Item, history: History) => Promise<void>;
  readonly flush: () => Promise<void>;
  /** What invitations are judged by. */
  readonly standing: (row: RowOf['invite']) => Promise<Standing>;
  /** What a false capture on this ticket asks to be held back. */
  readonly dueHolds: (ticket: TicketRow, agentVersion: string) => Promise<DecisionRow['subject'][]>;
  readonly close: () => void;
}

/** Statements of one batch. */
const batchLength = 500;

export async function createRebuild(): Promise<Rebuild> {
  const store = await openStore({ url: 'file::memory:' });
  await applyMigrations(store);
  const { db } = store;
  let pending: Statement[] = [];

  async function flush(): Promise<void> {
    const statements = pending;
    pending = [];
    await write(store, statements);
  }

  async function standing({ owner, invited }: RowOf['invite']): Promise<Standing> {
    await flush();
    const [given, before] = [await trustIn(store, owner), await trustIn(store, invited)];
    const judged = { machine: '', owner, agent_version: null, scenario_set: null, log_index: null };
    const labels = await labelsNow(store, judged);
    return { given, before, labels, invitedAtMs: await invitedAtMs(store, owner) };
  }

  async function vouch(
    { owner, invited }: RowOf['invite'],
    index: number,
    atMs: number,
  ): Promise<Statement[]> {
    const { given, invitedAtMs } = await standing({ owner, invited });
    return [vouchFor(db, given ?? { owner, depth: 0 }, invited, invitedAtMs.length, atMs, index)];
  }

  async function statementsOf(item: Item, { trials, chains }: History): Promise<Statement[]> {
    const { index, admittedMs } = item;
    switch (item.kind) {
      case 'armed':
      case 'report': {
        const ticket = trials.get(item.row.nonce);
        if (ticket === undefined || !ticket.isShown) return [];
        const said =
          item.kind === 'armed' ? { kind: item.kind, row: item.row } : { kind: item.kind, row: item.row };
        return insertFacts(db, distinct(factsOf(ticket.row, said)), index);
      }
      case 'decision':
        return consequencesOf(db, item.row, admittedMs, index);
      case 'revoke': {
        const { role, key, from_index } = item.row;
        return [hold(db, 'revoked', { kind: role, value: chains.rootOf(role, key) }, from_index, index)];
      }
      case 'invite':
        return vouch(item.row, index, admittedMs);
      case 'withdraw': {
        const role: KeyRole = item.row.role;
        return role === 'owner' ? [endTrust(db, chains.rootOf(role, item.row.key), index)] : [];
      }
      default:
        return [];
    }
  }

  return {
    store,
    add: async (item, history) => {
      // Asking may flush, which begins another batch: so nothing is pushed before it is known.
      const statements = await statementsOf(item, history);
      pending.push(...statements);
      if (pending.length >= batchLength) await flush();
    },
    flush,
    standing,
    dueHolds: async ({ machine, owner }, agentVersion) => {
      await flush();
      return dueHolds(store, { root: machine, owner }, agentVersion);
    },
    close: () => closeStore(store),
  };
}

/** Each driver with each of its roles once: a row that has them twice was found wrong before. */
function distinct<T extends { readonly driver: string; readonly role: string }>(facts: readonly T[]): T[] {
  const byPart = new Map(facts.map((fact) => [`${fact.driver} ${fact.role}`, fact]));
  return [...byPart.values()];
}
