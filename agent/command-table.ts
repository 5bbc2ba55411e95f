/**
 * The table of commands: help, completion and the manual page are made from it. A command is loaded when it is used, so
 * that none pays for what another needs.
 */
import type { Command, CommandEntry, NamedCommand } from './command.ts';

export const commands: readonly CommandEntry[] = [
  {
    name: 'lab',
    summary: 'crashes emulated machines (QEMU) and verifies their dumps',
    load: async () => (await import('./commands/lab.ts')).lab,
  },
  {
    name: 'enroll',
    summary: 'enrols this machine under a key of its own',
    load: async () => (await import('./commands/enroll.ts')).enroll,
  },
  {
    name: 'doctor',
    summary: 'says what is missing before this machine can be crashed, and how to mend it',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    name: 'inventory',
    summary: 'prints the hardware profile of this machine, byte for byte as it would be sent',
    load: async () => (await import('./commands/inventory.ts')).inventoryCommand,
  },
  {
    name: 'run',
    summary: 'crashes this machine on purpose, again and again, and reports what was captured',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'status',
    summary: 'says what this agent has done, what waits to be sent, and what the survey counts',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'submit',
    summary: 'sends the reports that wait in the outbox',
    load: async () => (await import('./commands/submit.ts')).submit,
  },
  {
    name: 'rotate',
    summary: "replaces the machine's key, or the owner's, by a new one",
    load: async () => (await import('./commands/rotate.ts')).rotate,
  },
  {
    name: 'revoke',
    summary: "takes the trust in a machine's key back, or in the owner's own",
    load: async () => (await import('./commands/revoke.ts')).revoke,
  },
  {
    name: 'invite',
    summary: 'vouches for another owner, whose trials then count',
    load: async () => (await import('./commands/invite.ts')).invite,
  },
  {
    name: 'withdraw',
    summary: 'has the survey delete all that a machine, or an owner, has ever sent',
    load: async () => (await import('./commands/withdraw.ts')).withdraw,
  },
  {
    name: 'witness',
    summary: "cosigns a transparency log's checkpoints, so that it cannot show two histories",
    load: async () => (await import('./commands/witness.ts')).witness,
  },
  {
    name: 'verify-dump',
    summary: 'judges a dump that a machine sent to another one, and signs what is found',
    load: async () => (await import('./commands/verify-dump.ts')).verifyDumpCommand,
  },
  {
    name: 'verify',
    summary: 'audits a survey with no trust in its server: log, witnesses, rules and statistics',
    load: async () => (await import('../worker/audit/command.ts')).verify,
  },
  {
    name: 'install',
    summary: 'puts the agent on this machine: module, units, state; with --spare-machine it may be crashed',
    load: async () => (await import('./commands/install.ts')).install,
  },
  {
    name: 'uninstall',
    summary: 'takes back what install has done, and leaves nothing',
    load: async () => (await import('./commands/uninstall.ts')).uninstall,
  },
  {
    name: 'completion',
    summary: 'prints the completion script of a shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: 'man',
    summary: 'prints the manual page',
    load: async () => (await import('./commands/man.ts')).man,
  },
];

/** A command with its name and all that there is to say of it. */
export async function loadCommand({ name, summary, load }: CommandEntry): Promise<NamedCommand> {
  const command: Command = await load();
  return { ...command, name, summary };
}

/** All commands, loaded, in the order of the table. */
export function loadCommands(): Promise<NamedCommand[]> {
  return Promise.all(commands.map(loadCommand));
}
