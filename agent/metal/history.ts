/** What the journal says of the trials that were run on this machine. Pure. */
import { fromBase64 } from '../../schema/bytes.ts';
import type { TrialState } from '../trial/journal.ts';

export interface History {
  /** When the machine was armed, in milliseconds since the epoch: each counts against the budget. */
  readonly armedMs: readonly number[];
  /** How long captures have taken from the arming to the next start, in milliseconds. */
  readonly capturesMs: readonly number[];
  /** The machine was seen to come back by itself after a crash. */
  readonly cameBack: boolean;
  /** The channels on which beacons were seen. */
  readonly shownBy: ReadonlySet<string>;
}

interface Reported {
  readonly evidence?: {
    readonly duration_ms?: unknown;
    readonly channel?: { readonly name?: unknown; readonly saw?: unknown };
  };
  readonly outcome?: { readonly result?: unknown; readonly recovery?: unknown };
}

/** The body of a report as the journal keeps it, or null where it holds none. */
export function reportedIn(payload: string | undefined): Reported | null {
  if (payload === undefined) return null;
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64(payload))) as Reported;
  } catch {
    return null;
  }
}

/** The history of all trials in a journal. */
export function historyOf(trials: ReadonlyMap<number, TrialState>): History {
  const states = [...trials.values()];
  const reports = states.flatMap(({ payload }) => reportedIn(payload) ?? []);
  const captured = reports.filter(({ outcome }) => outcome?.result === 'captured');
  return {
    armedMs: states
      .flatMap(({ arming, controlsArmed = [] }) => [...controlsArmed, ...(arming ? [arming.armed_at] : [])])
      .map(Date.parse),
    capturesMs: captured.flatMap(({ evidence }) =>
      typeof evidence?.duration_ms === 'number' ? [evidence.duration_ms] : [],
    ),
    shownBy: new Set(
      reports.flatMap(({ evidence }) => {
        const { name, saw } = evidence?.channel ?? {};
        return typeof name === 'string' && Array.isArray(saw) && saw.length > 0 ? [name] : [];
      }),
    ),
    cameBack: reports.some(({ outcome }) => outcome?.recovery === 'self'),
  };
}
