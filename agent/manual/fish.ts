/** Completion for fish. Pure. */
import type { CommandOption, NamedCommand } from '../command.ts';
import { helpOption } from '../help.ts';
import { type Offer, offerFor } from './values.ts';

/** In single quotes: fish takes only backslash and quote as its own there. */
const quoted = (text: string) => `'${text.replaceAll(/[\\']/g, (sign) => `\\${sign}`)}'`;

/** The flags for a value: -r takes one, -F offers files, -x takes one and offers no files. */
function offering(offer: Offer): string {
  if (offer === 'file') return ' -r -F';
  if (offer === 'directory') return " -x -a '(__fish_complete_directories)'";
  return offer === null ? ' -x' : ` -x -a ${quoted(offer.join(' '))}`;
}

function optionLine(command: string, name: string, option: CommandOption): string {
  const value = option.type === 'string' ? offering(offerFor(option)) : '';
  return `complete -c dumpsurvey -n '__fish_seen_subcommand_from ${command}' -l ${name}${value} -d ${quoted(option.help)}`;
}

function commandLines({ name, summary, options, argument }: NamedCommand): string[] {
  const offer = argument === undefined ? null : offerFor(argument);
  const words = offer === 'file' ? ' -F' : Array.isArray(offer) ? ` -a ${quoted(offer.join(' '))}` : null;
  return [
    `complete -c dumpsurvey -n __fish_use_subcommand -a ${name} -d ${quoted(summary)}`,
    ...(words === null ? [] : [`complete -c dumpsurvey -n '__fish_seen_subcommand_from ${name}'${words}`]),
    ...Object.entries({ ...options, ...helpOption }).map(([option, what]) => optionLine(name, option, what)),
  ];
}

/** The script. */
export function fishCompletion(commands: readonly NamedCommand[]): string {
  return `# fish completion of dumpsurvey
complete -c dumpsurvey -f
${commands.flatMap(commandLines).join('\n')}
`;
}
