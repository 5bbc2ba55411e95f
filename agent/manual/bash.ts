/** Completion for bash, of the shell's own means alone. Pure. */
import type { NamedCommand } from '../command.ts';
import { helpOption } from '../help.ts';
import { type Offer, offerFor } from './values.ts';

/** The call that fills COMPREPLY. Words of the table have no blanks and nothing that a shell takes as its own. */
function reply(offer: Offer): string {
  if (offer === 'file') return 'mapfile -t COMPREPLY < <(compgen -f -- "$word")';
  if (offer === 'directory') return 'mapfile -t COMPREPLY < <(compgen -d -- "$word")';
  return `mapfile -t COMPREPLY < <(compgen -W '${(offer ?? []).join(' ')}' -- "$word")`;
}

/** What follows an option that takes a value; an option without is left to the default. */
function valueCases({ options }: NamedCommand): string[] {
  return Object.entries(options)
    .filter(([, { type }]) => type === 'string')
    .map(([name, option]) => `        --${name}) ${reply(offerFor(option))}; return ;;`);
}

function commandCase(command: NamedCommand): string {
  const { name, argument } = command;
  const words = Object.keys({ ...command.options, ...helpOption }).map((option) => `--${option}`);
  const offer = argument === undefined ? null : offerFor(argument);
  const cases = valueCases(command);
  return [
    `    ${name})`,
    ...(cases.length > 0 ? ['      case $before in', ...cases, '      esac'] : []),
    ...(offer === null ? [] : [`      if [[ $word != -* ]]; then ${reply(offer)}; return; fi`]),
    `      ${reply(words)}`,
    '      ;;',
  ].join('\n');
}

/** The script. */
export function bashCompletion(commands: readonly NamedCommand[]): string {
  const names = [...commands.map(({ name }) => name), 'help', '--help', '--version'];
  return `# bash completion of dumpsurvey
_dumpsurvey() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    ${reply(names)}
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map(commandCase).join('\n')}
  esac
}
complete -o filenames -F _dumpsurvey dumpsurvey
`;
}
