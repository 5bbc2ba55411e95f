/** The exit statuses of every command. Help, manual page and documentation are made from this table. */
export const exitStatuses = {
  0: 'done; what was asked for is as it should be',
  1: 'failed, or what was looked at is not as it should be: the message says which',
  2: 'used wrongly: an option or a value is not known, or a confirmation is missing; nothing was done',
  3: 'something is missing on this machine, or is to be done first: the message says what, with the commands',
} as const satisfies Readonly<Record<number, string>>;

export type ExitStatus = keyof typeof exitStatuses;
