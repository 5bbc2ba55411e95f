/** What an agent finds wrong with the log. It is never a matter of the network: of that, Unreachable tells. */
import { Expected } from '../advice.ts';

/** What can be wrong, and what it means for the person who reads it. */
export const logFaults = {
  forked:
    'A log has one history. Whoever holds its key signed two: it tells different people different things, or it lost its store and signed again.',
  'broken-promise':
    'The log signed a promise to have this entry at this index, and its own signed tree has another one there.',
  unproven:
    'Either the survey is broken, or it shows this machine another history than it did before. What it signed is kept as evidence.',
  shrunk:
    'Its store was restored from an older backup, or something in between answers with an old copy. A log never shrinks.',
  unsigned:
    'Somebody in between changed the answer, or there is another log behind this address than the one whose key is pinned.',
  mismatch: 'The survey took in something else than was sent, or its answer is broken.',
} as const;
export type LogFaultKind = keyof typeof logFaults;

/** Two signed statements that contradict each other stay a contradiction, whatever the log shows later. */
export const lastingFaults: ReadonlySet<LogFaultKind> = new Set(['forked', 'broken-promise']);

/** The log cannot be trusted as it is: nothing more is sent. The message says what happened, what it means, what to do. */
export class LogFault extends Expected {
  override name = 'LogFault';
  /** `stopped`: it was found out earlier. */
  readonly kind: LogFaultKind | 'stopped';

  constructor(kind: LogFaultKind | 'stopped', message: string) {
    super(message);
    this.kind = kind;
  }
}
