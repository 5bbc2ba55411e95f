/** What the key that signed a request may do, by what became of it. */
import type { Fault } from '../refusal.ts';
import type { MachineRow, OwnerRow } from '../store/machines.ts';

/**
 * Why a key may begin nothing new, or null: it was withdrawn, or replaced. What was begun under a replaced key is ended
 * under it, so armed notes and reports do not ask this.
 */
export function faultOfBeginning(
  name: string,
  row: Pick<MachineRow | OwnerRow, 'successor' | 'withdrawn_index'>,
): Fault | null {
  if (row.withdrawn_index !== null) {
    return { slug: 'withdrawn-key', detail: `${name} was withdrawn by entry ${row.withdrawn_index}.` };
  }
  if (row.successor !== null) {
    return { slug: 'rotated-key', detail: `${name} was replaced by ${row.successor}.` };
  }
  return null;
}
