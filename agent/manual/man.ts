/** The manual page, dumpsurvey(8), in mdoc(7), from the table of commands. Pure. */
import type { CommandArgument, CommandOption, NamedCommand } from '../command.ts';
import { exitStatuses } from '../exit.ts';
import { helpOption } from '../help.ts';

/** A sentence in lines of at most so many characters, as far as its words let that be. */
function filled(sentence: string, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of sentence.split(' ')) {
    if (line !== '' && line.length + word.length >= most) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Text as mdoc takes it: a sentence begins a line, and no line begins with what is a macro. */
function prose(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .split(/(?<=[.:;]) (?=\S)/)
    .map((line) => line.replaceAll('\\', '\\e').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga'))
    .flatMap((line) => filled(line, 76))
    .map((line) => (line.startsWith('.') ? `\\&${line}` : line))
    .join('\n');
}

/** Words that a macro takes as one. */
const word = (text: string) =>
  `"${text.replaceAll('\\', '\\e').replaceAll('"', '\\(dq').replaceAll("'", '\\(aq')}"`;

function optionItem(name: string, { type, value, help }: CommandOption): string {
  const taken = type === 'string' ? ` Ar ${word(value ?? 'VALUE')}` : '';
  return `.It Fl Fl ${name.replaceAll('-', '\\-')}${taken}
${prose(help)}`;
}

const argumentItem = ({ value, help }: CommandArgument) => `.It Ar ${word(value)}\n${prose(help)}`;

function literal(lines: readonly string[]): string {
  const shown = lines.map((line) =>
    line.replaceAll('\\', '\\e').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga'),
  );
  return [
    '.Bd -literal -offset indent',
    ...shown.map((l) => (l.startsWith('.') ? `\\&${l}` : l)),
    '.Ed',
  ].join('\n');
}

function commandSection({
  name,
  summary,
  description,
  argument,
  options,
  examples,
  exits,
}: NamedCommand): string {
  const first = summary.charAt(0).toUpperCase() + summary.slice(1);
  return [
    `.Ss dumpsurvey ${name}${argument ? ` ${argument.value}` : ''}`,
    prose(`${first}.`),
    '.Pp',
    prose(description),
    '.Bl -tag -width Ds',
    ...(argument ? [argumentItem(argument)] : []),
    ...Object.entries({ ...options, ...helpOption }).map(([option, what]) => optionItem(option, what)),
    '.El',
    ...(exits === undefined
      ? []
      : ['.Pp', 'Exit status here:', '.Bl -tag -width Ds', ...statusItems(exits), '.El']),
    literal(examples),
  ].join('\n');
}

function statusItems(statuses: Readonly<Record<number, string>>): string[] {
  return Object.entries(statuses).map(([status, meaning]) => `.It ${status}\n${prose(meaning)}`);
}

/** What the environment may say, and files, which belong to no single command. */
const environment = {
  DUMPSURVEY_DATA: 'the directory for keys, journal and reports, in the place of the ones below',
  DUMPSURVEY_URL: 'the survey, where --url does not name it',
  DUMPSURVEY_LOG_KEY: "its log's verifier key, where --log-key does not give it",
} as const;

const files = {
  '/var/lib/dumpsurvey':
    'keys, journal, settings, consent and reports of an installed agent, or of one that root runs',
  '~/.local/state/dumpsurvey': 'the same of a user, where no agent is installed',
  '/usr/src/crashpoint-1': 'the sources of the crash module, for DKMS',
} as const;

/** The page. `date` is of the page: `Month day, year`. */
export function manualPage(commands: readonly NamedCommand[], date: string, version: string): string {
  return `.\\" Made from the table of commands.
.Dd ${date}
.Dt DUMPSURVEY 8
.Os "dumpsurvey ${version}"
.Sh NAME
.Nm dumpsurvey
.Nd measures how likely Linux is to capture a kernel crash dump
.Sh SYNOPSIS
.Nm dumpsurvey
.Ar command
.Op Ar options
.Nm dumpsurvey
.Fl Fl version
.Sh DESCRIPTION
On a machine that its owner has marked as spare,
.Nm
crashes the kernel on purpose in a standard set of scenarios, finds out
after the reboot how far the capture of the dump got, looks into the dump,
and sends a signed report to a public survey.
.Pp
Nothing is crashed before
.Ic dumpsurvey install Fl Fl spare-machine .
The word
.Li dumpsurvey.off
on the kernel command line disables all of it.
What is going to happen next is always said by
.Ic dumpsurvey status .
.Pp
Every command takes
.Fl Fl json
for programs.
What changes this machine or sends something takes
.Fl Fl dry-run .
.Sh COMMANDS
${commands.map(commandSection).join('\n')}
.Sh ENVIRONMENT
.Bl -tag -width Ds
${Object.entries(environment)
  .map(([name, meaning]) => `.It Ev ${name}\n${prose(meaning)}`)
  .join('\n')}
.El
.Sh FILES
.Bl -tag -width Ds
${Object.entries(files)
  .map(([path, meaning]) => `.It Pa ${path}\n${prose(meaning)}`)
  .join('\n')}
.El
.Sh EXIT STATUS
.Bl -tag -width Ds
${statusItems(exitStatuses).join('\n')}
.El
.Sh SEE ALSO
.Xr dkms 8 ,
.Xr makedumpfile 8
`;
}
