/** Completion for zsh, by its function _arguments. Pure. */
import type { CommandOption, NamedCommand } from '../command.ts';
import { helpOption } from '../help.ts';
import { type Offer, offerFor } from './values.ts';

/** In single quotes for the shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** What _arguments takes as its own in a description. */
const plain = (text: string) => text.replaceAll(/[[\]:\\]/g, (sign) => `\\${sign}`);

function action(offer: Offer): string {
  if (offer === 'file') return '_files';
  if (offer === 'directory') return '_files -/';
  return offer === null ? ' ' : `(${offer.join(' ')})`;
}

function optionSpec(name: string, option: CommandOption): string {
  const times = option.multiple ? '*' : '';
  const value =
    option.type === 'string' ? `:${plain(option.value ?? 'VALUE')}:${action(offerFor(option))}` : '';
  return quoted(`${times}--${name}[${plain(option.help)}]${value}`);
}

function commandCase({ name, options, argument }: NamedCommand): string {
  const specs = Object.entries({ ...options, ...helpOption }).map(([option, what]) =>
    optionSpec(option, what),
  );
  const first =
    argument === undefined ? [] : [quoted(`:${plain(argument.value)}:${action(offerFor(argument))}`)];
  return `    ${name})\n      _arguments ${[...first, ...specs].join(' \\\n        ')}\n      ;;`;
}

/** The script. */
export function zshCompletion(commands: readonly NamedCommand[]): string {
  const names = commands.map(({ name, summary }) => `    ${quoted(`${name}:${plain(summary)}`)}`);
  return `#compdef dumpsurvey
_dumpsurvey() {
  local -a commands
  commands=(
${names.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe -t commands command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${commands.map(commandCase).join('\n')}
  esac
}
_dumpsurvey "$@"
`;
}
