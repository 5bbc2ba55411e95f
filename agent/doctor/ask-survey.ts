/** Asks a survey what it is, once and with little patience: whether it answers at all is what `doctor` wants to know. */
import * as z from 'zod';
import type { SurveySeen } from './facts.ts';

/** More than any survey's index is; what is longer is no index. */
const indexMaxChars = 1 << 20;
const index = z.object({ scenario_sets: z.record(z.string(), z.unknown()) });

/** The answer's text, or null where it is too long. */
async function textOf(answer: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of answer.body ?? []) {
    text += decoder.decode(bytes, { stream: true });
    if (text.length > indexMaxChars) return null;
  }
  return text;
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}

/** What the survey at `url` says of itself, and how far its clock is from ours. Never rejects. */
export async function askSurvey(url: string, now: () => number, timeoutMs = 5000): Promise<SurveySeen> {
  try {
    const answer = await fetch(new URL('/v1', url), { signal: AbortSignal.timeout(timeoutMs) });
    const dateMs = Date.parse(answer.headers.get('date') ?? '');
    const clockAheadMs = Number.isNaN(dateMs) ? null : now() - dateMs;
    const { data } = index.safeParse(parsed(await textOf(answer)));
    if (!answer.ok || data === undefined)
      return { url, reached: false, why: `it answers ${answer.status}, and not as a survey does` };
    return { url, reached: true, clockAheadMs, sets: Object.keys(data.scenario_sets) };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { url, reached: false, why: cause instanceof Error ? cause.message : String(cause) };
  }
}
