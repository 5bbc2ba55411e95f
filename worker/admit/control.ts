/**
 * A control trial has its mechanism disabled on purpose, so a verified dump in its report is false: the machine lies,
 * or the agent that judged the dump is wrong. Either way what else it says cannot be told from that, so it is held
 * back until an operator has looked.
 */
import type { DecisionRow } from '../../schema/log/row.ts';
import type { Services } from '../services.ts';
import { otherFalseCaptures } from '../store/controls.ts';
import { consequencesOf, isQuarantined } from '../store/decisions.ts';
import { append } from '../store/log.ts';
import type { Statement, Store } from '../store/open.ts';
import type { TicketRow } from '../store/tickets.ts';
import { trustIn } from '../store/trust.ts';
import { ownDecision } from './own-decision.ts';

/** Why the survey holds something back by itself. */
export function reasonOfHold(nonce: string): string {
  return `control trial ${nonce} was reported as captured`;
}

/** One in fifty: enough to find an agent that reports captures it did not make, few enough not to be felt. */
export const defaultControlShare = 0.02;

/**
 * What a false capture asks to be held back, of what is not: its machine, and the whole version of the agent where
 * controls of two trusted owners failed under it.
 */
export async function dueHolds(
  store: Store,
  { root, owner }: Pick<TicketRow, 'root' | 'owner'>,
  agentVersion: string,
): Promise<DecisionRow['subject'][]> {
  const due: DecisionRow['subject'][] = [{ kind: 'machine', value: root }];
  const isTrusted = (await trustIn(store, owner)) !== null;
  if (isTrusted && (await otherFalseCaptures(store, agentVersion, owner)) > 0)
    due.push({ kind: 'agent_version', value: agentVersion });
  const held = await Promise.all(due.map((subject) => isQuarantined(store, { subject })));
  return due.filter((_, i) => held[i] === false);
}

/** The statements, for the batch of the report, that hold back what its false capture asks for. */
export async function holdFalseCapture(
  services: Services,
  ticket: Pick<TicketRow, 'nonce' | 'root' | 'owner'>,
  agentVersion: string,
  nowMs: number,
): Promise<Statement[]> {
  const { store } = services;
  const statements: Statement[] = [];
  for (const subject of await dueHolds(store, ticket, agentVersion)) {
    const decided = {
      action: 'quarantine' as const,
      subject,
      from_index: null,
      reason: reasonOfHold(ticket.nonce),
    };
    const { row, draft } = await ownDecision(services, decided, nowMs);
    statements.push(...append(store.db, draft), ...consequencesOf(store.db, row, nowMs));
  }
  return statements;
}
