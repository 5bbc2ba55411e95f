/** What another machine found in the dump that it received, as the report carries it. */
import type { Envelope } from '../../../schema/envelope.ts';
import type { DumpFinding } from '../../../schema/evidence.ts';

export interface Received {
  readonly envelope: Envelope;
  readonly nonce: string;
  readonly dump: DumpFinding;
}

/** The finding, if it is of this trial. */
export function packReceived(received: Received | null, nonce: string): Received | null {
  return received?.nonce === nonce ? received : null;
}
