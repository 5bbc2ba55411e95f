/**
 * `dumpsurvey verify`, as the table of commands shows it. It is a plain description, so that it needs nothing of the
 * agent; the auditor itself, with its store, is loaded only when it runs.
 */

type Value = string | boolean | undefined;

/** The values of options as the command line gives them. */
export type Values = Readonly<Record<string, Value | Value[]>>;

export const verify = {
  description:
    'Downloads the log of a survey and checks all of it: signatures, tree, rows, rules, and that the published\nstatistics follow from the rows. What each line of the report means, and what one client alone cannot see, is in\ndocs/verifying.md. Exit status: 0 all is as it must be, 1 something is not, 2 used wrongly, 3 not all could be had.',
  options: {
    url: { type: 'string', value: 'URL', help: 'the survey (DUMPSURVEY_URL, else http://127.0.0.1:8787)' },
    copy: { type: 'string', value: 'DIR', help: 'audits a copy that --keep made, without any network' },
    'log-key': {
      type: 'string',
      value: 'VKEY',
      help: "the log's verifier key; without it, that of --state, or the one that the survey names",
    },
    witness: {
      type: 'string',
      value: 'VKEY[=URL]',
      multiple: true,
      help: 'a witness that you trust, and where it serves what it has seen; may be given again',
    },
    'witnesses-needed': {
      type: 'string',
      value: 'N',
      help: 'how many of these must have cosigned the checkpoint (all)',
    },
    operator: {
      type: 'string',
      value: 'KEY',
      multiple: true,
      help: "an operator's public key in hexadecimal; may be given again. Others' decisions are then found",
    },
    token: {
      type: 'string',
      value: 'TOKEN',
      help: 'of a named auditor: shows what real machines have signed (DUMPSURVEY_TOKEN, which other users do not see)',
    },
    receipt: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      help: 'what the survey answered an admission with, as in the outbox under sent/; may be given again',
    },
    state: {
      type: 'string',
      value: 'FILE',
      help: 'remembers the newest checkpoint, and compares with it next time',
    },
    keep: { type: 'string', value: 'DIR', help: 'keeps all that was downloaded, as evidence and for --copy' },
    edition: {
      type: 'string',
      value: 'N',
      help: 'rebuilds this edition, too; else the newest and the one before',
    },
    json: { type: 'boolean', help: 'prints JSON' },
  },
  examples: [
    'dumpsurvey verify --state verify.state --keep survey-copy',
    'dumpsurvey verify --url https://survey.example --log-key "$KEY" --witness "$W1=https://w1.example" --witness "$W2=https://…"',
    'dumpsurvey verify --receipt ~/.local/share/dumpsurvey/outbox/sent/00112233445566778899aabbccddeeff.note',
    'dumpsurvey verify --copy survey-copy --json',
  ],
  run: async (values: Values): Promise<number> => (await import('./run.ts')).run(values),
} as const;
