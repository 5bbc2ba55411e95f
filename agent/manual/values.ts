/** What completion offers for a value, by the word that the help has for it. Pure. */
import type { CommandArgument, CommandOption } from '../command.ts';

/** `file`, `directory`, or the words that are allowed; null: nothing is known of it. */
export type Offer = 'file' | 'directory' | readonly string[] | null;

/** What can be offered for a value. */
export function offerFor({
  value,
  choices,
}: Pick<CommandOption | CommandArgument, 'value' | 'choices'>): Offer {
  if (choices !== undefined) return choices;
  if (value === 'FILE') return 'file';
  return value === 'DIR' ? 'directory' : null;
}
